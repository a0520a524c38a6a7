"""IMAP against the real imapd: ways in, mailboxes, messages, and what happens when something is missing."""
import base64
import hashlib
import hmac
import imaplib
import os
import poplib
import shutil
import socket
import unittest

from imapcase import IMAPCase
from martlet import PASSWORD, PATIENCE, wait_until
from readercase import WithoutStore, tls


class IMAPLogin(IMAPCase):
    def test_every_way_in_gives_a_session(self):
        self.deliver("seen by all\r\n")
        plain = lambda challenge: b"\0" + self.address.encode() + b"\0" + PASSWORD.encode()
        upgraded = self.client()
        self.ok(upgraded.starttls(tls()))
        self.assertNotIn("STARTTLS", upgraded.capabilities)
        direct = imaplib.IMAP4_SSL("127.0.0.1", self.martlet.port("imaps"), timeout=PATIENCE, ssl_context=tls())
        self.addCleanup(self.close, direct)
        exchanged = self.client()
        self.ok(exchanged.authenticate("PLAIN", plain))
        for client in (self.login(), self.login(upgraded), self.login(direct), exchanged):
            self.ok(client.select())
            self.assertEqual(self.texts(client), [b"seen by all\r\n"])
            self.assertEqual(client.logout()[0], "BYE")

    def test_scram_proves_the_password_without_sending_it(self):
        client = self.client()
        self.ok(client.authenticate("SCRAM-SHA-256", Scram(self.address, PASSWORD)))
        self.ok(client.select())

    def test_a_wrong_password_and_an_unknown_name_get_one_answer(self):
        client = self.client()
        answers = set()
        for name in (self.address, "nobody-here@example.org"):
            with self.assertRaises(imaplib.IMAP4.error) as caught:
                client.login(name, "wrong")
            answers.add(str(caught.exception))
        self.assertEqual(len(answers), 1)
        self.assertIn("[AUTHENTICATIONFAILED]", answers.pop())
        self.login(client)
        wait_until(lambda: [l for l in self.events() if " result=failed" in l and "authenticate" in l], "the failure in the event log")

    def test_commands_sent_ahead_reach_the_session(self):
        self.deliver("ahead\r\n")
        commands = ('a LOGIN %s "%s"\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[TEXT]\r\nd LOGOUT\r\n' % (self.address, PASSWORD)).encode()
        with socket.create_connection(("127.0.0.1", self.martlet.port("imap")), PATIENCE) as s:
            s.sendall(commands)
            clear = b"".join(iter(lambda: s.recv(65536), b""))
        with socket.create_connection(("127.0.0.1", self.martlet.port("imaps")), PATIENCE) as s:
            with tls().wrap_socket(s) as secure:
                secure.sendall(commands)
                encrypted = b"".join(iter(lambda: secure.recv(65536), b""))
        for answer in (clear, encrypted):
            self.assertIn(b"{7}\r\nahead\r\n)\r\nc OK", answer)
            self.assertTrue(answer.endswith(b"d OK LOGOUT completed\r\n"), answer)

    def test_what_is_sent_ahead_of_the_handshake_is_forgotten(self):
        s = socket.create_connection(("127.0.0.1", self.martlet.port("imap")), PATIENCE)
        self.addCleanup(s.close)
        lines = s.makefile("rb")
        lines.readline()
        s.sendall(b"a STARTTLS\r\nb LOGIN mallory x\r\n")
        self.assertTrue(lines.readline().startswith(b"a OK"))
        with tls().wrap_socket(s) as secure:
            secure.sendall(b"c LOGOUT\r\n")
            answer = b"".join(iter(lambda: secure.recv(65536), b""))
        self.assertNotIn(b"b ", answer)

    def test_a_directory_that_is_missing_is_temporary(self):
        snapshot = os.path.join(self.martlet.root, "spool", "directory", "credentials", "credentials.db")

        def attempt():
            client = self.client()
            try:
                client.login(self.address, PASSWORD)
                return "OK"
            except imaplib.IMAP4.error as error:
                return str(error)
        os.rename(snapshot, snapshot + ".away")
        try:
            answer = wait_until(lambda: (a := attempt()) != "OK" and a, "a login without the directory refused")
            self.assertIn("[UNAVAILABLE]", answer)
        finally:
            os.rename(snapshot + ".away", snapshot)
        wait_until(lambda: attempt() == "OK", "a login with the directory back")

    def test_a_session_survives_a_store_that_goes_and_comes_back(self):
        store = os.path.join(self.martlet.root, "spool", "mail")
        client = self.login()
        os.rename(store, store + ".away")
        try:
            self.no(client.select(), b"[UNAVAILABLE]")
            self.no(client.list(), b"[UNAVAILABLE]")
        finally:
            os.rename(store + ".away", store)
        self.ok(client.select())

    def test_no_password_reaches_a_log(self):
        self.login().logout()
        wait_until(lambda: any("logout" in l and self.user in l for l in self.events()), "the logout in the event log")
        text = "\n".join(self.events()) + self.martlet.log()
        for form in (PASSWORD, PASSWORD.replace(" ", "%20"), base64.b64encode(PASSWORD.encode()).decode()):
            self.assertNotIn(form, text)


class IMAPStore(WithoutStore, IMAPCase):
    temporary = "[UNAVAILABLE]"

    def attempt(self):
        try:
            client = self.client()
            client.login(self.address, PASSWORD)
            status, count = client.select()
            client.shutdown()
            return int(count[0]) if status == "OK" else count[0].decode()
        except (imaplib.IMAP4.error, OSError) as error:
            return str(error)


class IMAPRecent(IMAPCase):
    def recent(self, client):
        return int(client.response("RECENT")[1][0])

    def test_status_and_examine_leave_mail_recent_to_the_first_who_selects(self):
        self.deliver("new\r\n")
        asking = self.login()
        for _ in range(2):
            self.assertIn(b"RECENT 1", self.ok(asking.status("INBOX", "(RECENT)"))[0])
        self.append(asking, "INBOX", "Subject: x\r\n\r\n", "(\\Seen)")
        reading = self.login()
        self.ok(reading.select("INBOX", readonly=True))
        self.assertEqual(self.recent(reading), 2)
        first, second = self.login(mailbox="INBOX"), self.login(mailbox="INBOX")
        self.assertEqual((self.recent(first), self.recent(second)), (2, 0))
        self.assertIn(b"RECENT 0", self.ok(asking.status("INBOX", "(RECENT)"))[0])


class IMAPSizes(IMAPCase):
    def test_a_last_line_without_end_has_the_size_that_each_protocol_sends(self):
        client = self.login()
        self.append(client, "INBOX", "Subject: x\r\n\r\nappended")
        path = os.path.join(self.martlet.maildir(self.user), "new", "1.foreign.host")
        with open(path + ".tmp", "wb") as file:
            file.write(b"Subject: y\n\nforeign")
        owner = os.stat(os.path.dirname(path))
        os.chown(path + ".tmp", owner.st_uid, owner.st_gid)
        os.rename(path + ".tmp", path)
        self.ok(client.select())
        for number in (1, 2):
            size, content = self.ok(client.fetch(str(number), "(RFC822.SIZE BODY.PEEK[])"))[0]
            self.assertIn(b"RFC822.SIZE %d BODY[] {%d}" % (len(content), len(content)), size)
            self.assertFalse(content.endswith(b"\n"))
        maildrop = poplib.POP3("127.0.0.1", self.martlet.port("pop3"), timeout=PATIENCE)
        self.addCleanup(maildrop.close)
        maildrop.user(self.address)
        maildrop.pass_(PASSWORD)
        sent = [sum(len(line) + 2 for line in maildrop.retr(number)[1]) for number in (1, 2)]
        self.assertEqual([int(line.split()[1]) for line in maildrop.list()[1]], sent)
        self.assertEqual(maildrop.stat(), (2, sum(sent)))



class IMAPMailboxes(IMAPCase):
    def names(self, client, reference='""', pattern="*"):
        return [line.split(b' "." ')[1].decode() for line in self.ok(client.list(reference, pattern)) if line]

    def test_a_new_account_has_the_usual_mailboxes_and_keeps_them_deleted(self):
        client = self.login()
        self.assertEqual(self.names(client), ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"])
        self.assertIn(b'(\\HasNoChildren \\Junk) "." Junk', self.ok(client.list()))
        self.ok(client.delete("Junk"))
        client.logout()
        self.assertNotIn("Junk", self.names(self.login()))

    def test_mailboxes_are_made_renamed_and_deleted(self):
        client = self.login()
        self.ok(client.create("Work.2025"))
        self.append(client, "Work.2025", "Subject: a\r\n\r\nold plans\r\n")
        self.no(client.create("Work.2025"), b"[ALREADYEXISTS]")
        self.ok(client.create("Work.2025.May"))
        self.ok(client.rename("Work", "Done"))
        self.assertEqual(self.names(client, pattern="*2025*"), ["Done.2025", "Done.2025.May"])
        self.ok(client.select("Done.2025"))
        self.assertEqual(self.texts(client), [b"old plans\r\n"])
        self.ok(client.unselect())
        self.ok(client.delete("Done.2025"))
        self.no(client.select("Done.2025"), b"[NONEXISTENT]")
        self.no(client.append("Done.2025", "", None, b"Subject: b\r\n\r\n"), b"[TRYCREATE]")
        self.no(client.delete("INBOX"), b"[CANNOT]")

    def test_no_name_leaves_the_account(self):
        client = self.login()
        for name in ('"../../bob"', '"a/b"', '"a..b"', '".."', '"%s"' % ("x" * 300)):
            self.assertNotEqual(client.create(name)[0], "OK", name)
        self.assertEqual(len(self.names(client)), 6)

    def test_a_name_in_any_script_is_one_folder(self):
        client = self.login()
        self.ok(client.create("Entw&APw-rfe"))
        self.assertIn("Entw&APw-rfe", self.names(client))
        self.assertTrue(os.path.isdir(os.path.join(self.martlet.maildir(self.user), ".Entw&APw-rfe", "cur")))

    def test_subscriptions_stay(self):
        client = self.login()
        self.ok(client.create("List"))
        self.ok(client.subscribe("List"))
        self.ok(client.unsubscribe("Trash"))
        client.logout()
        lines = b"\n".join(self.ok(self.login().lsub()))
        self.assertIn(b'"." List', lines)
        self.assertNotIn(b"Trash", lines)

    def test_status_counts(self):
        client = self.login()
        for flags in ("", "\\Seen"):
            self.append(client, "Sent", "Subject: s\r\n\r\nx\r\n", flags)
        line = self.ok(client.status("Sent", "(MESSAGES UIDNEXT UNSEEN)"))[0]
        self.assertEqual(line, b"Sent (MESSAGES 2 UIDNEXT 3 UNSEEN 1)")


class IMAPMessages(IMAPCase):
    def test_a_message_comes_as_it_is_stored(self):
        self.deliver("one\r\n.\r\n..two\r\n\r\nend\r\n")
        client = self.login(mailbox="INBOX")
        stored = self.martlet.messages(self.user)[0]
        self.assertEqual(self.content(client, 1), stored)
        self.assertIn(b"RFC822.SIZE %d" % len(stored), self.ok(client.fetch("1", "RFC822.SIZE"))[0])
        head, body = stored.split(b"\r\n\r\n", 1)
        self.assertEqual(self.content(client, 1, "BODY.PEEK[HEADER]"), head + b"\r\n\r\n")
        self.assertEqual(self.content(client, 1, "BODY.PEEK[TEXT]"), body)
        self.assertEqual(self.content(client, 1, "BODY.PEEK[TEXT]<2.5>"), body[2:7])
        self.assertEqual(self.flags(client, 1), set())
        self.content(client, 1, "BODY[]")
        self.assertEqual(self.flags(client, 1), {b"\\Seen"})

    def test_a_big_message_comes_whole_in_clear_and_under_tls(self):
        self.deliver(("abcdefghij" * 7 + "\r\n") * 60_000)
        stored = self.martlet.messages(self.user)[0]
        self.assertGreater(len(stored), 4_000_000)
        for secure in (False, True):
            client = self.client()
            if secure:
                client.starttls(tls())
            self.login(client, "INBOX")
            self.assertEqual(self.content(client, 1), stored)
            self.assertIn(b'"text" "plain"', self.ok(client.fetch("1", "BODYSTRUCTURE"))[0])

    def test_files_of_other_software_are_messages_with_crlf(self):
        client = self.login(mailbox="INBOX")
        path = os.path.join(self.martlet.maildir(self.user), "cur", "1700000000.M1P2.elsewhere:2,S")
        with open(path, "wb") as file:
            file.write(b"Subject: unix\n\nline\n")
        shutil.chown(path, *(os.stat(os.path.dirname(path)))[4:6])
        self.ok(client.noop())
        self.assertEqual(self.content(client, 1), b"Subject: unix\r\n\r\nline\r\n")
        self.assertIn(b"RFC822.SIZE 23", self.ok(client.fetch("1", "RFC822.SIZE"))[0])
        self.assertEqual(self.flags(client, 1), {b"\\Seen"})

    def test_flags_and_keywords_stay_when_all_is_started_again(self):
        client = self.login()
        for number in range(3):
            self.append(client, "INBOX", "Subject: %d\r\n\r\nx\r\n" % number, "(\\Draft)" if number == 2 else "")
        self.ok(client.select())
        self.ok(client.store("1:2", "+FLAGS", "(\\Flagged $Forwarded Project-X)"))
        self.ok(client.store("2", "-FLAGS", "(\\Flagged)"))
        self.ok(client.store("3", "FLAGS", "(\\Answered)"))
        before = [self.flags(client, n) for n in (1, 2, 3)]
        self.assertEqual(before, [{b"\\Flagged", b"$Forwarded", b"Project-X"}, {b"$Forwarded", b"Project-X"}, {b"\\Answered"}])
        uids = self.uids(client, "ALL")
        validity = client.untagged_responses["UIDVALIDITY"]
        self.martlet.stop()
        self.martlet.start()
        client = self.login(mailbox="INBOX")
        self.assertEqual([self.flags(client, n) for n in (1, 2, 3)], before)
        self.assertEqual(self.uids(client, "ALL"), uids)
        self.assertEqual(client.untagged_responses["UIDVALIDITY"], validity)

    def test_append_keeps_bytes_flags_and_date(self):
        client = self.login()
        text = "Subject: kept\r\n\r\n" + "0123456789\r\n" * 20_000
        uid = self.append(client, "Sent", text, "(\\Seen $Label1)", '"07-Feb-1994 21:52:25 -0800"')
        self.ok(client.select("Sent"))
        self.assertEqual(self.uids(client, "ALL"), [uid])
        self.assertEqual(self.content(client, 1), text.encode())
        self.assertEqual(self.flags(client, 1), {b"\\Seen", b"$Label1"})
        self.assertIn(b'" 8-Feb-1994 05:52:25 +0000"', self.ok(client.fetch("1", "INTERNALDATE"))[0])

    def test_copies_and_moves_tell_where_they_went(self):
        client = self.login()
        for word in ("one", "two", "three"):
            self.append(client, "INBOX", "Subject: x\r\n\r\n%s\r\n" % word, "(\\Flagged Blue)")
        self.ok(client.select())
        self.assertIn(b"[COPYUID", self.ok(client.copy("1:2", "Archive"))[0])
        self.ok(client.uid("MOVE", "3", "Archive"))
        self.assertIn("COPYUID", client.untagged_responses.get("OK", [b""])[0].decode() + str(client.untagged_responses))
        self.assertEqual(self.uids(client, "ALL"), [1, 2])
        self.ok(client.select("Archive"))
        self.assertEqual(self.texts(client), [b"one\r\n", b"two\r\n", b"three\r\n"])
        self.assertEqual(self.flags(client, 3), {b"\\Flagged", b"Blue"})
        self.no(client.copy("1", "Nowhere"), b"[TRYCREATE]")

    def test_expunge_takes_what_is_deleted_and_nothing_else(self):
        client = self.login()
        for number in range(4):
            self.append(client, "INBOX", "Subject: x\r\n\r\n%d\r\n" % number)
        self.ok(client.select())
        self.ok(client.store("2,3", "+FLAGS", "(\\Deleted)"))
        self.ok(client.uid("EXPUNGE", "3"))
        self.assertEqual(self.texts(client), [b"0\r\n", b"1\r\n", b"3\r\n"])
        self.ok(client.expunge())
        self.assertEqual(self.texts(client), [b"0\r\n", b"3\r\n"])
        hidden = os.path.join(self.martlet.maildir(self.user), "martlet", "expunged")
        self.assertEqual(len(os.listdir(hidden)), 2)
        self.ok(client.store("1", "+FLAGS", "(\\Deleted)"))
        self.ok(client.close())
        self.ok(client.select())
        self.assertEqual(self.texts(client), [b"3\r\n"])

    def test_an_examined_mailbox_is_not_changed(self):
        self.append(self.login(), "INBOX", "Subject: x\r\n\r\nx\r\n")
        client = self.login()
        self.ok(client.select(readonly=True))
        self.content(client, 1, "BODY[]")
        self.assertEqual(self.flags(client, 1), set())
        self.assertEqual(client._simple_command("STORE", "1", "+FLAGS", "(\\Seen)")[0], "NO")

    def test_search_finds_by_header_text_size_and_flags(self):
        client = self.login()
        self.append(client, "INBOX", "From: ann@example.net\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nno plain words\r\n", "\\Seen")
        self.append(client, "INBOX", "From: ben@example.net\r\nSubject: plan\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n"
                    % base64.b64encode(b"the secret garden").decode())
        self.append(client, "INBOX", "From: ann@example.net\r\n\r\n" + "long\r\n" * 1000, "", '"07-Feb-1994 21:52:25 -0800"')
        self.ok(client.select())
        for criteria, found in ((("FROM", "ann"), [1, 3]), (("UNSEEN",), [2, 3]), (("BODY", "GARDEN"), [2]), (("LARGER", "3000"), [3]),
                                (("OR", "SEEN", "BODY", "garden"), [1, 2]), (("BEFORE", "1-Jan-2000"), [3]), (("NOT", "FROM", "ann"), [2])):
            self.assertEqual(self.uids(client, *criteria), found, criteria)
        client.literal = "grüße".encode()
        self.assertEqual(self.ok(client.search("UTF-8", "SUBJECT"))[0], b"1")

    def test_what_happened_is_in_the_event_log(self):
        client = self.login()
        self.append(client, "INBOX", "Subject: private matter\r\n\r\nx\r\n")
        self.ok(client.select())
        self.content(client, 1)
        self.ok(client.copy("1", "Archive"))
        self.ok(client.uid("MOVE", "1", "Trash"))
        self.ok(client.select("Trash"))
        self.ok(client.store("1", "+FLAGS", "(\\Deleted)"))
        self.ok(client.expunge())
        client.logout()
        mine = lambda: [l for l in self.events() if "account=" + self.address in l]
        wait_until(lambda: any(l.startswith("disconnect") for l in mine()), "the end of the session in the event log")
        self.assertEqual([l.split()[0] for l in mine()],
                         ["authenticate", "login", "append", "fetch", "copy", "move", "delete", "logout", "disconnect"])
        self.assertNotIn("private", "\n".join(self.events()))


class Scram:
    """A client's side of SCRAM-SHA-256 (RFC 7677)."""

    def __init__(self, user, password):
        self.first = b"n=%s,r=nonce-of-a-test" % user.encode()
        self.password = password.encode()
        self.step = 0

    def __call__(self, challenge):
        self.step += 1
        if self.step == 1:
            return b"n,," + self.first
        if self.step == 3:
            return b""
        facts = dict(part.split(b"=", 1) for part in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(facts[b"s"]), int(facts[b"i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        final = b"c=biws,r=" + facts[b"r"]
        signature = hmac.digest(hashlib.sha256(key).digest(), b",".join((self.first, challenge, final)), "sha256")
        return final + b",p=" + base64.b64encode(bytes(a ^ b for a, b in zip(key, signature)))


if __name__ == "__main__":
    unittest.main()
