"""Logs of the spool, read and written anew with right checksums (docs/spool.md): for those who forge history on purpose.

    edit(root, "locald/events", lambda line: None if line.startswith("delivered s…") else line)
    insert(root, "locald/events", "delivered s… recipient=… final=…")
"""
import glob
import os
import re

TABLE = []
for _byte in range(256):
    for _ in range(8):
        _byte = _byte >> 1 ^ (0x82F63B78 if _byte & 1 else 0)
    TABLE.append(_byte)


def crc32c(data, value=0):
    value ^= 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def seal(text, seed=0):
    return b"%s #%08x\n" % (text, crc32c(text, seed))


def segments(root, log):
    """The paths of a log's segments, oldest first."""
    return sorted(glob.glob(os.path.join(root, "spool", log, "????????.log")))


class Segment:
    """A segment of a log without contents: its header, and its records as text without their checksums."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            head, *lines = file.read().rstrip(b"\0").split(b"\n")
        self.header = head.rsplit(b" #", 1)[0]
        epoch = int(re.search(rb"epoch=(\w+)", self.header).group(1), 16)
        self.seed = int(re.search(rb"salt=(\w+)", self.header).group(1), 16) ^ (epoch ^ epoch >> 32) & 0xFFFFFFFF
        assert seal(self.header) == head + b"\n", path
        self.records = []
        for line in lines:
            if line and seal(line.rsplit(b" #", 1)[0], self.seed) == line + b"\n":
                self.records.append(line.rsplit(b" #", 1)[0].decode())

    def write(self):
        """Commit lines say anew where they stand; the length that counts."""
        out = seal(self.header)
        for record in self.records:
            if record.startswith("commit "):
                record = "commit - upto=%d" % len(out)
            out += seal(record.encode(), self.seed)
        with open(self.path, "wb") as file:
            file.write(out)
        return len(out)


def edit(root, log, change):
    """Replaces each record by what `change` makes of it; None takes it away. The positions that state blocks name are not mended."""
    length, number = None, None
    for path in segments(root, log):
        segment = Segment(path)
        if length is not None:
            segment.header = re.sub(rb"after=%s sealed=\d+" % number, b"after=%s sealed=%d" % (number, length), segment.header)
        segment.records = [new for new in map(change, segment.records) if new is not None]
        length, number = segment.write(), os.path.basename(path)[:8].encode()


def insert(root, log, record):
    """Adds a record to the newest segment, before its last commit line."""
    segment = Segment(segments(root, log)[-1])
    last = max(i for i, r in enumerate(segment.records) if r.startswith("commit "))
    segment.records.insert(last, record)
    segment.write()
