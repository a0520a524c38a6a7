"""An agent's inbox: how locald and remoted follow queued's events, forget, roll their log over, and restart.

queued assigns, hears the answers, assigns anew after a temporary one, says done.  The agent reads one record at a time;
its ledger is what its newest segment says, less what it has forgotten.  Bringing a copy on and saying so is one step: the
delivery model is about that.  No segment is dropped here: the history model is about that.
"""
from itertools import product
from typing import NamedTuple

from history_blocks import begun, positioned
from log import EMPTY, after_cut, append, commit_covered, holding, synced, tail, waits, written
from search import Model, Violation

BEGINNING = (1, 0)


class Memory(NamedTuple):
    """What a kill of the agent loses."""
    read: tuple = BEGINNING         # everything before this was read
    target: tuple = BEGINNING       # how far the life before had read
    asked: tuple = ()               # (message, attempt) of what is assigned and not begun
    ledger: tuple = ()              # (message, 0) delivered, (message, attempt) put off
    ends: tuple = ()                # (message, position) of each `done` heard, until the answer is forgotten


class State(NamedTuple):
    events: tuple = holding(('state', ()))  # queued: ('state', ((message, attempt), …)), ('assign', message, attempt), ('done', message)
    results: tuple = EMPTY                  # the agent: ('state', cursor, ledger), ('delivered', message), ('temporary', message, attempt)
    memory: Memory = Memory()
    closed: frozenset = frozenset({'agent'})
    finished: frozenset = frozenset()       # what is true: done and durable
    delivered: frozenset = frozenset()      # what is true: brought on
    kills: int = 0
    cuts: int = 0
    rotations: tuple = (0, 0)               # new segments that queued and the agent may yet begin while running
    temporary: int = 0                      # temporary failures that may yet happen

    def remembering(self, **facts):
        return self._replace(memory=self.memory._replace(**facts))


class Inbox(Model):
    def __init__(self, messages=1, kills=0, cuts=0, rotations=(0, 0), temporary=0, without=()):
        super().__init__(without)
        self.messages = [f'm{number + 1}' for number in range(messages)]
        self.budgets = dict(kills=kills, cuts=cuts, rotations=rotations, temporary=temporary)

    def initial(self):
        return State(**self.budgets)

    def moves(self, state):
        yield from self.queued_opens(state) if 'queued' in state.closed else self.queued(state)
        yield from self.agent_opens(state) if 'agent' in state.closed else self.agent(state)

    # queued

    def knows(self, state):
        """The newest attempt of each open message, and what is done, by its newest segment."""
        assigned, done = {}, set()
        for record in state.events[-1].records:
            if record[0] == 'state':
                assigned.update(dict(record[1]))
            elif record[0] == 'assign':
                assigned[record[1]] = record[2]
            else:
                done.add(record[1])
        return assigned, done

    def queued(self, state):
        assigned, done = self.knows(state)
        answers = [record for _, record in positioned(state.results) if record[0] != 'state']
        for message in self.messages:
            if message in done | state.finished:
                continue
            attempt = assigned.get(message, 0)
            if ('delivered', message) in answers:
                yield f'queued: done {message}', state._replace(events=append(state.events, ('done', message)))
            elif attempt == 0 or ('temporary', message, attempt) in answers:
                yield f'queued: assign {message} attempt {attempt + 1}', \
                    state._replace(events=append(state.events, ('assign', message, attempt + 1)))
        if waits(state.events):
            events = synced(state.events)
            yield 'queued: fdatasync its events, commit line', state._replace(
                events=events, finished=state.finished | {record[1] for record in written(events) if record[0] == 'done'})
        elif state.rotations[0] and len(state.events[-1].records) > 1:
            yield 'queued: new segment', self.with_block(state)._replace(rotations=(state.rotations[0] - 1, state.rotations[1]))
        elif state.events[-1].commit_durable < state.events[-1].commit:
            yield 'queued: one more commit', state._replace(events=commit_covered(state.events))

    def with_block(self, state):
        assigned, done = self.knows(state)
        block = tuple(sorted((message, attempt) for message, attempt in assigned.items() if message not in done | state.finished))
        ended = {record[1] for record in tail(state.events) if record[0] == 'done'}
        return state._replace(events=begun(state.events, tail(state.events) + (('state', block),)),
                              finished=state.finished | ended, closed=state.closed - {'queued'})

    def queued_opens(self, state):
        yield 'queued restarts: new segment with the tail and a block', self.with_block(state)

    # The agent

    def agent(self, state):
        now = state.memory
        following = [(position, record) for position, record in positioned(state.events) if position >= now.read]
        if following:
            yield 'agent: reads on', self.heard(state, *following[0])
        elif state.events[-1].number > now.read[0]:
            yield 'agent: enters the next segment', state.remembering(read=(state.events[-1].number, 0))
        yield from self.forgets(state)
        if not following or now.read >= now.target or not self.keeps('inboxcatch'):
            yield from self.begins(state)
        if state.rotations[1] and state.results[-1].records:
            cursor = self.safe(state) if self.keeps('inboxsafe') else now.read
            if self.keeps('inboxkept'):
                cursor = max(cursor, now.target)
            yield 'agent: new segment', state._replace(
                results=begun(state.results, (('state', cursor, now.ledger),)), rotations=(state.rotations[0], state.rotations[1] - 1))

    def asks(self, position, record):
        return record[1] if record[0] == 'state' else [record[1:]] if record[0] == 'assign' else ()

    def heard(self, state, position, record):
        now = state.memory
        asked, ends = dict(now.asked), now.ends
        if record[0] == 'done':
            ends += ((record[1], position),)
            if self.keeps('inboxended'):
                asked.pop(record[1], None)
        for message, attempt in self.asks(position, record):
            answer = dict(now.ledger).get(message)
            if answer is None or answer and (attempt > answer or attempt < answer and not self.keeps('inboxolder')):
                asked[message] = attempt if self.keeps('inboxnewest') else asked.get(message, attempt)
        return state.remembering(read=(position[0], position[1] + 1), asked=tuple(sorted(asked.items())), ends=ends)

    def safe(self, state):
        """What was read and stands below a commit line that a later one follows: no power cut takes it back."""
        last = state.events[-1]
        return min(state.memory.read, (last.number, last.commit_durable))

    def forgets(self, state):
        now = state.memory
        over = {message for message, position in now.ends if position < self.safe(state) or not self.keeps('inboxforget')}
        if over:
            yield 'agent: forgets ' + ' '.join(sorted(over)), state.remembering(
                ledger=tuple(entry for entry in now.ledger if entry[0] not in over),
                ends=tuple(end for end in now.ends if end[0] not in over))

    def begins(self, state):
        now = state.memory
        for message, attempt in now.asked:
            asked = tuple(other for other in now.asked if other[0] != message)
            ledger = tuple(entry for entry in now.ledger if entry[0] != message)
            if message in state.delivered:
                raise Violation(f'{message} is delivered twice')
            yield f'agent: delivers {message}, says so', state._replace(
                results=synced(append(state.results, ('delivered', message))), delivered=state.delivered | {message}).remembering(
                    asked=asked, ledger=tuple(sorted(ledger + ((message, 0),))))
            if state.temporary:
                yield f'agent: puts {message} off, answers attempt {attempt}', state._replace(
                    results=synced(append(state.results, ('temporary', message, attempt))), temporary=state.temporary - 1).remembering(
                        asked=asked, ledger=tuple(sorted(ledger + ((message, attempt),))))

    def agent_opens(self, state):
        cursor, ledger = BEGINNING, {}
        for record in state.results[-1].records:
            if record[0] == 'state':
                cursor = record[1]
                ledger.update(dict(record[2]))
            else:
                ledger[record[1]] = record[2] if record[0] == 'temporary' else 0
        ledger = tuple(sorted(ledger.items()))
        first = (cursor[0], 0) if self.keeps('inboxfrom') else cursor
        block = ('state', cursor if self.keeps('inboxkept') else first, ledger)
        yield 'agent restarts: new segment with the tail and a block', state._replace(
            results=begun(state.results, tail(state.results) + (block,)), closed=state.closed - {'agent'},
            memory=Memory(first, cursor, (), ledger))

    # Crashes

    def events(self, state):
        if state.kills:
            for program in sorted({'queued', 'agent'} - state.closed):
                yield f'KILL {program}', self.dead(state, program)._replace(kills=state.kills - 1)
        if state.cuts:
            dead = self.dead(self.dead(state, 'queued'), 'agent')
            for events, results in product(after_cut(dead.events), after_cut(dead.results)):
                yield 'POWER CUT', dead._replace(events=events, results=results, cuts=state.cuts - 1)

    def dead(self, state, program):
        state = state._replace(closed=state.closed | {program})
        return state._replace(memory=Memory()) if program == 'agent' else state

    def at_rest(self, state):
        for message in self.messages:
            if message not in state.finished:
                raise Violation(f'{message} stuck: assigned, never done')
            if message not in state.delivered:
                raise Violation(f'{message} is done, never delivered')
