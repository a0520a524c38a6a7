"""The laboratory's teeth: each sync of the programs is taken away in turn, and the laboratory must find loss or duplication.

nosync.c answers the sync with success and does nothing, in the recorded workload alone; the images are recovered by whole
programs. A sync whose absence nothing notices protects nothing that was promised here, or something that this laboratory
does not look at: the table says which.
"""
import os
import re
import struct

from power_images import Lab, Recording, judge_all
from power_mailboxes import MailboxRecording
from power_tree import IN_FLIGHT
from shims import compiled

LOG = r"[0-9]+\.log"
# name, program, call and object (as nosync.c describes them), the rule, what the sync protects
SYNCS = (
    ("mail-commit", "smtpd", r"fdatasync file .*/(smtpd|submission)/mail/" + LOG, "W4", "the accept record before 250"),
    ("mail-segment", "smtpd", r"fsync file .*/(smtpd|submission)/mail/\.new-", "W3", "header and tail of a new mail segment before its name"),
    ("mail-folder", "smtpd", r"fsync folder .*/(smtpd|submission)/mail$", "W3", "the name of a new mail segment before its first commit"),
    ("big-file", "smtpd", r"fsync file .*/mail/big/", "W5", "content above 128 KiB before its record"),
    ("big-folder", "smtpd", r"fsync folder .*/mail/big$", "W5", "the name of a big file before its record"),
    ("session-events", "smtpd", r"f(data)?sync (file|folder) .*/(smtpd|submission)/events", "W4", "what sessions say of themselves"),
    ("queue-commit", "queued", r"fdatasync file .*/queued/events/" + LOG, "O4, W4", "route and assign before an agent sees them; done before released"),
    ("queue-segment", "queued", r"fsync file .*/queued/events/\.new-", "W3", "the state block before its segment's name"),
    ("queue-folder", "queued", r"fsync folder .*/queued/events$", "W3", "the name of a new segment of the queue"),
    ("bounce-commit", "queued", r"fdatasync file .*/queued/mail/" + LOG, "O5, W4", "bounces and adopted drops before anything is said of them"),
    ("bounce-segment", "queued", r"fsync file .*/queued/mail/\.new-", "W3", "header and tail of a new segment"),
    ("bounce-folder", "queued", r"fsync folder .*/queued/mail$", "W3", "the name of a new segment"),
    ("drop-big", "queued", r"fsync file .*/queued/mail/big/", "W5", "content of an adopted drop above 128 KiB"),
    ("drop-big-folder", "queued", r"fsync folder .*/queued/mail/big$", "W5", "its name"),
    ("released", "queued", r"f(data)?sync (file|folder) .*/queued/released", "O6, W9", "ids that may be erased"),
    ("drop-folder", "queued", r"fsync folder .*/drop$", "O8", "the unlink of an adopted drop"),
    ("drop-file", "sendmail", r"fsync file .*/drop/new-", "drops", "a drop's content before its name"),
    ("drop-name", "sendmail", r"syncfs ", "drops", "a drop's name before exit 0"),
    ("stage-file", "locald", r"fsync file .*/\.stage/", "O2", "a staged copy's content"),
    ("stage-folder", "locald", r"fsync folder .*/\.stage$", "O2", "a staged copy's name before `staged`"),
    ("new-folder", "locald", r"fsync folder .*/new$", "O3", "the rename into new/ before `delivered`"),
    ("cur-folder", "locald", r"fsync folder .*/cur$", "O3", "a copy that recovery found in cur/, which its owner had moved"),
    ("store-domain", "locald", r"fsync folder .*/spool/mail$", "store", "the folder of a domain"),
    ("account-built", "locald", r"fsync folder .*/\.stage/\.account-", "store", "an account's folders before its name"),
    ("account-name", "locald", r"fsync folder .*/mail/example\.org$", "store", "a new account's name"),
    ("local-commit", "locald", r"fdatasync file .*/locald/events/" + LOG, "O1, W4", "`staged` before the rename; `delivered`"),
    ("local-segment", "locald", r"fsync file .*/locald/events/\.new-", "W3", "the state block"),
    ("local-folder", "locald", r"fsync folder .*/locald/events$", "W3", "the name of a new segment"),
    ("remote-commit", "remoted", r"fdatasync file .*/remoted/events/" + LOG, "W4", "`sent` and `failed`"),
    ("remote-segment", "remoted", r"fsync file .*/remoted/events/\.new-", "W3", "the state block"),
    ("remote-folder", "remoted", r"fsync folder .*/remoted/events$", "W3", "the name of a new segment"),
    ("append-file", "imapd", r"fsync file .*/tmp/", "store", "the content of APPEND and COPY before OK"),
    ("imap-cur", "imapd", r"fsync folder .*/cur$", "store", "names of APPEND, COPY, MOVE before OK; flags within a second"),
    ("imap-expunge", "imapd", r"fsync folder .*/martlet/expunged$", "store", "EXPUNGE before OK"),
    ("imap-state", "imapd", r"fsync file .*/martlet/\.tmp-", "store", "numbers and subscriptions before they are shown"),
    ("imap-folder", "imapd", r"fsync folder .*/martlet$", "store", "their name; the folder of expunged messages"),
    ("mailbox-built", "imapd", r"fsync folder .*/martlet/creating-[0-9]+$", "store", "a mailbox's folders before its name"),
    ("mailbox-name", "imapd", r"fsync folder .*/mail/example\.org/[^/]+$", "store", "CREATE, RENAME, DELETE before OK"),
    ("mailbox-deleted", "imapd", r"fsync folder .*/martlet/deleted$", "store", "what DELETE keeps, for the retention time"),
    ("pop3-expunge", "pop3d", r"fsync folder .*/martlet/expunged$", "store", "DELE before QUIT is answered"),
    ("pop3-hidden", "pop3d", r"fsync folder .*/martlet$", "store", "the folder of expunged messages"),
    ("client-events", "(imapd|pop3d)", r"f(data)?sync (file|folder) .*/(imapd|pop3d)/events", "W4", "what sessions say of themselves"),
    ("directory-data", "mailctl", r"f(data)?sync file .*/directory\.db", "directory", "a change and its journal before exit 0"),
    ("directory-folder", "mailctl", r"f(data)?sync folder .*/spool/directory$", "directory", "that the journal is gone"),
    ("snapshot-file", "mailctl", r"fsync file .*/directory/.*\.new-", "directory", "a snapshot before its name"),
    ("snapshot-folder", "mailctl", r"fsync folder .*/directory/.+$", "directory", "its name before exit 0"),
)
CLIENTS = ("imapd", "pop3d", "(imapd|pop3d)", "mailctl")
# Where to look, the likeliest first: separate disks lose what one journal would have brought along.
GROUNDS = (("posix", "one"), ("xfs", "two"), ("ext4", "two"), ("xfs", "one"), ("ext4", "one"))
# Numbers in the shared file of nosync.c, the count included.
NOTED = 4096
BITES = ("lost", "duplicated", "corrupt", "refused_delivered", "stray", "shelf")


BIG_SIZES = ((200, 3000), (132_000, 150_000), (132_000, 160_000))


class Tooth:
    """One sync away."""

    def __init__(self, name, program, what, rule, protects):
        self.name, self.program, self.rule, self.protects = name, program, rule, protects
        self.pattern = "^%s %s" % (program, what)

    def bites(self, row):
        found = [kind for kind in BITES if row.get(kind)]
        if row.get("remote_duplicates", 0) > IN_FLIGHT:
            found.append("remote_duplicates")
        # Mail that waits for ever is lost too; a file in drop/ that is no whole drop is not.
        if re.search(r"never: the queue empty\s*\[\{", row["problem"]):
            found.append("stuck")
        return found

    def lab(self, binaries):
        lab = Lab(binaries)
        self.count_path = lab.path("count")
        with open(self.count_path, "wb") as file:
            file.write(bytes(8 * NOTED))
        os.chmod(self.count_path, 0o666)
        shim = {"LD_PRELOAD": compiled("nosync.c", lab.folder), "MARTLET_LAB_NOSYNC": self.pattern, "MARTLET_LAB_COUNT": self.count_path}
        lab.shims = {program: shim for program in self.program.strip("()").split("|")}
        return lab

    def recording(self, *arguments):
        """A workload that asks for this sync often."""
        recording = (MailboxRecording if self.program in CLIENTS else Recording)(*arguments)
        recording.readers = recording.changes = 1
        if "big" in self.name:
            recording.sizes = BIG_SIZES
        if self.name.endswith("-segment"):
            # The next commit syncs the file: what counts is the time until then, and a header without what it promises.
            recording.ground.soon_only, recording.ground.tears = True, (1,)
        if "remote" in self.name:
            # Its neighbour hears nothing while it is away: what remoted has sent stands in its own log alone.
            recording.remote_share, recording.victims = 0.9, (["queued"], ["queued"], ["queued", "remoted"])
        if self.name == "drop-file":
            recording.ground.soon_only, recording.ground.tears = True, (0.5, 1)
        if "drop" in self.name:
            recording.ways = (6, 4, 8)
        return recording

    def left_out(self):
        """How often, and where in the order of the disks' entries."""
        with open(self.count_path, "r+b") as file:
            count, *orders = struct.unpack("=%dQ" % NOTED, file.read())
            file.seek(0)
            file.write(bytes(8 * NOTED))
        return count, orders[:count]


TEETH = [Tooth(*sync) for sync in SYNCS]


def try_tooth(tooth, binaries, grounds, seed, recordings, images, messages, workers):
    """Rows, one a ground, until one bites: what was found, in which image, after how many."""
    for kind, layout in grounds:
        lab = tooth.lab(binaries)
        row = {"sync": tooth.name, "rule": tooth.rule, "fs": kind, "layout": layout, "found": [], "seed": "", "images": 0, "stuck": 0, "left_out": 0}
        try:
            before = None
            for number in range(recordings + 4):
                if number >= recordings and row["left_out"]:
                    break
                begun_by = before if kind == "posix" and number % 2 else None
                recording = tooth.recording(lab, kind, layout, "%s-%s-%s-%s-%d" % (tooth.name, seed, kind, layout, number), messages, begun_by)
                if before:
                    before.remove()
                before = None
                try:
                    recording.run()
                except Exception as error:
                    row["stuck"] += 1
                    row["note"] = "workload: " + str(error).split("\n")[0]
                    recording.remove()
                    continue
                count, orders = tooth.left_out()
                row["left_out"] += count
                if count:
                    look(tooth, recording, orders, images, workers, row)
                before = recording
                if row["found"]:
                    break
        finally:
            lab.close()
        yield row
        if row["found"]:
            return


def look(tooth, recording, orders, images, workers, row):
    for result in judge_all(recording, images, workers, until=tooth.bites, near=orders):
        row["images"] += 1
        row["stuck"] += "never" in result["problem"]
        found = tooth.bites(result)
        if found:
            row.update(found=found, seed=result["seed"], note=re.sub(r"\s+", " ", result["problem"])[:200])
            return
