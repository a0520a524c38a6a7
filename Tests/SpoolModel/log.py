"""The one primitive of the spool, as a value: an append-only log of segments with group commit.

A log is a tuple of segments.  Appending touches only the last one.  A sync is an `fdatasync` and then a commit line;
the line itself is durable only when a later sync covers it, so a power cut may keep or lose it.
"""
from itertools import product
from typing import NamedTuple


class Segment(NamedTuple):
    number: int = 1             # grows by one a segment
    named: bool = True          # its entry in the folder is durable
    headed: bool = True         # its header is durable
    records: tuple = ()
    durable: int = 0            # records[:durable] survive any power cut
    commit: int = 0             # what the last commit line covers
    commit_durable: int = 0     # what the last commit line covers that a later sync made durable
    sealed: int = -1            # the predecessor's length, as this header says it
    failed: bool = False        # in the writer's memory only: a sync failed, so never sync this one again


EMPTY = (Segment(),)


def holding(*records):
    """A log whose records and commit lines are all durable."""
    count = len(records)
    return (Segment(records=records, durable=count, commit=count, commit_durable=count),)


def written(log):
    """What its writer has appended and may build on."""
    return _read(log, False)


def committed(log):
    """What a follower may read: never more than a power cut keeps."""
    return _read(log, True)


def _read(log, only_committed):
    found = []
    for segment, count in segments(log):
        if segment is log[-1] and not only_committed and not segment.failed:
            count = len(segment.records)
        found += segment.records[:count]
    return found


def segments(log):
    """Each segment and how many of its records count: as its successor's header says, where that is there, or its last commit line."""
    for segment, successor in zip(log, log[1:] + (None,)):
        yield segment, successor.sealed if successor and successor.number == segment.number + 1 else segment.commit


def tail(log, punched=frozenset()):
    """What recovery finds above the last commit: records, up to the first whose content is no longer there."""
    last, found = log[-1], []
    for record in last.records[last.commit:]:
        if record[0] == 'accept' and record[1] in punched:
            break
        found.append(record)
    return tuple(found)


def append(log, *records):
    last = log[-1]
    return log[:-1] + (last._replace(records=last.records + records),)


def waits(log):
    """Is there something to sync?"""
    last = log[-1]
    return not last.failed and last.commit < len(last.records)


def synced(log, names_it=True):
    """One fdatasync and its commit line.  The sync covers the commit line before."""
    last, count = log[-1], len(log[-1].records)
    return log[:-1] + (last._replace(durable=count, commit=count, commit_durable=last.commit,
                                     headed=True, named=last.named or names_it),)


def commit_covered(log):
    """One more fdatasync, after which the last commit line is durable too."""
    last = log[-1]
    return log[:-1] + (last._replace(commit_durable=last.commit),)


def failed(log):
    return log[:-1] + (log[-1]._replace(failed=True),)


def continued(log, states_length=True, named=True, headed=True, records=()):
    """A new segment, its records durable but not committed; the last one is sealed at its last commit."""
    last = log[-1]
    length = last.commit if states_length else len(last.records)
    begun = Segment(last.number + 1, named, headed, records, len(records) if headed else 0, 0, 0, length)
    return log[:-1] + (last._replace(failed=False), begun)


def forgetful(log):
    """The log after its writer died: what failed is forgotten."""
    return log[:-1] + (log[-1]._replace(failed=False),)


def settled(log):
    """Forgets segment borders that no crash can bring back: fewer states, same behaviour."""
    last = log[-1]
    if len(log) > 1 and all(segment.named and segment.headed for segment in log) \
       and last.commit_durable == last.durable == last.commit == len(last.records):
        return holding(*committed(log))
    return log


def after_cut(log):
    """All that a power cut may leave: any prefix of what was not durable, with or without the last commit line, and any of
    the segments whose names no sync of the folder has covered."""
    choices = []
    for segment in log:
        options = {segment._replace(named=True, headed=True, records=segment.records[:kept], durable=kept,
                                    commit=commit, commit_durable=commit, failed=False)
                   for kept in range(segment.durable, len(segment.records) + 1)
                   for commit in {segment.commit_durable, segment.commit} if commit <= kept}
        choices.append(sorted(options) + ([] if segment.named and segment.headed else [None]))
    for combination in product(*choices):
        yield tuple(segment for segment in combination if segment)
