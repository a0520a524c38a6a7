"""Routing one recipient into several copies: records of one write, of which a death in the middle leaves a part.

One message to an alias; `tables` are what the alias says, one after the other, and it may change at any time.  The accept is
committed when the search begins, its commit line not covered.  queued writes record by record and may be killed between any
two; it syncs when all is said.  What must show: whatever is killed and however the power goes, the message is done, and has
been brought to the members of one table, to each of them, and to nobody else; and without a power cut no copy whose assign
an agent may have seen is assigned a second time.  The neighbour is a half of a routing that was found while its accept could
not be seen: if the log says it again, it stands before a later, whole routing by an alias that was changed meanwhile.

queued's start, and what it keeps until an accept shows, is as in `shows.py`, without cursors: each start reads the whole mail
log.  The agents forget nothing, and what they say is heard at once.
"""
from itertools import product
from typing import NamedTuple

from history_blocks import begun, positioned
from log import EMPTY, after_cut, append, committed, holding, synced, tail, waits
from search import Model, Violation
from shows import first_commit

ACCEPT, DONE = ('accept', 'm1'), ('done',)


class Message(NamedTuple):
    unrouted: bool = True
    copies: tuple = ()              # (final address, is it assigned?)
    to_come: int = 0                # records that its routing lacks, as a replay has found it


class Queue(NamedTuple):
    """What a kill of queued loses."""
    open: Message = None
    done: bool = False
    said: tuple = ()                # what its log says while the accept cannot be seen
    unwritten: tuple = ()           # the rest of what is being written


class State(NamedTuple):
    accepts: tuple = synced(append(EMPTY, ACCEPT))
    events: tuple = holding(('state', None, False))     # queued: ('state', Message, done), ('route', final, count: of the first record, how many they are), ('assign', final), DONE
    queue: Queue = Queue()
    closed: frozenset = frozenset()
    table: int = 0                  # what the alias says
    delivered: frozenset = frozenset()      # what is true: final addresses
    finished: bool = False                  # … done and durable
    kills: int = 0
    cuts: int = 0
    rotations: int = 0

    def knowing(self, **facts):
        return self._replace(queue=self.queue._replace(**facts))

    def opened(self, **facts):
        return self.knowing(open=self.queue.open._replace(**facts))

    def saying(self, *record):
        return self._replace(events=append(self.events, record))


class Routing(Model):
    """`already_half`: a power cut has taken the commit line of the accept, and left the first record of the routing."""

    def __init__(self, tables=(('a', 'b'),), kills=0, cuts=0, rotations=0, already_half=False, without=()):
        super().__init__(without)
        self.tables, self.already_half, self.budgets = tables, already_half, dict(kills=kills, cuts=cuts, rotations=rotations)

    def initial(self):
        state = State(**self.budgets)
        if not self.already_half:
            return state
        accepts, events = state.accepts[-1]._replace(commit=0), append(state.events, ('route', self.tables[0][0], len(self.tables[0])))
        return state._replace(accepts=(accepts,), events=(events[-1]._replace(durable=2),), closed=frozenset({'smtpd', 'queued'}))

    def moves(self, state):
        if 'smtpd' in state.closed:
            yield 'smtpd restarts: new segment with the tail', state._replace(
                accepts=begun(state.accepts, tail(state.accepts)), closed=state.closed - {'smtpd'})
        yield from self.queued_opens(state) if 'queued' in state.closed else self.queued(state)
        for final in sorted(assigned(state.events) - state.delivered)[:1]:
            yield f'the agent delivers to {final}, says so', state._replace(delivered=state.delivered | {final})

    # queued, running

    def queued(self, state):
        queue = state.queue
        if not state.events[-1].commit:
            yield 'queued: first commit line of the new segment', state._replace(events=first_commit(state.events))
            return
        if queue.unwritten:
            yield f'queued: writes {shown(queue.unwritten[0])}', state.saying(*queue.unwritten[0]).knowing(unwritten=queue.unwritten[1:])
            return
        if not queue.open and not queue.done and ACCEPT in committed(state.accepts):
            yield 'queued: hears accept', self.accepted(state)
        if queue.open:
            yield from self.brings_on(state, queue.open)
        if waits(state.events):
            yield 'queued: fdatasync its events, commit line', state._replace(
                events=synced(state.events), finished=state.finished or ended(state.events))
        elif state.rotations and len(state.events[-1].records) > 1:
            yield 'queued: new segment', self.with_block(state._replace(rotations=state.rotations - 1), ())

    def brings_on(self, state, message):
        copies = dict(message.copies)
        if message.unrouted:
            finals = [final for final in self.tables[state.table] if final not in copies]
            records = tuple(('route', final, 0 if index else len(finals)) for index, final in enumerate(finals)) or (('route', None, 1),)
            yield 'queued: routes to ' + (' '.join(finals) or 'nobody else'), state.opened(
                unrouted=False, to_come=0, copies=message.copies + tuple((final, False) for final in finals)).knowing(unwritten=records)
            return
        for final in [final for final in copies if not copies[final]][:1]:
            if not self.budgets['cuts'] and final in assigned(state.events):
                raise Violation(f'the copy to {final} is assigned a second time')
            yield f'queued: writes assign {final}', with_assigned(state, final).saying('assign', final)
        if state.delivered.issuperset(copies):
            yield 'queued: writes done', state.saying(*DONE).knowing(open=None, done=True)

    def accepted(self, state):
        said = state.queue.said
        state = state.knowing(open=Message(), said=())
        for record in said:
            state = self.replayed(state, record)
        return self.without_half(state)

    # queued: a start

    def queued_opens(self, state):
        records = state.events[-1].records
        first = next(index for index, record in enumerate(records) if record[0] == 'state')
        _, message, done = records[first]
        state = state._replace(queue=Queue(message, done))
        if not message and not done and ACCEPT in committed(state.accepts):
            state = self.accepted(state)
        for record in records[first + 1:]:
            if record[0] != 'state':
                state = self.replayed(state, record)
        is_half = bool(state.queue.open and state.queue.open.to_come)
        kept = tuple(record for record in tail(state.events) if record[0] != 'assign' and not (is_half and record[0] == 'route'))
        yield 'queued restarts: new segment with the tail and a block', self.with_block(
            self.without_half(state)._replace(closed=state.closed - {'queued'}), kept)

    def replayed(self, state, record):
        """A record of its own log: applied to the message, or kept until the accept of that shows."""
        message, verb = state.queue.open, record[0]
        if not message:
            said = (DONE,) if verb == 'done' else state.queue.said + (record,)
            return state if state.queue.done else state.knowing(said=said)
        if verb == 'done':
            return state.knowing(open=None, done=True)
        if verb == 'assign':
            return with_assigned(state, record[1])
        _, final, count = record
        copies, to_come = message.copies, message.to_come
        if count and to_come and self.keeps('routingbegins'):
            copies, to_come = self.assigned_of(copies), 0
        left = (to_come or count or 1) - 1 if self.keeps('routewhole') else 0
        added = ((final, False),) if final and final not in dict(copies) else ()
        return state.opened(copies=copies + added, to_come=left, unrouted=message.unrouted and left > 0)

    def without_half(self, state):
        """Of a routing that was not said to its end nothing counts, but what was assigned: that is of a later one."""
        message = state.queue.open
        if not message or not message.to_come:
            return state
        return state.opened(copies=self.assigned_of(message.copies), unrouted=True)

    def assigned_of(self, copies):
        return tuple(entry for entry in copies if entry[1] and self.keeps('assignedstays'))

    def with_block(self, state, kept):
        queue = state.queue
        block = 'state', queue.open and queue.open._replace(to_come=0), queue.done
        return state._replace(events=begun(state.events, kept + (block,) + queue.said, False),
                              finished=state.finished or ended(state.events))

    # Crashes

    def events(self, state):
        if state.table + 1 < len(self.tables):
            yield 'the alias changes', state._replace(table=state.table + 1)
        if state.kills and 'queued' not in state.closed:
            yield 'KILL queued', dead(state, 'queued')._replace(kills=state.kills - 1)
        if state.cuts:
            left = dead(state, 'queued', 'smtpd')._replace(cuts=state.cuts - 1)
            for accepts, events in product(after_cut(state.accepts), after_cut(state.events)):
                yield 'POWER CUT', left._replace(accepts=accepts, events=events)

    def at_rest(self, state):
        if not state.finished:
            raise Violation('m1 stuck: accepted, never done')
        if not any(state.delivered == set(table) for table in self.tables):
            raise Violation(f'm1 is done, and went to {" ".join(sorted(state.delivered)) or "nobody"}')


def assigned(log):
    """What an agent may have seen."""
    found = set()
    for _, record in positioned(log):
        if record[0] == 'state' and record[1]:
            found |= {final for final, is_assigned in record[1].copies if is_assigned}
        if record[0] == 'assign':
            found.add(record[1])
    return found


def with_assigned(state, final):
    return state.opened(copies=tuple((other, was or other == final) for other, was in state.queue.open.copies))


def dead(state, *programs):
    return state._replace(closed=state.closed | set(programs), queue=Queue())


def ended(log):
    return any(DONE in segment.records for segment in log)


def shown(record):
    if not record[1]:
        return 'route, a duplicate'
    return f'{record[0]} {record[1]}' + (f', the first of {record[2]}' if record[2] else '')
