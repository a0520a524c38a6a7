"""The administrator at the queue: choosing, holding, returning and deleting, and what a trace tells."""
import glob
import json
import os
import poplib
import re
import ssl
import unittest

from martlet import PASSWORD, Martlet, wait_until
from servers import SMTPServer
from test_regressions import ByHand

SLOW = {"retry": {"initial": "1 h", "maximum": "1 h"}}
QUICK = {"retry": {"initial": "1 s", "maximum": "1 s"}}


class QueueCase(unittest.TestCase):
    """Each test has a tree of its own, with remote domains that no one answers for, and one whose server does as told."""
    settings = SLOW

    def setUp(self):
        self.replies = {}
        self.server = SMTPServer({"RCPT": lambda address: self.replies.get("RCPT", "250 ok")})
        self.here = Martlet(start=False, settings=self.settings)
        self.addCleanup(self.server.close)
        self.addCleanup(self.here.close)
        for name in ("dead", "gone"):
            self.here.mailctl("route", "add", name + ".example", "127.0.0.1:1")
        self.here.mailctl("route", "add", "told.example", "127.0.0.1:%d" % self.server.port)
        self.here.start()

    def json(self, *words):
        return json.loads(self.here.mailctl(*words, "--json").stdout)

    def submit(self, to, body="x\r\n", login="alice"):
        """Sends from an account of ours to anywhere; the id."""
        known = {m["id"] for m in self.here.queue()} | self.ids()
        self.here.send(to, body, sender=self.here.address(login), service="submission", login=login)
        return wait_until(lambda: next(iter(self.ids() - known), None), "an id for mail to %s" % to)

    def ids(self):
        return {line.split(" ")[1] for name in ("smtpd", "submission") for line in self.here.events(name) if line.startswith("accept ")}

    def copies(self, id):
        return next((m["recipients"] for m in self.here.queue() if m["id"] == id), [])

    def wait_for_state(self, id, *states):
        return wait_until(lambda: sorted(c["state"] for c in self.copies(id)) == sorted(states) and self.copies(id),
                          lambda: "%s %s: %s\n%s" % (id, states, self.copies(id), self.here.log()[-2000:]))

    def wait_for_reason(self, id):
        return wait_until(lambda: all(c["state"] == "waiting" and c["reason"] for c in self.copies(id)) and self.copies(id), "%s put off" % id)

    def wait_for_end(self, *ids):
        wait_until(lambda: not {m["id"] for m in self.here.queue()} & set(ids), lambda: "the end of %s\n%s" % (ids, self.here.log()[-3000:]))

    def audit(self):
        result = json.loads(self.here.mailctl("audit", "--json").stdout)
        return result

    def returned(self, name, words):
        return [m for m in self.here.messages(name) if b"MAILER-DAEMON" in m and words.encode() in m]


class Choosing(QueueCase):
    def test_each_criterion_chooses_and_all_must_hold(self):
        dead = self.submit("x@dead.example")
        gone = self.submit(["y@gone.example", "z@dead.example"], login="bob")
        self.replies["RCPT"] = "450 4.2.1 come back later, please"
        told = self.submit("w@told.example")
        for id in (dead, gone, told):
            self.wait_for_reason(id)

        def chosen(*words):
            return {m["id"] for m in self.json("queue", "list", *words)}
        self.assertEqual(chosen(), {dead, gone, told})
        self.assertEqual(chosen(dead), {dead})
        self.assertEqual(chosen("--from", "ALICE@example.org"), {dead, told})
        self.assertEqual(chosen("--from", "@example.org"), {dead, gone, told})
        self.assertEqual(chosen("--from", "<>"), set())
        self.assertEqual(chosen("--to", "z@dead.example"), {gone})
        self.assertEqual(chosen("--domain", "dead.example"), {dead, gone})
        self.assertEqual(chosen("--domain", "dead.example", "--from", "bob@example.org"), {gone})
        self.assertEqual(chosen("--reason", "COME BACK"), {told})
        self.assertEqual(chosen("--domain", "dead.example", "--reason", "come back"), set())
        self.assertEqual(chosen("--state", "waiting"), {dead, gone, told})
        self.assertEqual(chosen("--state", "held"), set())
        self.assertEqual(chosen("--older-than", "1h"), set())
        self.assertEqual(chosen("--newer-than", "1 h"), {dead, gone, told})
        for words, code in ((("list", "nonsense"), 64), (("list", "--older-than", "soon"), 64), (("list", "--state", "happy"), 64),
                            (("delete", "--yes"), 64), (("hold",), 64), (("delete", dead), 64), (("show", dead[:-1] + "z"), 66)):
            result = self.here.mailctl("queue", *words, check=False)
            self.assertEqual(result.returncode, code, "%s: %s%s" % (words, result.stdout, result.stderr))
        self.assertEqual(chosen(), {dead, gone, told})

        statistics = self.json("queue", "stats")
        self.assertEqual((statistics["messages"], statistics["copies"]), (3, 4))
        self.assertEqual({g["domain"]: g["copies"] for g in statistics["waiting"]}, {"dead.example": 2, "gone.example": 1, "told.example": 1})
        self.assertIn("come back later", next(g["reason"] for g in statistics["waiting"] if g["domain"] == "told.example"))
        self.assertEqual(sum(a["copies"] for a in statistics["ages"]), 4)
        text = self.here.mailctl("queue", "stats").stdout
        self.assertIn("told.example", text)
        self.assertRegex(text, r"# 4")

        shown = self.json("queue", "show", told)
        self.assertEqual(shown["message"]["id"], told)
        self.assertIn("temporary", [e["verb"] for e in shown["events"]])
        self.assertIn("come back later", self.here.mailctl("queue", "show", told).stdout)

    def test_the_content_is_printed_byte_by_byte(self):
        body = "".join("line %d\r\n" % n for n in range(40_000))
        small, big = self.submit("x@dead.example", "sm\r\nall\r\n"), self.submit("x@dead.example", body)
        self.assertTrue(self.here.mailctl("queue", "cat", small).stdout.endswith("\nsm\nall\n"))
        self.assertTrue(self.json("queue", "cat", big)["content"].endswith(body))
        path, = glob.glob(os.path.join(self.here.root, "spool", "submission", "mail", "big", "*"))
        with open(path, "r+b") as file:
            file.seek(1000)
            file.write(b"?")
        result = self.here.mailctl("queue", "cat", big, check=False)
        self.assertEqual((result.returncode, result.stdout), (74, ""))
        self.assertIn("not what was accepted", result.stderr)


class Orders(QueueCase):
    def test_a_hold_lasts_through_restarts_and_kills_until_it_is_released(self):
        id = self.submit("x@dead.example")
        self.wait_for_reason(id)
        self.assertEqual(self.json("queue", "hold", id, "--because", "looks strange")["ids"], [id])
        self.wait_for_state(id, "held")
        attempts = len([l for l in self.here.events("queued") if l.startswith("assign %s " % id)])
        for act in ("kill", "restart", "kill"):
            if act == "kill":
                pid = self.here.kill("queued")
                wait_until(lambda: self.here.status()["queued"]["pid"] not in (None, pid), "queued again")
            else:
                self.here.mailctl("restart", "queued")
            self.here.mailctl("queue", "flush")
            self.here.mailctl("queue", "retry", id)
            # It has heard both by the time that it has heard what was asked after them.
            other = self.submit("alice@example.org", "after %s\r\n" % act)
            self.wait_for_end(other)
            self.assertEqual([c["state"] for c in self.copies(id)], ["held"])
        message = next(m for m in self.here.queue() if m["id"] == id)
        self.assertEqual((message["order"], message["order_reason"]), ("hold", "looks strange"))
        self.assertIn("held by the administrator: looks strange", self.here.mailctl("queue", "list").stdout)
        self.assertEqual(len([l for l in self.here.events("queued") if l.startswith("assign %s " % id)]), attempts)
        self.here.mailctl("route", "remove", "dead.example")
        self.here.mailctl("route", "add", "dead.example", "127.0.0.1:%d" % self.server.port)
        self.here.mailctl("queue", "release", "--domain", "dead.example")
        self.wait_for_end(id)
        self.assertEqual(len(self.server.messages), 1)
        self.audit()

    def test_deleted_mail_ends_and_nobody_is_told(self):
        one, two, kept = self.submit("x@dead.example"), self.submit(["y@dead.example", "bob@example.org"]), self.submit("z@gone.example")
        for id in (one, kept):
            self.wait_for_reason(id)
        self.here.wait_for_mail("bob", 1)
        refused = self.here.mailctl("queue", "delete", "--domain", "dead.example", check=False)
        self.assertEqual(refused.returncode, 64)
        self.assertIn("2 messages would be deleted", refused.stdout)
        self.assertIn("--yes", refused.stderr)
        self.assertEqual(self.json("queue", "delete", "--domain", "dead.example", "--dry-run")["requested"], False)
        asked = self.json("queue", "delete", "--domain", "dead.example", "--yes", "--because", "spam run")
        self.assertEqual(sorted(asked["ids"]), sorted([one, two]))
        self.wait_for_end(one, two)
        self.assertEqual([m["id"] for m in self.here.queue()], [kept])
        line = self.here.wait_for_event("queued", "bounced " + one)
        self.assertIn("discarded:%20the%20administrator%20deleted%20it", line)
        self.assertIn("spam%20run", line)
        self.assertEqual(self.here.messages("alice"), [])
        self.audit()
        # A request that is heard once more says nothing.
        self.here.mailctl("restart", "queued")
        self.here.mailctl("queue", "flush")
        self.assertEqual([m["id"] for m in self.here.queue()], [kept])
        self.audit()

    def test_returned_mail_tells_its_sender_the_administrators_words(self):
        id = self.submit(["x@dead.example", "y@gone.example"])
        self.wait_for_reason(id)
        self.here.mailctl("queue", "bounce", id, "--yes", "--because", "this host left us for good")
        self.wait_for_end(id)
        bounce, = wait_until(lambda: self.returned("alice", "this host left us for good"), "the bounce")
        self.assertIn(b"5.7.1", bounce)
        for address in (b"x@dead.example", b"y@gone.example"):
            self.assertIn(address, bounce)
        self.audit()

    def test_what_waits_for_its_route_can_be_returned(self):
        self.here.mailctl("alias", "add", "loop@example.org", "bob@example.org")
        self.here.mailctl("stop", "queued")
        id = self.submit("loop")
        self.here.mailctl("alias", "remove", "loop@example.org")
        self.here.mailctl("alias", "add", "loop@example.org", "round@example.org")
        self.here.mailctl("alias", "add", "round@example.org", "loop@example.org")
        self.here.mailctl("start", "queued")
        self.here.wait_for_event("queued", "deferred ", "recipient=loop@example.org")
        self.here.mailctl("queue", "bounce", id, "--yes", "--because", "goes round")
        self.wait_for_end(id)
        wait_until(lambda: self.returned("alice", "goes round"), "the bounce")
        self.audit()


class WhileAssigned(QueueCase):
    """The agent is stopped, and has the copy: what was asked acts when it has answered."""
    settings = QUICK

    def assigned(self):
        self.here.mailctl("stop", "remoted")
        id = self.submit("w@told.example")
        self.wait_for_state(id, "assigned")
        return id

    def test_what_is_delivered_meanwhile_is_delivered(self):
        ids = []
        for command in ("delete", "bounce"):
            ids.append(self.assigned())
            result = self.here.mailctl("queue", command, ids[-1], "--yes")
            self.assertIn("1 copy is with an agent now", result.stdout)
        self.here.wait_for_event("queued", "ordered " + ids[-1])
        self.here.mailctl("start", "remoted")
        self.wait_for_end(*ids)
        self.assertEqual(len(self.server.messages), 2)
        self.assertEqual(self.here.messages("alice"), [])
        self.audit()

    def test_what_fails_for_now_ends_as_was_asked_also_after_a_kill(self):
        self.replies["RCPT"] = "450 4.2.1 come back later, please"
        ids = {}
        for command in ("delete", "bounce", "hold"):
            ids[command] = self.assigned()
            words = () if command == "hold" else ("--yes",)
            self.assertEqual(self.json("queue", command, ids[command], "--because", "enough", *words)["assigned"], 1)
            self.here.wait_for_event("queued", "ordered " + ids[command])
        pid = self.here.kill("queued")
        wait_until(lambda: self.here.status()["queued"]["pid"] not in (None, pid), "queued again")
        self.here.mailctl("start", "remoted")
        self.wait_for_end(ids["delete"], ids["bounce"])
        self.wait_for_state(ids["hold"], "held")
        wait_until(lambda: self.returned("alice", "enough"), "the bounce")
        self.assertEqual(len(self.returned("alice", "enough")), 1)
        self.assertEqual(self.server.messages, [])
        self.audit()


class Starts(QueueCase):
    def test_a_segment_has_one_block_however_its_start_is_killed(self):
        id = self.submit("x@dead.example")
        self.wait_for_reason(id)
        folder = os.path.join(self.here.root, "spool", "queued", "events")
        for fault in ["kill@%s:%d" % (act, number) for act in ("rename", "sync", "write") for number in range(1, 7)]:
            with ByHand(self.here, "queued", fault) as process:
                wait_until(lambda: process.poll() is not None or self.is_ready(folder, process), "dead, or begun, after " + fault)
            for path in glob.glob(folder + "/*.log"):
                with open(path, "rb") as segment:
                    self.assertLess(len(re.findall(rb"^state-end ", segment.read(), re.M)), 2, fault)
        self.here.mailctl("start", "queued")
        self.assertEqual([m["id"] for m in self.here.queue()], [id])

    def is_ready(self, folder, process):
        with open(max(glob.glob(folder + "/*.log")), "rb") as segment:
            return b"start - pid=%d " % process.pid in segment.read()


class Traces(QueueCase):
    settings = QUICK

    def texts(self, id):
        return [(f["program"], f["verb"], f["text"]) for f in self.json("trace", id)]

    def test_a_local_message(self):
        self.here.send("bob", "read me\r\n")
        self.here.wait_for_mail("bob", 1)
        id = next(iter(self.ids()))
        self.wait_for_end(id)
        pop = poplib.POP3("127.0.0.1", self.here.port("pop3"))
        pop.stls(ssl._create_unverified_context())
        pop.user("bob@example.org")
        pop.pass_(PASSWORD)
        pop.retr(1)
        pop.dele(1)
        pop.quit()
        self.here.wait_for_event("pop3d", "delete ")
        facts = self.texts(id)
        self.assertEqual([verb for _, verb, _ in facts if verb != "staged"], ["accept", "route", "assign", "delivered", "done", "fetch", "delete"])
        self.assertIn("accepted from <stranger@elsewhere.example> for bob@example.org", facts[0][2])
        self.assertIn("delivered to example.org/bob", " ".join(text for _, _, text in facts))
        self.assertRegex(facts[-2][2], r"^read by bob@example\.org, INBOX over pop3|^read by bob@example\.org.* over pop3")
        lines = self.here.mailctl("trace", id).stdout.splitlines()
        self.assertEqual(len(lines), len(facts))
        self.assertRegex(lines[0], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ  smtpd")

    def test_a_remote_message_and_its_attempts(self):
        self.replies["RCPT"] = "450 4.2.1 come back later, please"
        id = self.submit("w@told.example")
        self.here.wait_for_event("queued", "deferred " + id)
        self.replies["RCPT"] = "250 ok"
        self.wait_for_end(id)
        texts = [text for _, _, text in self.texts(id)]
        self.assertTrue(any("logged in as alice@example.org" in t for t in texts), texts)
        self.assertTrue(any("failed for now" in t and "come back later" in t for t in texts), texts)
        self.assertTrue(any("given to remoted" in t and "attempt 2" in t for t in texts), texts)
        self.assertTrue(any("sent to w@told.example" in t and "127.0.0.1" in t for t in texts), texts)
        self.assertEqual(texts[-1], "done: delivered:1,bounced:0")

    def test_a_bounce_is_told_with_its_message(self):
        self.replies["RCPT"] = "550 5.1.1 nobody has this name"
        id = self.submit("w@told.example")
        self.wait_for_end(id)
        wait_until(lambda: self.returned("alice", "nobody has this name"), "the bounce")
        child = re.search(r"target=(q\w{18})", self.here.wait_for_event("queued", "bounced " + id)).group(1)
        self.wait_for_end(child)
        wait_until(lambda: any(l.startswith("done " + child) for l in self.here.events("queued")), "its end")
        told = {name: self.json("trace", name) for name in (id, child)}
        self.assertEqual(told[id], told[child])
        self.assertEqual({f["id"] for f in told[id]}, {id, child})
        texts = [f["text"] for f in told[id]]
        self.assertTrue(any("the sender is told in " + child in t for t in texts), texts)
        self.assertTrue(any("a bounce about " + id in t for t in texts), texts)
        self.assertTrue(any("delivered to example.org/alice" in t for t in texts), texts)

    def test_an_order_is_told_and_what_is_unknown_is_said(self):
        id = self.submit("x@dead.example")
        self.here.mailctl("queue", "hold", id, "--because", "wait for me")
        self.here.wait_for_event("queued", "ordered " + id)
        texts = [text for _, _, text in self.texts(id)]
        self.assertTrue(any(t.startswith("the administrator asks: hold: wait for me") for t in texts), texts)
        self.assertTrue(any(t.startswith("the administrator's order: hold") for t in texts), texts)
        result = self.here.mailctl("trace", "s000000000000000001", check=False)
        self.assertEqual(result.returncode, 66)
        self.assertIn("nothing is known of", result.stderr)


class Moving(QueueCase):
    """Mail goes from one queue into another."""

    def setUp(self):
        super().setUp()
        self.there = Martlet(domain="other.example", accounts=("carol",), settings=SLOW)
        self.addCleanup(self.there.close)
        self.folder = os.path.join(self.here.root, "exported")
        os.mkdir(self.folder)

    def test_an_export_is_imported_with_its_envelope_and_not_twice(self):
        self.here.mailctl("route", "add", "other.example", "127.0.0.1:1")
        body = "".join("line %d\r\n" % n for n in range(40_000))
        small, big = self.submit(["carol@other.example", "bob@example.org"], "small\r\n"), self.submit("carol@other.example", body, login="bob")
        kept = self.submit("x@gone.example")
        for id in (big, kept):
            self.wait_for_reason(id)
        self.here.wait_for_mail("bob", 1)
        content = {id: self.json("queue", "cat", id)["content"].encode() for id in (small, big)}
        refused = self.here.mailctl("queue", "export", self.folder, "--domain", "other.example", "--delete", check=False)
        self.assertEqual((refused.returncode, os.listdir(self.folder)), (75, []))
        self.here.mailctl("queue", "hold", "--domain", "other.example")
        wait_until(lambda: all("held" in [c["state"] for c in self.copies(id)] for id in (small, big)), "both held")
        self.here.mailctl("queue", "export", self.folder, "--domain", "other.example", "--delete")
        self.assertEqual(sorted(os.listdir(self.folder)), sorted([small + ".mail", big + ".mail"]))
        self.wait_for_end(small, big)
        self.assertEqual([m["id"] for m in self.here.queue()], [kept])
        self.audit()

        files = [os.path.join(self.folder, name) for name in sorted(os.listdir(self.folder))]
        broken = os.path.join(self.folder, "broken")
        with open(files[0], "rb") as whole, open(broken, "wb") as half:
            half.write(whole.read()[:-1])
        result = self.there.mailctl("queue", "import", *files, broken, check=False)
        self.assertEqual(result.returncode, 65)
        self.assertEqual(self.there.files("carol"), [])
        self.assertEqual(sorted(json.loads(self.there.mailctl("queue", "import", *files, "--json").stdout)["imported"]), sorted([small, big]))
        got = self.there.wait_for_mail("carol", 2)
        for id, sender in ((small, b"alice@example.org"), (big, b"bob@example.org")):
            copy, = [m for m in got if m.endswith(content[id])]
            self.assertIn(b"Return-Path: <%s>" % sender, copy)
        again = json.loads(self.there.mailctl("queue", "import", *files, "--json").stdout)
        self.assertEqual((again["imported"], sorted(again["known"])), ([], sorted([small, big])))
        together = os.path.join(self.folder, "together")
        with open(together, "wb") as out:
            for file in files:
                with open(file, "rb") as part:
                    out.write(part.read())
        self.there.mailctl("queue", "import", together, "--again")
        self.there.wait_for_mail("carol", 4)
        self.there.mailctl("audit")

    def test_a_changed_route_is_shown_and_taken(self):
        dead, gone = self.submit("x@dead.example"), self.submit("y@gone.example")
        for id in (dead, gone):
            self.wait_for_reason(id)
        self.assertEqual(self.json("queue", "reroute", "--dry-run"), [])
        self.here.mailctl("route", "remove", "dead.example")
        self.here.mailctl("route", "add", "dead.example", "127.0.0.1:%d" % self.server.port)
        self.here.mailctl("restart", "queued")
        change, = self.json("queue", "reroute", "--dry-run")
        self.assertEqual((change["id"], change["recipient"]), (dead, "x@dead.example"))
        self.assertIn("127.0.0.1", change["before"])
        self.assertIn("%d" % self.server.port, change["now"])
        self.assertIn("→", self.here.mailctl("queue", "reroute", "--dry-run").stdout)
        self.assertEqual(self.server.messages, [])
        self.assertEqual(self.json("queue", "reroute")["ids"], [dead])
        self.wait_for_end(dead)
        self.assertEqual([m["id"] for m in self.here.queue()], [gone])
        self.assertEqual(len(self.server.messages), 1)


if __name__ == "__main__":
    unittest.main()
