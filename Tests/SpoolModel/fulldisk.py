"""A full disk must empty itself: space in units, a reserve for each program that finishes work.

A message's content takes two units, each record one, a state block one.  Content is freed when its message is done,
events when a state block has made their segment needless.  A program that starts anew begins a segment, with its reserve
in it: from free space, or from the spare file that it kept for that.  What a crash does to records is left out: this is
about who gets the space.
"""
from typing import NamedTuple

from search import Model, Violation

CONTENT, RECORD, START = 2, 1, 1
PROGRAMS = ('smtpd', 'queued', 'locald')


class Message(NamedTuple):
    kind: str                       # 'good', 'bad' (a bounce must be written) or 'drop' (a local submission)
    stage: str = 'unsent'           # unsent, (dropped,) accepted, assigned, delivered, bounced, (released,) done
    events: int = 0                 # units that its records take in queued's events
    results: int = 0                # units that they take in locald's


class State(NamedTuple):
    messages: tuple
    free: int
    queued: int                     # units of queued's reserve that are left
    locald: int
    smtpd: int = 0                  # units of the spare in which it began that are left
    down: tuple = ()                # programs that were stopped and have not begun a segment yet
    spares: tuple = ()              # programs that have their spare file
    restarts: tuple = ()            # programs that will be stopped once


class FullDisk(Model):
    def __init__(self, kinds=('good', 'good', 'good'), capacity=4, reserve=4, margin=3, restarts=(), without=()):
        super().__init__(without)
        self.kinds, self.capacity, self.margin, self.restarts = kinds, capacity, margin, restarts
        self.queued = reserve if self.keeps('reserve') else 0
        self.locald = RECORD if self.keeps('reserve') else 0

    def initial(self):
        spares = PROGRAMS if self.restarts and self.keeps('spare') else ()
        return State(tuple(Message(kind) for kind in self.kinds), self.capacity, self.queued, self.locald, 0, (), spares, self.restarts)

    def events(self, state):
        return ()

    def moves(self, state):
        for position, message in enumerate(state.messages):
            step = getattr(self, message.stage)(state, position, message)
            if step and step[0].split(':')[0] not in state.down:
                label, following = step
                yield f'{label} (free {following.free}, reserves {following.queued} and {following.locald})', following
        for label, following in (*self.frees_events(state), *self.restores(state)):
            if label.split(':')[0] not in state.down:
                yield label, following
        yield from self.starts(state)

    # Starting anew.

    def starts(self, state):
        for program in PROGRAMS:
            if program in state.down:
                yield from self.begins(state, program)
            elif program in state.restarts:
                restarts = tuple(other for other in state.restarts if other != program)
                yield f'{program}: is stopped', state._replace(down=state.down + (program,), restarts=restarts)

    def begins(self, state, program):
        """A segment with its reserve; what was left of the old one is given back, at the latest when nothing else helps."""
        reserve, left = getattr(self, program, 0), getattr(state, program)
        up = state._replace(down=tuple(other for other in state.down if other != program))
        if state.free >= START + reserve:
            yield f'{program}: begins a segment', up._replace(free=state.free - START - reserve + left, **{program: reserve})
        elif program in state.spares:
            spares = tuple(other for other in state.spares if other != program)
            yield f'{program}: begins a segment in its spare', \
                up._replace(free=state.free + left, spares=spares, **{program: max(reserve, START)})
        elif state.free + left >= START:
            units = min(state.free + left - START, reserve)
            yield f'{program}: begins a segment where its reserve was', \
                up._replace(free=state.free + left - START - units, **{program: units})

    # Space.

    def spend(self, state, units, program=None):
        """Free space first, then the program's own reserve; None when both are too little."""
        from_free = min(units, state.free)
        missing = units - from_free
        if missing > (getattr(state, program) if program else 0):
            return None
        state = state._replace(free=state.free - from_free)
        return state._replace(**{program: getattr(state, program) - missing}) if missing else state

    def step(self, state, position, label, units, program, freed=0, **changes):
        spent = self.spend(state, units, program)
        if spent is None:
            return None
        messages = list(spent.messages)
        messages[position] = messages[position]._replace(**changes)
        return label, spent._replace(messages=tuple(messages), free=spent.free + freed)

    def on_reserve(self, state, units):
        return state.free < units or (state.queued, state.locald) != (self.queued, self.locald)

    def restores(self, state):
        for program in ('queued', 'locald'):
            missing = getattr(self, program) - getattr(state, program)
            if program == 'queued' and state.locald < self.locald and self.keeps('agentsfirst'):
                continue
            if missing and state.free:
                back = min(missing, state.free)
                yield f'{program}: {back} back into its reserve', \
                    state._replace(free=state.free - back, **{program: getattr(state, program) + back})
        for program in PROGRAMS if self.restarts and self.keeps('spare') else ():
            units = START + getattr(self, program, 0)
            if program not in state.spares and state.free >= units + self.margin:
                yield f'{program}: makes its spare', state._replace(free=state.free - units, spares=state.spares + (program,))

    def frees_events(self, state):
        """A state block, then the segments before it go; locald's go when their messages are done."""
        def without(field):
            return tuple(message._replace(**{field: 0}) if message.stage == 'done' else message
                         for message in state.messages)
        events = sum(message.events for message in state.messages if message.stage == 'done')
        results = sum(message.results for message in state.messages if message.stage == 'done')
        if events and (spent := self.spend(state, RECORD, 'queued')):       # the block before it goes with them
            yield 'queued: state block, older events dropped', \
                spent._replace(free=spent.free + events + RECORD, messages=without('events'))
        if results:
            yield 'locald: older events dropped', state._replace(free=state.free + results, messages=without('results'))

    # The life of a message.

    def unsent(self, state, position, message):
        name = f'm{position + 1}'
        if message.kind == 'drop':
            if self.keeps('dropmargin') and state.free < CONTENT + self.margin:
                return None
            return self.step(state, position, f'sendmail: drop {name}', CONTENT, None, stage='dropped')
        if self.keeps('intakelast') and self.on_reserve(state, CONTENT):
            return None
        return self.step(state, position, f'smtpd: accepts {name}', CONTENT, None, stage='accepted')

    def may_begin(self, state, position, units):
        """Work that ends later is begun on the reserve for one message only, and only when no other is begun."""
        if not self.keeps('finishfirst') or not self.on_reserve(state, units):
            return True
        if state.locald < self.locald and self.keeps('agentsfirst'):
            return False
        return not any(other.stage in ('assigned', 'delivered', 'bounced') for other in state.messages)

    def dropped(self, state, position, message):
        if not self.may_begin(state, position, CONTENT):
            return None
        return self.step(state, position, f'queued: adopts m{position + 1}, unlinks its drop', CONTENT, 'queued',
                         freed=CONTENT, stage='accepted')

    def accepted(self, state, position, message):
        name = f'm{position + 1}'
        units = CONTENT if message.kind == 'bad' else RECORD
        if not self.may_begin(state, position, units):
            return None
        if message.kind == 'bad':
            return self.step(state, position, f'queued: bounce of {name} accepted', units, 'queued', stage='bounced')
        return self.step(state, position, f'queued: assign {name}', units, 'queued',
                         stage='assigned', events=message.events + RECORD)

    def assigned(self, state, position, message):
        return self.step(state, position, f'locald: delivered m{position + 1}', RECORD, 'locald',
                         stage='delivered', results=message.results + RECORD)

    def delivered(self, state, position, message):
        if self.restarts:
            return self.step(state, position, f'queued: done m{position + 1}, released', RECORD, 'queued',
                             stage='released', events=message.events + RECORD)
        return self.step(state, position, f'queued: done m{position + 1}, content erased', RECORD, 'queued',
                         freed=CONTENT, stage='done', events=message.events + RECORD)

    def released(self, state, position, message):
        return self.step(state, position, f'smtpd: erases m{position + 1}', 0, None, freed=CONTENT, stage='done')

    def bounced(self, state, position, message):
        """The parent is done; its bounce takes its place as a message to deliver."""
        return self.step(state, position, f'queued: done m{position + 1}, content erased; its bounce is open', RECORD,
                         'queued', freed=CONTENT, stage='accepted', kind='good', events=message.events + RECORD)

    def done(self, state, position, message):
        return None

    def at_rest(self, state):
        for position, message in enumerate(state.messages):
            if message.stage == 'unsent':
                raise Violation(f'm{position + 1} is refused for ever')
            if message.stage != 'done':
                raise Violation(f'the disk is full for ever: m{position + 1} {message.stage}')
