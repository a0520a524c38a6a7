"""POP3 against the real pop3d: both ports, both ways to TLS, what stays and what goes, and what happens when something is missing."""
import base64
import os
import poplib
import signal
import socket
import unittest

from martlet import PASSWORD, PATIENCE, wait_until
from readercase import ReaderCase, WithoutStore, front_of, has_ended, tls

poplib._MAXLINE = 1 << 20


class POP3Case(ReaderCase):
    service = "pop3d"

    def client(self):
        return poplib.POP3("127.0.0.1", self.martlet.port("pop3"), timeout=PATIENCE)

    def login(self, client=None, password=PASSWORD):
        client = client or self.client()
        client.user(self.address)
        client.pass_(password)
        self.addCleanup(client.close)
        return client

    def login_again(self):
        """Logs in as soon as the session before has let go of the maildrop."""
        def attempt():
            try:
                return self.login()
            except poplib.error_proto as error:
                self.assertIn(b"[IN-USE]", error.args[0])
        return wait_until(attempt, "the maildrop free")

    def raw(self):
        s = socket.create_connection(("127.0.0.1", self.martlet.port("pop3")), PATIENCE)
        self.addCleanup(s.close)
        return s, s.makefile("rb")

    def stored(self):
        return {b"".join(m.split(b"\r\n\r\n", 1)[1:]): m for m in self.martlet.messages(self.user)}

    def retrieve(self, client, number):
        return b"\r\n".join(client.retr(number)[1]) + b"\r\n"

    def refused(self, call, *arguments):
        with self.assertRaises(poplib.error_proto) as caught:
            call(*arguments)
        return caught.exception.args[0]


class POP3(POP3Case):
    def test_an_account_without_mail_is_empty(self):
        self.assertEqual(self.login().stat(), (0, 0))

    def test_a_message_comes_as_it_is_stored(self):
        body = "one\r\n.\r\n..two\r\n.three\r\n\r\nend\r\n"
        self.deliver(body)
        client = self.login()
        stored = self.martlet.messages(self.user)[0]
        self.assertEqual(client.stat(), (1, len(stored)))
        self.assertEqual(self.retrieve(client, 1), stored)
        self.assertTrue(stored.endswith(body.encode()))

    def test_a_big_message_comes_whole_in_clear_and_under_tls(self):
        line = "abcdefghij" * 7 + "\r\n.dots\r\n"
        self.deliver(line * 60_000)
        stored = self.martlet.messages(self.user)[0]
        self.assertGreater(len(stored), 4_000_000)
        for secure in (False, True):
            client = self.client()
            if secure:
                client.stls(tls())
            self.login(client)
            self.assertEqual(self.retrieve(client, 1), stored)
            client.quit()

    def test_top_gives_the_header_and_so_many_lines(self):
        self.deliver("first\r\nsecond\r\nthird\r\n")
        lines = self.login().top(1, 2)[1]
        self.assertEqual(lines[-2:], [b"first", b"second"])
        self.assertIn(b"Subject: test", lines)

    def test_stls_and_implicit_tls_give_a_session(self):
        self.deliver("seen twice\r\n")
        upgraded = self.client()
        upgraded.stls(tls())
        self.assertNotIn("STLS", upgraded.capa())
        self.assertIn(b"seen twice", self.retrieve(self.login(upgraded), 1))
        upgraded.quit()
        direct = poplib.POP3_SSL("127.0.0.1", self.martlet.port("pop3s"), timeout=PATIENCE, context=tls())
        self.assertIn(b"seen twice", self.retrieve(self.login(direct), 1))
        direct.quit()

    def test_commands_sent_ahead_reach_the_session(self):
        self.deliver("ahead\r\n")
        commands = "USER %s\r\nPASS %s\r\nSTAT\r\nRETR 1\r\nQUIT\r\n" % (self.address, PASSWORD)
        s, _ = self.raw()
        s.sendall(commands.encode())
        clear = b"".join(iter(lambda: s.recv(65536), b""))
        with socket.create_connection(("127.0.0.1", self.martlet.port("pop3s")), PATIENCE) as plain:
            with tls().wrap_socket(plain) as secure:
                secure.sendall(commands.encode())
                encrypted = b"".join(iter(lambda: secure.recv(65536), b""))
        self.assertEqual(clear, encrypted)
        self.assertIn(b"\r\n\r\nahead\r\n.\r\n+OK bye\r\n", clear)

    def test_what_is_sent_ahead_of_the_handshake_is_forgotten(self):
        s, lines = self.raw()
        lines.readline()
        s.sendall(b"STLS\r\nUSER mallory@example.org\r\n")
        self.assertEqual(lines.readline(), b"+OK begin TLS now\r\n")
        with tls().wrap_socket(s) as secure:
            secure.sendall(b"PASS x\r\nQUIT\r\n")
            answer = b"".join(iter(lambda: secure.recv(65536), b""))
        self.assertEqual(answer, b"-ERR send USER first\r\n+OK bye\r\n")

    def test_auth_plain_with_and_without_an_initial_response(self):
        message = base64.b64encode(b"\0" + self.address.encode() + b"\0" + PASSWORD.encode())
        for parts in ((b"AUTH PLAIN " + message,), (b"AUTH PLAIN", message)):
            s, lines = self.raw()
            lines.readline()
            for part in parts[:-1]:
                s.sendall(part + b"\r\n")
                self.assertEqual(lines.readline(), b"+ \r\n")
            s.sendall(parts[-1] + b"\r\n")
            self.assertEqual(lines.readline(), b"+OK maildrop has 0 messages\r\n")
            s.sendall(b"QUIT\r\n")
            self.assertEqual(lines.read(), b"+OK bye\r\n")

    def test_a_cancelled_exchange_leaves_the_connection_usable(self):
        s, lines = self.raw()
        lines.readline()
        s.sendall(b"AUTH PLAIN\r\n")
        self.assertEqual(lines.readline(), b"+ \r\n")
        s.sendall(b"*\r\n")
        self.assertEqual(lines.readline(), b"-ERR cancelled\r\n")
        s.sendall(b"USER %s\r\nPASS %s\r\n" % (self.address.encode(), PASSWORD.encode()))
        self.assertTrue(lines.readline().startswith(b"+OK"))
        self.assertEqual(lines.readline(), b"+OK maildrop has 0 messages\r\n")

    def test_unique_ids_stay_and_are_the_names_on_disk(self):
        self.deliver("a\r\n", "b\r\n", "c\r\n")
        first = self.login()
        listed = [line.split()[1] for line in first.uidl()[1]]
        first.quit()
        self.assertEqual([line.split()[1] for line in self.login_again().uidl()[1]], listed)
        self.assertEqual(sorted(listed), sorted(os.path.basename(f).split(",")[0].encode() for f in self.martlet.files(self.user)))

    def test_quit_removes_what_was_deleted_and_nothing_else(self):
        self.deliver("keep 1\r\n", "drop\r\n", "keep 2\r\n")
        client = self.login()
        for number in (1, 2, 3):
            if b"drop" in self.retrieve(client, number):
                client.dele(number)
        self.assertEqual(client.quit(), b"+OK 1 message deleted, bye")
        self.assertEqual(sorted(self.stored()), [b"keep 1\r\n", b"keep 2\r\n"])
        hidden = os.path.join(self.martlet.maildir(self.user), "martlet", "expunged")
        self.assertEqual(len(os.listdir(hidden)), 1)
        self.assertEqual(self.login_again().stat()[0], 2)

    def test_without_quit_nothing_is_removed(self):
        self.deliver("stays\r\n")
        client = self.login()
        client.dele(1)
        client.close()
        self.assertEqual(self.login_again().stat()[0], 1)

    def test_a_second_session_is_refused_until_the_first_ends(self):
        first = self.login()
        second = self.client()
        second.user(self.address)
        self.assertIn(b"-ERR [IN-USE]", self.refused(second.pass_, PASSWORD))
        first.quit()
        self.login_again().quit()

    def test_a_wrong_password_and_an_unknown_name_get_one_answer_and_the_third_ends_it(self):
        client = self.client()
        answers = []
        for name in (self.user, "nobody-here", self.user):
            client.user(self.martlet.address(name))
            answers.append(self.refused(client.pass_, "wrong"))
        self.assertEqual(set(answers), {b"-ERR [AUTH] wrong name or password"})
        self.assertEqual(client.file.read(), b"")
        failed = lambda: [l for l in self.events() if " result=failed" in l and "authenticate" in l]
        self.assertTrue(wait_until(failed, "the failure in the event log"))

    def test_a_directory_that_is_missing_is_temporary(self):
        snapshot = os.path.join(self.martlet.root, "spool", "directory", "credentials", "credentials.db")
        os.rename(snapshot, snapshot + ".away")
        try:
            def unavailable():
                client = self.client()
                client.user(self.address)
                try:
                    client.pass_(PASSWORD)
                except poplib.error_proto as error:
                    return error.args[0]
                finally:
                    client.close()
            answer = wait_until(unavailable, "a login without the directory refused")
            self.assertTrue(answer.startswith(b"-ERR [SYS/TEMP]"), answer)
        finally:
            os.rename(snapshot + ".away", snapshot)

        def available():
            try:
                return self.login()
            except poplib.error_proto:
                return None
        wait_until(available, "a login with the directory back").quit()

    def test_a_file_that_cannot_be_read_keeps_nobody_from_the_others(self):
        self.deliver("one\r\n", "two\r\n")
        impossible = os.path.join(self.martlet.maildir(self.user), "new", "1.huge.host")
        with open(impossible, "wb") as file:
            file.truncate(1 << 40)
        client = self.login()
        self.assertEqual(client.stat()[0], 2)
        kept = self.retrieve(client, 2)
        client.dele(1)
        client.quit()
        self.martlet.wait_for_event("pop3d", "problem", self.address, "1%20messages%20cannot%20be%20read")
        os.unlink(impossible)
        self.assertEqual(list(self.stored().values()), [kept])

    def test_no_password_reaches_a_log(self):
        client = self.login(password=PASSWORD)
        client.quit()
        wait_until(lambda: any("logout" in l and self.user in l for l in self.events()), "the logout in the event log")
        text = "\n".join(self.events()) + self.martlet.log()
        for form in (PASSWORD, PASSWORD.replace(" ", "%20"), base64.b64encode(PASSWORD.encode()).decode()):
            self.assertNotIn(form, text)

    def test_what_happened_is_in_the_event_log(self):
        self.deliver("remembered\r\n")
        client = self.login()
        client.retr(1)
        client.dele(1)
        client.quit()
        address = self.address
        mine = lambda: [l.split()[0] for l in self.events() if "account=" + address in l]
        wait_until(lambda: "disconnect" in mine(), "the end of the session in the event log")
        self.assertEqual(mine(), ["authenticate", "login", "fetch", "delete", "logout", "disconnect"])


class POP3Store(WithoutStore, POP3Case):
    temporary = "-ERR [SYS/TEMP]"

    def attempt(self):
        try:
            client = self.client()
            self.addCleanup(client.close)
            client.user(self.address)
            client.pass_(PASSWORD)
            count = client.stat()[0]
            client.quit()
            return count
        except (poplib.error_proto, OSError, EOFError) as error:
            return str(error)


class POP3Ends(POP3Case):
    def test_a_stop_in_a_session_completes_the_reply_and_removes_nothing(self):
        self.deliver("word " * 100 + "\r\n" + ("x" * 76 + "\r\n") * 50_000)
        stored = self.martlet.messages(self.user)[0]
        for secure in (False, True):
            client = self.client()
            if secure:
                client.stls(tls())
            self.login(client)
            client.dele(1)
            client.rset()
            client._putcmd("RETR 1")
            client._getresp()
            exits = len(self.exits())
            self.martlet.kill("pop3d", signal.SIGTERM)
            lines = []
            while (line := client.file.readline()) != b".\r\n":
                self.assertTrue(line, "the reply was cut")
                lines.append(line[1:] if line.startswith(b"..") else line)
            self.assertEqual(b"".join(lines), stored)
            self.assertEqual(client.file.read(), b"")
            client.close()
            wait_until(lambda: len(self.exits()) > exits, "the end of pop3d")
            self.assertIn("code=0", self.exits()[-1])
        self.login_again().quit()

    def test_a_front_that_dies_is_replaced(self):
        pid = self.martlet.pid("pop3d")
        exits = len(self.exits())
        os.kill(front_of(pid), signal.SIGKILL)
        wait_until(lambda: len(self.exits()) > exits, "the end of the session process")
        self.login_again().quit()

    def test_a_session_process_that_dies_takes_its_front_along(self):
        pid = self.martlet.pid("pop3d")
        front = front_of(pid)
        client = self.client()
        client.stls(tls())
        self.login(client)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: has_ended(front), "the end of the front")
        with self.assertRaises((poplib.error_proto, OSError)):
            client.noop()
        self.login_again().quit()

    def test_the_front_holds_no_mailbox_and_no_log(self):
        self.login()
        pid = self.martlet.pid("pop3d")
        front = front_of(pid)
        held = [os.readlink("/proc/%d/fd/%s" % (front, n)) for n in os.listdir("/proc/%d/fd" % front)]
        self.assertEqual([name for name in held if "/spool/" in name], [])


class POP3Limits(POP3Case):
    settings = {"auth": {"failure_delay": "100 ms", "allow_plaintext": "never"},
                "limits": {"connections_per_address": 3, "pop3_idle_timeout": "2 s"}}

    def test_a_password_in_clear_is_refused(self):
        client = self.client()
        self.assertNotIn("USER", client.capa())
        self.assertIn(b"-ERR use STLS first", self.refused(client.user, self.address))
        client.stls(tls())
        self.assertIn("USER", client.capa())
        self.login(client).quit()

    def test_one_address_has_only_so_many_connections(self):
        clients = []
        try:
            def refusal():
                s, lines = self.raw()
                clients.append(s)
                line = lines.readline()
                return line if line.startswith(b"-ERR") else None
            self.assertEqual(wait_until(refusal, "a refusal"), b"-ERR [SYS/TEMP] too many connections\r\n")
        finally:
            for s in clients:
                s.close()

    def test_a_silent_client_is_dropped_without_a_word(self):
        s, lines = self.raw()
        self.assertTrue(lines.readline().startswith(b"+OK"))
        self.assertEqual(lines.read(), b"")
        client = self.client()
        client.stls(tls())
        self.login(client)
        self.assertEqual(client.file.read(), b"")


if __name__ == "__main__":
    unittest.main()
