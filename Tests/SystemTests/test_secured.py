"""How mail to other hosts is secured: DANE, MTA-STS, the administrator's wishes, REQUIRETLS; and what is said where it is not."""
import os
import tempfile
import unittest

from mail_samples import named, submit
from martlet import Martlet, wait_until
from secured import TLSA, TXT, Authority, PolicyServer, SignedNameServer, policy, self_signed, text, tlsa
from servers import A, CNAME, MX, SMTPServer
from test_extensions import client, transaction
from test_remote import QUICK, bounces, events, sent, waiting


class Secured(unittest.TestCase):
    """One Martlet, a name server and a policy host of its own; SMTP servers on one port, told apart by their loopback addresses."""
    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        # For remoted, where it has a user of its own.
        os.chmod(cls.folder.name, 0o755)
        cls.authority = Authority(cls.folder.name)
        cls.stranger = Authority(cls.folder.name, "Strange Authority")
        cls.servers, cls.port = {}, 0
        cls.records, cls.failing, cls.unsigned = {}, set(), set()
        cls.prepare()
        cls.dns = SignedNameServer(cls.records, cls.failing, signed=(".signed.example",), unsigned=cls.unsigned)
        remote = {"port": cls.port, "roots": cls.authority.roots, "mta_sts_port": cls.policies.port if cls.policies else 443}
        settings = dict(QUICK, dns={"servers": ["127.0.0.1:%d" % cls.dns.port]}, remote=remote)
        for section, keys in cls.settings.items():
            settings[section] = dict(settings.get(section, {}), **keys)
        cls.martlet = Martlet(settings=settings)

    policies = None

    @classmethod
    def tearDownClass(cls):
        cls.martlet.close()
        for server in [*cls.servers.values(), cls.dns, *([cls.policies] if cls.policies else [])]:
            server.close()
        cls.folder.cleanup()

    @classmethod
    def server(cls, number, certificate=None, **words):
        cls.servers[number] = SMTPServer(certificate=certificate, address="127.0.0.%d" % number, port=cls.port, **words)
        cls.port = cls.servers[number].port

    @classmethod
    def host(cls, domain, host, number, *associations):
        """`domain` has one exchanger, `host`, at a server, with these TLSA records."""
        cls.records.setdefault((domain, MX), []).append((10 + len(cls.records.get((domain, MX), [])), host))
        cls.records[(host, A)] = ["127.0.0.%d" % number]
        if associations:
            cls.records[("_%d._tcp.%s" % (cls.port, host), TLSA)] = list(associations)

    def send(self, domain):
        submit(self.martlet, named(domain, b"x\r\n"), "user@" + domain)
        return "user@" + domain

    def session(self, domain, **facts):
        """The last event of a connection for this domain that says this."""
        found = [e for e in events(self.martlet, "remoted", "session") if e["domain"] == domain and all(e.get(k) == v for k, v in facts.items())]
        return found[-1] if found else None

    def assertSent(self, domain, number, **facts):
        address = self.send(domain)
        wait_until(lambda: sent(self.martlet, address), lambda: "%s sent\n%r\n%s" % (domain, waiting(self.martlet, address), self.martlet.log()[-1500:]))
        self.assertEqual(len([m for m in self.servers[number].messages if m[1] == [address]]), 1)
        wait_until(lambda: self.session(domain, **facts), lambda: "a connection with %r: %r" % (facts, self.session(domain)))

    def assertWaits(self, domain, words, **facts):
        address = self.send(domain)
        entry = wait_until(lambda: waiting(self.martlet, address), lambda: "%s put off: %r\n%s" % (domain, self.session(domain), self.martlet.log()[-1500:]))
        self.assertTrue(entry["status"].startswith("4.7."), entry)
        for word in words:
            self.assertIn(word, entry["reason"])
        wait_until(lambda: self.session(domain, **facts), lambda: "a connection with %r: %r" % (facts, self.session(domain)))
        self.assertEqual(self.taken(address), [])
        self.assertEqual(sent(self.martlet, address), [])
        return entry

    def ask(self, domain):
        """A message whose sender requires TLS all the way."""
        smtp = client(self.martlet, tls=True)
        transaction(smtp, "alice@example.org", ["user@" + domain], named("asked-" + domain, b"x\r\n"), " REQUIRETLS", "")
        smtp.quit()
        return "user@" + domain

    def taken(self, address):
        return [m for server in self.servers.values() for m in server.messages if address in m[1]]


class DANE(Secured):
    settings = {"remote": {"tls_for": ["fixed.signed.example never"]}}

    @classmethod
    def prepare(cls):
        own, other = self_signed(cls.folder.name, "somebody.else"), self_signed(cls.folder.name, "another")
        chain = cls.authority.issue("anchored.mx.signed.example", "anchor-domain.signed.example", with_root=True)
        cls.server(11, own)
        cls.server(12)
        cls.server(13, chain)
        cls.server(14, own, offers=("PIPELINING", "REQUIRETLS"))
        cls.host("right.signed.example", "right.mx.signed.example", 11, tlsa(3, 1, 1, own[0]))
        cls.host("whole.signed.example", "whole.mx.signed.example", 11, tlsa(3, 0, 2, own[0]), tlsa(3, 0, 1, other[0]))
        cls.host("wrong.signed.example", "wrong.mx.signed.example", 11, tlsa(3, 1, 1, other[0]))
        cls.host("clear.signed.example", "clear.mx.signed.example", 12, tlsa(3, 1, 1, own[0]))
        cls.host("unusable.signed.example", "unusable.mx.signed.example", 11, tlsa(1, 1, 1, other[0]))
        cls.host("unusable-clear.signed.example", "unusable-clear.mx.signed.example", 12, tlsa(1, 1, 1, other[0]))
        cls.host("lost.signed.example", "lost.mx.signed.example", 11)
        cls.failing.add(("_%d._tcp.lost.mx.signed.example" % cls.port, TLSA))
        cls.host("second.signed.example", "lost.mx.signed.example", 11)
        cls.host("second.signed.example", "right.mx.signed.example", 11)
        cls.records[("_%d._tcp.right.mx.signed.example" % cls.port, TLSA)] = [tlsa(3, 1, 1, own[0])]
        cls.host("anchored.signed.example", "anchored.mx.signed.example", 13, tlsa(2, 0, 1, cls.authority.roots))
        cls.host("anchor-domain.signed.example", "by-domain.mx.signed.example", 13, tlsa(2, 1, 2, cls.authority.roots))
        cls.host("misnamed.signed.example", "misnamed.mx.signed.example", 13, tlsa(2, 0, 1, cls.authority.roots))
        cls.host("strange.signed.example", "strange.mx.signed.example", 13, tlsa(2, 0, 1, cls.stranger.roots))
        # The zone of the exchangers is not signed: its TLSA records mean nothing.
        cls.host("unsigned.example", "unsigned-wrong.mx.signed.example", 11, tlsa(3, 1, 1, other[0]))
        cls.host("half.signed.example", "half.mx.example", 11, tlsa(3, 1, 1, other[0]))
        cls.host("doubtful.signed.example", "doubtful.mx.signed.example", 11, tlsa(3, 1, 1, other[0]))
        cls.unsigned.add(("_%d._tcp.doubtful.mx.signed.example" % cls.port, TLSA))
        # An alias: the record stands under the name that it leads to.
        cls.host("alias.signed.example", "alias.mx.signed.example", 11)
        del cls.records[("alias.mx.signed.example", A)]
        cls.records[("alias.mx.signed.example", CNAME)] = ["right.mx.signed.example"]
        # Without MX the domain is its own server.
        cls.records[("alone.signed.example", A)] = ["127.0.0.11"]
        cls.records[("_%d._tcp.alone.signed.example" % cls.port, TLSA)] = [tlsa(3, 1, 1, own[0])]
        cls.host("fixed.signed.example", "wrong.mx.signed.example", 11)
        cls.records[("_%d._tcp.wrong.mx.signed.example" % cls.port, TLSA)] = [tlsa(3, 1, 1, other[0])]
        cls.host("asked.signed.example", "asked.mx.signed.example", 14, tlsa(3, 1, 1, own[0]))
        cls.host("asked-wrong.signed.example", "asked-wrong.mx.signed.example", 14, tlsa(3, 1, 1, other[0]))
        cls.host("asked.example", "asked.mx.signed.example", 14)
        cls.records[("_%d._tcp.asked.mx.signed.example" % cls.port, TLSA)] = [tlsa(3, 1, 1, own[0])]
        # A loop of aliases.
        cls.records[("loop.example", CNAME)] = ["pool.example"]
        cls.records[("pool.example", CNAME)] = ["loop.example"]

    def test_the_certificate_that_dns_names_is_taken_whoever_signed_it(self):
        self.assertSent("right.signed.example", 11, verified="dane", tlspolicy="dane", result="ok")
        self.assertSent("whole.signed.example", 11, verified="dane", tlspolicy="dane", result="ok")

    def test_another_certificate_keeps_the_mail_and_the_reason_says_so(self):
        self.assertWaits("wrong.signed.example", ["DANE", "its certificate is not the one that they name", "wrong.mx.signed.example"],
                         tlspolicy="dane", verified="no", result="validation-failure")

    def test_a_server_without_tls_that_dns_demands_is_sent_nothing(self):
        self.assertWaits("clear.signed.example", ["DANE", "does not offer STARTTLS"], tlspolicy="dane", tls="none", result="starttls-not-supported")
        self.assertWaits("unusable-clear.signed.example", ["does not offer STARTTLS"], tlspolicy="dane", result="starttls-not-supported")

    def test_records_that_cannot_be_used_demand_tls_and_no_more(self):
        self.assertSent("unusable.signed.example", 11, verified="no", tlspolicy="dane", result="ok")

    def test_when_dns_does_not_answer_about_the_certificate_mail_waits(self):
        self.assertWaits("lost.signed.example", ["DANE", "lost.mx.signed.example"], tlspolicy="dane", result="dnssec-invalid")

    def test_the_next_server_takes_over_from_one_of_which_dns_does_not_answer(self):
        self.assertSent("second.signed.example", 11, host="right.mx.signed.example", verified="dane", result="ok")

    def test_a_trust_anchor_vouches_for_the_servers_name_and_the_domains(self):
        self.assertSent("anchored.signed.example", 13, verified="dane", result="ok")
        self.assertSent("anchor-domain.signed.example", 13, verified="dane", result="ok")

    def test_a_trust_anchor_does_not_vouch_for_another_name_nor_another_anchor(self):
        self.assertWaits("misnamed.signed.example", ["DANE"], tlspolicy="dane", result="validation-failure")
        self.assertWaits("strange.signed.example", ["DANE"], tlspolicy="dane", result="validation-failure")

    def test_what_is_not_signed_demands_nothing(self):
        for domain in ("unsigned.example", "half.signed.example", "doubtful.signed.example"):
            with self.subTest(domain):
                self.assertSent(domain, 11, verified="no", tlspolicy="none", result="ok")

    def test_the_name_that_an_alias_leads_to_is_looked_up(self):
        self.assertSent("alias.signed.example", 11, verified="dane", tlspolicy="dane")

    def test_a_domain_without_mx_is_its_own_server(self):
        self.assertSent("alone.signed.example", 11, verified="dane", tlspolicy="dane")

    def test_the_administrators_word_for_a_domain_is_the_last(self):
        self.assertSent("fixed.signed.example", 11, tls="none", tlspolicy="fixed", result="ok")

    def test_who_requires_tls_is_served_where_dns_is_signed_and_the_certificate_right(self):
        self.ask("asked.signed.example")
        wait_until(lambda: sent(self.martlet, "user@asked.signed.example"), lambda: "sent\n" + self.martlet.log()[-1500:])
        self.assertTrue(self.session("asked.signed.example", verified="dane", result="ok"))
        self.ask("asked-wrong.signed.example")
        entry = wait_until(lambda: waiting(self.martlet, "user@asked-wrong.signed.example"), "put off")
        self.assertIn("REQUIRETLS", entry["reason"])
        self.assertEqual(self.taken("user@asked-wrong.signed.example"), [])

    def test_who_requires_tls_is_told_at_once_where_the_server_cannot_be_known(self):
        self.ask("asked.example")
        bounce = wait_until(lambda: bounces(self.martlet, "alice", "user@asked.example"), "the bounce")[0]
        self.assertIn(b"5.7.30", bounce)
        self.assertEqual(self.taken("user@asked.example"), [])

    def test_a_loop_of_aliases_is_no_answer(self):
        address = self.send("loop.example")
        self.assertEqual(wait_until(lambda: waiting(self.martlet, address), "put off")["status"], "4.4.3")


class Distrust(Secured):
    """The same signed answers, from a resolver whose word is not believed."""
    settings = {"dns": {"trust_ad": "never"}}

    @classmethod
    def prepare(cls):
        own, other = self_signed(cls.folder.name, "somebody.else"), self_signed(cls.folder.name, "another")
        cls.server(11, own)
        cls.host("wrong.signed.example", "wrong.mx.signed.example", 11, tlsa(3, 1, 1, other[0]))

    def test_records_of_a_resolver_that_is_not_trusted_demand_nothing(self):
        self.assertSent("wrong.signed.example", 11, verified="no", tlspolicy="none", result="ok")


class STS(Secured):
    settings = {"remote": {"tls_for": ["proven.example verified", "misproven.example verified", "must.example required", "plain.example never"]}}

    @classmethod
    def prepare(cls):
        domains = ["right", "wildcard", "misnamed", "expired", "untrusted", "unlisted", "testing", "testing-unlisted", "clear", "gone", "redirected", "odd",
                   "html", "kept", "none", "asked", "told", "cut"]
        cls.policies = PolicyServer(cls.authority.issue(*("mta-sts.%s.example" % d for d in domains)))
        cls.server(21, cls.authority.issue("mx.sts.example", "*.wild.sts.example"))
        cls.server(22, cls.authority.issue("other.sts.example"))
        cls.server(23, cls.authority.issue("mx.expired.example", days=-1))
        cls.server(24, cls.stranger.issue("mx.untrusted.example"))
        cls.server(25)
        cls.server(26, cls.authority.issue("mx.asked.example"), offers=("PIPELINING", "REQUIRETLS"))
        for domain in domains + ["unsafe"]:
            cls.records[("_mta-sts.%s.example" % domain, TXT)] = [text("v=STSv1; id=1;")]
            cls.records[("mta-sts.%s.example" % domain, A)] = ["127.0.0.1"]
        say = lambda domain, mode, *hosts: cls.policies.policies.__setitem__("mta-sts.%s.example" % domain, policy(mode, *hosts))
        cls.host("right.example", "mx.sts.example", 21)
        say("right", "enforce", "mx.sts.example")
        cls.host("wildcard.example", "a.wild.sts.example", 21)
        say("wildcard", "enforce", "*.wild.sts.example")
        cls.host("misnamed.example", "misnamed.sts.example", 22)
        say("misnamed", "enforce", "misnamed.sts.example")
        cls.host("told.example", "misnamed.sts.example", 22)
        say("told", "enforce", "misnamed.sts.example")
        cls.host("expired.example", "mx.expired.example", 23)
        say("expired", "enforce", "mx.expired.example")
        cls.host("untrusted.example", "mx.untrusted.example", 24)
        say("untrusted", "enforce", "mx.untrusted.example")
        cls.host("unlisted.example", "mx.sts.example", 21)
        say("unlisted", "enforce", "another.sts.example")
        cls.host("testing.example", "misnamed.sts.example", 22)
        say("testing", "testing", "misnamed.sts.example")
        cls.host("testing-unlisted.example", "mx.sts.example", 21)
        say("testing-unlisted", "testing", "another.sts.example")
        cls.host("clear.example", "clear.sts.example", 25)
        say("clear", "enforce", "clear.sts.example")
        cls.host("none.example", "misnamed.sts.example", 22)
        say("none", "none")
        for domain in ("gone", "redirected", "odd", "html", "unsafe", "cut"):
            cls.host(domain + ".example", "misnamed.sts.example", 22)
        cls.policies.policies["mta-sts.redirected.example"] = (302, "text/plain", "https://mta-sts.right.example:%d/.well-known/mta-sts.txt" % cls.policies.port)
        say("cut", "enforce", "another.sts.example")
        cls.policies.cut.add("mta-sts.cut.example")
        cls.policies.policies["mta-sts.odd.example"] = "version: STSv1\nmode: enforce\n"
        cls.policies.policies["mta-sts.html.example"] = (200, "text/html", policy("enforce", "another.sts.example"))
        cls.host("kept.example", "misnamed.sts.example", 22)
        say("kept", "enforce", "misnamed.sts.example")
        cls.host("asked.example", "mx.asked.example", 26)
        say("asked", "testing", "mx.asked.example")
        cls.host("proven.example", "mx.sts.example", 21)
        cls.host("misproven.example", "misnamed.sts.example", 22)
        cls.host("must.example", "clear.sts.example", 25)
        cls.host("plain.example", "mx.sts.example", 21)

    def test_a_server_that_the_policy_names_and_that_proves_it_is_sent_the_mail(self):
        self.assertSent("right.example", 21, verified="sts", tlspolicy="sts", result="ok")
        self.assertSent("wildcard.example", 21, verified="sts", tlspolicy="sts", result="ok")
        self.assertIn(("mta-sts.right.example", "/.well-known/mta-sts.txt"), self.policies.asked)

    def test_a_certificate_for_another_name_keeps_the_mail(self):
        self.assertWaits("misnamed.example", ["MTA-STS policy of misnamed.example", "for another name"], tlspolicy="sts", result="certificate-host-mismatch")

    def test_the_sender_hears_after_the_second_attempt_which_policy_keeps_the_mail(self):
        self.assertWaits("told.example", ["MTA-STS policy of told.example"], tlspolicy="sts")
        notice = wait_until(lambda: bounces(self.martlet, "alice", "user@told.example"), lambda: "the notice\n" + self.martlet.log()[-1500:])[0]
        self.assertIn(b"Action: delayed\r\n", notice)
        self.assertIn(b"MTA-STS policy of told.example", notice.replace(b"\r\n", b" ").replace(b"  ", b" "))
        self.assertTrue(waiting(self.martlet, "user@told.example"), "it is still being tried")

    def test_a_certificate_that_has_expired_keeps_the_mail(self):
        self.assertWaits("expired.example", ["MTA-STS policy of expired.example", "has expired"], tlspolicy="sts", result="certificate-expired")

    def test_a_certificate_from_a_stranger_keeps_the_mail(self):
        self.assertWaits("untrusted.example", ["MTA-STS policy of untrusted.example", "nobody whom we trust"], tlspolicy="sts", result="certificate-not-trusted")

    def test_a_server_that_the_policy_does_not_name_is_not_used(self):
        self.assertWaits("unlisted.example", ["MTA-STS policy of unlisted.example does not name mx.sts.example"], tlspolicy="sts", result="validation-failure")

    def test_a_server_without_tls_keeps_the_mail(self):
        self.assertWaits("clear.example", ["MTA-STS policy of clear.example", "does not offer STARTTLS"], tlspolicy="sts", result="starttls-not-supported")

    def test_a_policy_in_testing_lets_the_mail_go_and_says_what_is_wrong(self):
        self.assertSent("testing.example", 22, verified="no", tlspolicy="sts", result="certificate-host-mismatch")
        self.assertSent("testing-unlisted.example", 21, verified="no", tlspolicy="sts", result="validation-failure")

    def test_the_policy_none_is_none(self):
        self.assertSent("none.example", 22, verified="no", tlspolicy="none", result="ok")

    def test_a_policy_that_cannot_be_had_lets_the_mail_go_and_is_written_down(self):
        for domain, result in (("gone", "sts-policy-fetch-error"), ("redirected", "sts-policy-fetch-error"), ("html", "sts-policy-fetch-error"),
                               ("cut", "sts-policy-fetch-error"),
                               ("odd", "sts-policy-invalid"), ("unsafe", "sts-webpki-invalid")):
            with self.subTest(domain):
                self.assertSent(domain + ".example", 22, verified="no", tlspolicy="sts", result=result)

    def test_a_policy_that_was_had_once_holds_while_a_newer_one_cannot_be_had_and_after_a_restart(self):
        self.assertWaits("kept.example", ["MTA-STS policy of kept.example"], tlspolicy="sts", result="certificate-host-mismatch")
        self.records[("_mta-sts.kept.example", TXT)] = [text("v=STSv1; id=2;")]
        del self.policies.policies["mta-sts.kept.example"]
        asked = lambda: self.policies.asked.count(("mta-sts.kept.example", "/.well-known/mta-sts.txt"))
        first = asked()
        self.martlet.mailctl("restart", "remoted")
        self.martlet.mailctl("queue", "retry")
        wait_until(lambda: asked() > first, lambda: "the newer policy asked for\n" + self.martlet.log()[-1500:])
        before = len(events(self.martlet, "remoted", "session"))
        self.martlet.mailctl("queue", "retry")
        again = wait_until(lambda: [e for e in events(self.martlet, "remoted", "session")[before:] if e["domain"] == "kept.example"], "another attempt")
        self.assertEqual((again[-1]["tlspolicy"], again[-1]["result"]), ("sts", "certificate-host-mismatch"))
        self.records[("_mta-sts.kept.example", TXT)] = []
        before = len(events(self.martlet, "remoted", "session"))
        self.martlet.mailctl("queue", "retry")
        again = wait_until(lambda: [e for e in events(self.martlet, "remoted", "session")[before:] if e["domain"] == "kept.example"], "another attempt")
        self.assertEqual((again[-1]["tlspolicy"], again[-1]["result"]), ("sts", "certificate-host-mismatch"))
        self.assertEqual(self.taken("user@kept.example"), [])

    def test_wishes_for_single_domains_are_kept(self):
        self.assertSent("proven.example", 21, verified="name", tlspolicy="fixed", result="ok")
        self.assertWaits("misproven.example", ["configuration", "for another name"], tlspolicy="fixed", result="certificate-host-mismatch")
        self.assertWaits("must.example", ["configuration", "does not offer STARTTLS"], tlspolicy="fixed", result="starttls-not-supported")
        self.assertSent("plain.example", 21, tls="none", verified="no", tlspolicy="fixed", result="ok")

    def test_who_requires_tls_is_served_where_a_policy_names_the_server(self):
        self.ask("asked.example")
        wait_until(lambda: sent(self.martlet, "user@asked.example"), lambda: "sent\n" + self.martlet.log()[-1500:])
        self.assertTrue(self.session("asked.example", verified="sts", result="ok"))


if __name__ == "__main__":
    unittest.main()
