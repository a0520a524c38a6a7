"""Positions that move: an `accept` or an `assign` whose commit line was cut away stands again in the next segment.

queued is as its program is: what it knows is what its start reads in its newest segment (the block, then the mail log from
the block's cursor, then what was said after the block) and what it has heard since.  A temporary answer names the position
of the `assign` that it answers.  The agent is that of the inbox model.  Here it also says again what it has answered, when
it is asked again for the same.  Nothing is erased here: the history model is about that.
"""
from itertools import product
from typing import NamedTuple

from history_blocks import BEGINNING, begun, end, positioned
from inbox import Inbox, Memory
from log import EMPTY, Segment, after_cut, append, commit_covered, holding, synced, tail, waits, written
from search import Violation

READY = 'ready'


class Block(NamedTuple):
    mail: tuple = BEGINNING         # cursor into smtpd's mail log
    results: tuple = BEGINNING      # cursor into the agent's events
    open: tuple = ()                # (message, where its accept lies, READY or the position of its assign)
    done: tuple = ()                # (message, where its accept lies) of what may be read again


class Queue(NamedTuple):
    """What a kill of queued loses."""
    mail: tuple = BEGINNING         # everything before this was read
    results: tuple = BEGINNING
    noted: tuple = BEGINNING        # the mail cursor, as the next block will say
    open: tuple = ()
    done: tuple = ()
    unseen: tuple = ()              # (message, what was said of it, segment in which its accept was first missed)


class State(NamedTuple):
    accepts: tuple                          # smtpd: ('accept', message)
    events: tuple = holding(('state', Block()))     # queued: ('state', Block), ('assign', message, position or None), …
    results: tuple = holding(('state', BEGINNING, ()))     # the agent, as in the inbox model
    queue: Queue = Queue(results=(1, 1))
    memory: Memory = Memory()
    closed: frozenset = frozenset()
    promised: frozenset = frozenset()       # what is true: 250 was said
    finished: frozenset = frozenset()       # … done and durable
    delivered: frozenset = frozenset()      # … brought on
    kills: int = 0
    cuts: int = 0
    rotations: tuple = (0, 0)
    temporary: int = 0

    def remembering(self, **facts):
        return self._replace(memory=self.memory._replace(**facts))

    def knowing(self, **facts):
        return self._replace(queue=self.queue._replace(**facts))

    def saying(self, *record):
        return self._replace(events=append(self.events, record))


class Shows(Inbox):
    """Each message is committed when the search begins, the last commit line not yet covered.  `killed`: who may be.
    `already`: 'open', a block of queued names the messages, which are to be assigned; 'said', they were assigned after the
    block, which does not name them; or 'sent', a block names them, and the agent has said that it has brought them on."""

    def __init__(self, messages=1, killed=('smtpd', 'queued', 'agent'), already='', **arguments):
        super().__init__(messages, **arguments)
        self.killed, self.already = killed, already

    def initial(self):
        log, count = EMPTY, len(self.messages)
        for message in self.messages:
            log = synced(append(log, ('accept', message)))
        state = State(log, promised=frozenset(self.messages), **self.budgets)
        if not self.already:
            return state
        opened = tuple((message, (1, index), READY) for index, message in enumerate(self.messages))
        block = ('state', Block(open=opened if self.already != 'said' else ()))
        if self.already == 'open':
            return state._replace(events=holding(block)).knowing(mail=(1, count), open=opened)
        assigned = tuple((message, place, (1, 1 + index)) for index, (message, place, _) in enumerate(opened))
        state = state._replace(events=holding(block, *(('assign', message, None) for message in self.messages)))
        state = state.knowing(mail=(1, count), open=assigned)
        if self.already == 'said':
            return state
        answers = [('delivered', message) for message in self.messages]
        return state._replace(
            results=holding(('state', BEGINNING, ()), *answers), delivered=frozenset(self.messages),
            memory=Memory((1, 1 + count), ledger=tuple((message, 0) for message in self.messages)))

    def moves(self, state):
        yield from self.smtpd(state)
        yield from super().moves(state)

    def smtpd(self, state):
        last = state.accepts[-1]
        if 'smtpd' in state.closed:
            yield 'smtpd restarts: new segment with the tail', state._replace(
                accepts=begun(state.accepts, tail(state.accepts), False), closed=state.closed - {'smtpd'})
        elif last.commit < len(last.records) or last.commit_durable < last.commit:
            yield 'smtpd: a commit line', state._replace(
                accepts=commit_covered(state.accepts) if last.commit else first_commit(state.accepts))

    # queued, running

    def queued(self, state):
        if not state.events[-1].commit:
            yield 'queued: first commit line of the new segment', state._replace(
                events=first_commit(state.events), finished=state.finished | ended(state.events))
            return
        for position, (_, message) in following(state.accepts, state.queue.mail):
            yield f'queued: hears accept {message}', self.noted(
                self.accepted(state, message, position).knowing(mail=(position[0], position[1] + 1)))
            break
        for position, record in following(state.results, state.queue.results):
            after = state.knowing(results=(position[0], position[1] + 1))
            for message, answer in record[2] if record[0] == 'state' else [(record[1], (record + (0,))[2])]:
                after = self.answered(after, message, answer)
            yield 'queued: hears ' + ' '.join(str(word) for word in record), after
            break
        for message, accept, copy in state.queue.open:
            if copy == READY:
                here = state.events[-1].number, len(state.events[-1].records)
                yield f'queued: append assign {message}', with_open(state.saying('assign', message, None), message, accept, here)
        if waits(state.events):
            yield 'queued: fdatasync its events, commit line', self.noted(state._replace(
                events=synced(state.events), finished=state.finished | ended(state.events)))
        elif state.rotations[0] and len(state.events[-1].records) > 1:
            yield 'queued: new segment', self.with_block(
                state._replace(rotations=(state.rotations[0] - 1, state.rotations[1])), ())
        elif state.events[-1].commit_durable < state.events[-1].commit:
            yield 'queued: one more commit', state._replace(events=commit_covered(state.events))

    def accepted(self, state, message, position, running=True):
        queue = state.queue
        for known, accept, copy in queue.open:
            if known == message:
                return with_open(state, message, position if self.keeps('openmoves') else accept, copy)
        if message in dict(queue.done):
            return state.knowing(done=merged(queue.done, message, position))
        said = next((said for unseen, said, _ in queue.unseen if unseen == message), ())
        state = state.knowing(unseen=tuple(entry for entry in queue.unseen if entry[0] != message))
        state = with_open(state, message, position, READY)
        for place, record in said:
            state = self.replayed(state, place, record)
        for known, _, copy in state.queue.open:
            if known == message and copy != READY and running and self.keeps('askagain'):
                state = state.saying('assign', message, copy if self.keeps('askposition') else None)
        return state

    def answered(self, state, message, answer):
        """A final answer counts whichever assign it names; a temporary one only for the one that it names."""
        for known, accept, copy in state.queue.open:
            if known == message and answer == 0:
                return closed(state, message, accept).saying('done', message)
            if known == message and copy == answer:
                return with_open(state, message, accept, READY).saying('deferred', message)
        return state

    def noted(self, state):
        """The cursor moves on, and what lies durably below it is forgotten."""
        queue, cursor = state.queue, min(state.queue.mail, end(state.accepts, True, True))
        if cursor <= queue.noted:
            return state
        return state.knowing(
            noted=cursor, done=tuple(entry for entry in queue.done if entry[1] >= cursor),
            unseen=tuple((message, said, since or cursor[0]) for message, said, since in queue.unseen
                         if not since or since >= cursor[0]))

    # queued: a start

    def queued_opens(self, state):
        number, records = state.events[-1].number, state.events[-1].records
        first = next(index for index, record in enumerate(records) if record[0] == 'state')
        block = records[first][1]
        state = state._replace(queue=Queue(block.mail, block.results, block.mail, block.open, block.done))
        for position, (_, message) in following(state.accepts, block.mail):
            state = self.accepted(state, message, position, running=False).knowing(mail=(position[0], position[1] + 1))
        for index in range(first + 1, len(records)):
            if records[index][0] != 'state':
                state = self.replayed(state, (number, index), records[index])
        kept = tuple(record for record in tail(state.events) if record[0] != 'assign' or not self.keeps('tailassign'))
        yield 'queued restarts: new segment with the tail and a block', self.with_block(
            self.noted(state)._replace(closed=state.closed - {'queued'}), kept)

    def replayed(self, state, place, record):
        """A record of its own log: applied to its message, or kept until the accept of that shows."""
        verb, message = record[:2]
        for known, accept, copy in state.queue.open:
            if known == message and verb == 'done':
                return closed(state, message, accept)
            if known == message:
                return with_open(state, message, accept, record[2] or place if verb == 'assign' else READY)
        if message in dict(state.queue.done):
            return state
        unseen = {entry[0]: entry for entry in state.queue.unseen}
        _, said, since = unseen.get(message, (message, (), 0))
        over = verb == 'done' and self.keeps('unseendone')
        unseen[message] = message, (() if over else said) + ((place, record),), since
        return state.knowing(unseen=tuple(sorted(unseen.values())))

    def with_block(self, state, kept):
        queue = state.queue
        block = Block(queue.noted, min(queue.results, end(state.results, True, True)), queue.open, queue.done)
        said = tuple(('assign', message, record[2] or place if self.keeps('askposition') else None) if record[0] == 'assign' else record
                     for message, records, _ in queue.unseen for place, record in records)
        return state._replace(events=begun(state.events, kept + (('state', block),) + said, False),
                              finished=state.finished | ended(state.events))

    # The agent

    def asks(self, position, record):
        if record[0] == 'state':
            return [(message, copy) for message, _, copy in record[1].open if copy != READY]
        return [(record[1], record[2] or position)] if record[0] == 'assign' else []

    def heard(self, state, position, record):
        answers, after = dict(state.memory.ledger), super().heard(state, position, record)
        over = dict(record[1].done) if record[0] == 'state' else {}
        after = after.remembering(asked=tuple(entry for entry in after.memory.asked if entry[0] not in over),
                                  ends=after.memory.ends + tuple((message, position) for message in over))
        for message, attempt in self.asks(position, record) if self.keeps('sayagain') else ():
            if answers.get(message) == 0:
                after = after._replace(results=synced(append(after.results, ('delivered', message))))
            elif answers.get(message) == attempt:
                after = after._replace(results=synced(append(after.results, ('temporary', message, attempt))))
        return after

    # Crashes

    def events(self, state):
        if state.kills:
            for program in sorted(set(self.killed) - state.closed):
                yield f'KILL {program}', self.dead(state, program)._replace(kills=state.kills - 1)
        if state.cuts:
            dead = state
            for program in ('smtpd', 'queued', 'agent'):
                dead = self.dead(dead, program)
            for accepts, events, results in product(*map(after_cut, (dead.accepts, dead.events, dead.results))):
                yield 'POWER CUT', dead._replace(accepts=accepts, events=events, results=results, cuts=state.cuts - 1)

    def dead(self, state, program):
        state = super().dead(state, program)
        return state._replace(queue=Queue()) if program == 'queued' else state

    def at_rest(self, state):
        for message, _, copy in state.queue.open:
            raise Violation(f'{message} stuck: open, and nothing more can happen')
        super().at_rest(state)


def following(log, position):
    return [(place, record) for place, record in positioned(log) if place >= position]


def first_commit(log):
    last: Segment = log[-1]
    return log[:-1] + (last._replace(commit=len(last.records)),)


def ended(log):
    return {record[1] for record in written(log) if record[0] == 'done'}


def merged(entries, message, *facts):
    return tuple(sorted([entry for entry in entries if entry[0] != message] + [(message, *facts)]))


def with_open(state, message, accept, copy):
    return state.knowing(open=merged(state.queue.open, message, accept, copy))


def closed(state, message, accept):
    queue = state.queue
    return state.knowing(open=tuple(entry for entry in queue.open if entry[0] != message),
                         done=merged(queue.done, message, accept))
