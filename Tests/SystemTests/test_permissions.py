"""The disk of a running system against the table: owners, groups and modes, and what each service's own user can really open."""
import glob
import json
import os
import pwd
import smtplib
import unittest

import test_installed as installed
from martlet import BIN, PATIENCE, wait_until
from namespace import Inside, enter_a_system_of_its_own, run

SERVICES = ("smtpd", "submission", "queued", "locald", "remoted", "pop3d", "imapd")
PLACES = {"paths.spool": "/var/spool/martlet", "paths.store": "/var/spool/martlet/mail", "paths.cache": "/var/cache/martlet",
          "paths.directory": "/var/spool/martlet/directory", "--config": "/etc/martlet"}
# How the table shows a name → what to look for; one file of a kind stands for all.
PATTERNS = {"{new,cur,tmp}/<message>": "cur/*", "<segment>.log": "*.log", "<id>": "*", "<drop>": "*", "<message>": "*", "martlet/<state>": "martlet/state",
            "<selector>.<domain>.pem": "*.pem", "<account>": "*", "<service>.prom": "*.prom", "{martlet.toml,log-levels}": "*.toml"}
# Nobody makes the first yet; copies are on the stage for moments; queued has no big bounce here.
ABSENT = {"cache/imapd/<account>", "store/.stage/<message>", "spool/queued/mail/big/<id>", "spool/remoted/policies/<domain>"}


def check(*words, status=0):
    done = run(os.path.join(BIN, "mailctl"), "check", "--permissions", "--json", *words, check=False)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def found(row):
    """A path on the disk for a row of the table; None if there is none."""
    path, is_folder = row["path"].replace("<domain>/<user>", "example.org/ann"), row["kind"] == "folder"
    for shown, pattern in PATTERNS.items():
        if path.endswith(shown) and not is_folder:
            path = path[: -len(shown)] + pattern
            break
    paths = [p for p in sorted(glob.glob(os.path.join(PLACES[row["place"]], path))) if os.path.isdir(p) == is_folder]
    return next((p for p in paths if path.endswith("STORE-ID") or not p.endswith("STORE-ID")), None)


def table():
    """(name, real path, is a folder, readers, writers) of each row that is on the disk; the names of the others."""
    rows, absent = [], set()
    for row in json.loads(run(os.path.join(BIN, "mailctl"), "config", "tree", "--json").stdout):
        name, path = "%s/%s" % (row["place"].removeprefix("paths."), row["path"]), found(row)
        if path:
            rows.append((name, path, row["kind"] == "folder", members(row["readers"]), members(row["writers"])))
        else:
            absent.add(name)
    return rows, absent


def members(text):
    return set(SERVICES) if text == "anyone" else set() if text == "root" else set(text.split(", "))


def as_user(name, paths):
    """What the user of a service can do with each path, tried in a process with that user's ids and groups."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        user = pwd.getpwnam("martlet-" + name)
        os.initgroups(user.pw_name, user.pw_gid)
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
        pass_too = lambda is_folder: os.X_OK if is_folder else 0
        os.write(writer, json.dumps([[os.access(p, os.R_OK | pass_too(f)), os.access(p, os.W_OK | pass_too(f))] for p, f in paths]).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as answer:
        said = json.loads(answer.read())
    os.waitpid(child, 0)
    return said


def the_matrix(folder):
    enter_a_system_of_its_own(folder)
    # A careful administrator's shell, in which `init` and `run` make all the same what the services can use.
    os.umask(0o077)
    system = installed.Installation()
    os.umask(0o022)
    tls = system.bring_certificate()
    os.umask(0o077)
    run("install", "-m", "640", "-g", "martlet-dkim", "/dev/null", "/etc/martlet/dkim/s1.example.org.pem")
    with system.running():
        system.mailctl("relay-password", "set", "relay.example.net", "martlet", input="secret of another host\n")
        installed.exchange(system, tls)
        wait_until(lambda: len(glob.glob(os.path.join(PLACES["paths.spool"], "*/metrics/*.prom"))) == len(SERVICES), "the metrics of all services")
        system.mailctl("stop", "queued", "locald")
        for port in (25, 587):
            with smtplib.SMTP("localhost", port, timeout=PATIENCE) as client:
                if port == 587:
                    client.starttls(context=tls)
                    client.login(*installed.LOGIN)
                client.sendmail(installed.LOGIN[0], [installed.LOGIN[0]], "From: %s\r\nSubject: big\r\n\r\n" % installed.LOGIN[0] + "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 3000)
        run(os.path.join(BIN, "sendmail"), installed.LOGIN[0], input="Subject: waits\n\nx\n", user="nobody")
        found = check()
        assert found["differences"] == [] and found["unknown"] == [] and found["count"] > 60, found
        rows, absent = table()
        assert absent <= ABSENT and len(rows) > 60, absent
        wrong = []
        for service in SERVICES:
            for (name, path, _, readers, writers), (reads, writes) in zip(rows, as_user(service, [row[1:3] for row in rows])):
                if reads != (service in readers):
                    wrong.append("%s %s read %s (%s)" % (service, "can" if reads else "cannot", name, path))
                if writes != (service in writers):
                    wrong.append("%s %s write %s (%s)" % (service, "can" if writes else "cannot", name, path))
        assert not wrong, "\n".join(wrong)
        system.mailctl("start", "queued", "locald")
        wait_until(lambda: json.loads(system.mailctl("queue", "list", "--json").stdout) == [], "an empty queue")


def what_differs_is_found_and_mended(folder):
    enter_a_system_of_its_own(folder)
    system = installed.Installation()
    system.bring_certificate()
    spool = system.spool
    assert check()["differences"] == []
    outside = os.path.join(folder, "outside")
    os.mkdir(outside, 0o711)
    os.chmod(spool + "/smtpd/mail", 0o777)
    os.chown(spool + "/imapd/events", 0, 0)
    os.rmdir(spool + "/remoted/events")
    os.chmod("/etc/martlet/tls/key.pem", 0o644)
    os.chmod("/etc/martlet/martlet.toml", 0o600)
    os.rename(spool + "/submission/mail/big", spool + "/submission/mail/old")
    os.symlink(outside, spool + "/submission/mail/big")
    account = spool + "/mail/example.org/ann"
    os.makedirs(account + "/new")
    with open(account + "/new/1763683200.x", "w") as message:
        message.write("Subject: x\r\n\r\nx\r\n")
    os.link(account + "/new/1763683200.x", spool + "/second-name")
    os.chmod(account + "/new/1763683200.x", 0o666)
    wanted = {spool + "/smtpd/mail": "mode 0777 instead of 2750", spool + "/imapd/events": "owner root instead of martlet-imapd",
              spool + "/remoted/events": "missing", "/etc/martlet/tls/key.pem": "mode 0644 instead of 0640",
              "/etc/martlet/martlet.toml": "mode 0600 instead of 0644", spool + "/submission/mail/big": "a link",
              spool + "/submission/mail/old": "no file",
              spool + "/mail/example.org": "owner root", account: "owner root", account + "/new": "owner root",
              account + "/new/1763683200.x": "2 names"}
    said = {d["path"]: d for d in check(status=65)["differences"]}
    assert set(said) == set(wanted), (sorted(said), sorted(wanted))
    for path, words in wanted.items():
        assert words in said[path]["what"] and not said[path]["mended"], said[path]
    said = {d["path"]: d["mended"] for d in check("--fix", status=65)["differences"]}
    assert {path for path, mended in said.items() if not mended} == {
        spool + "/submission/mail/big", spool + "/submission/mail/old", account + "/new/1763683200.x"}, said
    assert os.stat(outside).st_mode & 0o777 == 0o711 and os.stat(outside).st_uid == 0
    assert os.stat(spool + "/second-name").st_mode & 0o777 == 0o666
    os.unlink(spool + "/second-name")
    os.unlink(spool + "/submission/mail/big")
    os.rename(spool + "/submission/mail/old", spool + "/submission/mail/big")
    assert [d["mended"] for d in check("--fix")["differences"]] == [True]
    assert check()["differences"] == []
    # Somebody else may look, and is told what that is worth.
    done = run(os.path.join(BIN, "mailctl"), "check", "--permissions", check=False, user="nobody", group="nogroup", extra_groups=[])
    assert done.returncode == 0 and "not known: " in done.stdout, done


@unittest.skipUnless(os.geteuid() == 0, "needs root, to make the services' users")
class PermissionTests(Inside, unittest.TestCase):
    maxDiff = None

    def test_each_service_opens_what_the_table_says_and_nothing_else(self):
        self.inside(the_matrix)

    def test_what_differs_is_found_and_mended_and_no_link_is_followed(self):
        self.inside(what_differs_is_found_and_mended)


if __name__ == "__main__":
    unittest.main()
