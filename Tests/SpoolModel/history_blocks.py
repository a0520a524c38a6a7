"""What queued knows: the newest state block and the records behind it, and where it reads on in the logs it follows.

A position is (segment number, index).  Positions stay true because segments are only ever added at the end, dropped
at the beginning, and never appended to by another process than the one that began them.
"""
from typing import NamedTuple

from log import Segment, segments

BEGINNING = (1, 0)


class Block(NamedTuple):
    """A whole state: a start needs this and what follows it, nothing older."""
    open: tuple = ()                # (message, was it delivered?) of each message not done
    done: tuple = ()                # what is done although its accept may be read again
    covered: tuple = ()             # bounces of open messages: their recipients have failed for good
    accepts: tuple = BEGINNING      # cursor into smtpd's mail log
    children: tuple = BEGINNING     # cursor into queued's own mail log
    results: tuple = BEGINNING      # cursor into locald's events log


class Known(NamedTuple):
    block: Block
    open: dict                      # message: was it delivered, as the block says?
    done: set


def known(log, only_committed, needs_commit_to_start=False):
    """What the newest segment with a usable block says; None when there is none."""
    for segment in reversed(log):
        reads = segment.commit if only_committed or needs_commit_to_start else len(segment.records)
        if reads == 0 or segment.records[0][0] != 'state':
            continue
        records = segment.records[:segment.commit if only_committed else len(segment.records)]
        block = records[0][1]
        opened, done = dict(block.open), set(block.done)
        for kind, message in records[1:]:
            if kind == 'assign':
                opened.setdefault(message, False)
            else:
                opened.pop(message, None)
                done.add(message)
        return Known(block, opened, done)
    return None


def positioned(log):
    """Each committed record with its position."""
    for segment, count in segments(log):
        for index, record in enumerate(segment.records[:count]):
            yield (segment.number, index), record


def read_from(log, cursor):
    return [record for position, record in positioned(log) if position >= cursor]


def end(log, safe, only_committed_segments):
    """Where a cursor may stand: below a commit line that a later sync has covered (`safe`), or at the last one; and
    not in a segment that has no commit line yet, whose copied tail has not been read."""
    last = log[-1]
    if last.commit == 0 and len(log) > 1 and only_committed_segments:
        return log[-2].number, last.sealed
    return last.number, last.commit_durable if safe else last.commit


def begun(log, records, committed=True):
    """The log with a new segment, written under a temporary name, synced, renamed, its folder synced."""
    last, count = log[-1], len(records)
    return log + (Segment(last.number + 1, True, True, tuple(records), count, count if committed else 0, 0, last.commit),)
