"""State blocks and retention: how much history a start needs, and when a segment may go.

smtpd accepts, queued assigns and finishes, locald delivers; every log is cut into segments, and old ones are dropped
at any time that the rules allow (the worst retention time).  Staging and delivery are one step that no crash divides:
the delivery model is about that.  queued and locald compute what they know from the logs at each step, so a kill is
possible everywhere; only a start that must open a new segment is modelled as an event.
"""
from itertools import product
from typing import NamedTuple

from history_blocks import BEGINNING, Block, Known, begun, end, known, positioned, read_from
from log import EMPTY, Segment, after_cut, append, commit_covered, committed, holding, synced, tail, waits, written
from search import Model, Violation

LOGS = ('accepts', 'events', 'children', 'results')
MAIL_LOGS = ('accepts', 'children')


class State(NamedTuple):
    clients: tuple                  # 'new', 'wait', 'ok' or 'none'
    accepts: tuple = EMPTY          # smtpd: ('accept', id)
    events: tuple = holding(('state', Block()))     # queued: ('state', Block), ('assign', id), ('done', id)
    children: tuple = EMPTY         # queued's mail log: ('accept', id)
    results: tuple = EMPTY          # locald: ('delivered', id)
    released: frozenset = frozenset()
    erased: frozenset = frozenset()
    unlinked: tuple = ()            # (log, segment) of mail segments whose unlink is not durable
    temporary: tuple = ()           # the state block being written under a temporary name
    closed: frozenset = frozenset() # programs that are dead and must open a new segment
    finished: frozenset = frozenset()   # what is true: done and durable
    delivered: frozenset = frozenset()  # what is true: in a mailbox
    cuts: int = 0
    kills: int = 0
    rotations: tuple = (0, 0, 0)    # new segments that smtpd, queued and locald may yet begin while running

    def spend_rotation(self, which):
        return self._replace(rotations=tuple(left - (position == which) for position, left in enumerate(self.rotations)))


class History(Model):
    """`messages`: 'one' is delivered to one account, 'bad' has a refused recipient, of which a bounce tells, 'mix' both."""

    def __init__(self, messages=('one',), cuts=0, kills=0, rotations=(0, 1, 0), already_accepted=False,
                 already_assigned=False, already_bounced=False, without=()):
        super().__init__(without)
        self.already_bounced, self.already_assigned = already_bounced, already_assigned or already_bounced
        self.already_accepted = already_accepted or self.already_assigned
        self.messages, self.budgets = messages, dict(cuts=cuts, kills=kills, rotations=rotations)

    def initial(self):
        state = State(('new',) * len(self.messages), **self.budgets)
        if self.already_accepted:
            state = state._replace(clients=('ok',) + state.clients[1:], accepts=holding(('accept', 'm1')))
        if self.already_assigned:
            state = state._replace(events=holding(('state', Block()), ('assign', 'm1')))
        if self.already_bounced:
            facts = ('state', Block()), ('assign', 'm1'), ('assign', 'Bm1'), ('done', 'Bm1'), ('done', 'm1')
            state = state._replace(events=holding(*facts), children=begun(holding(('accept', 'Bm1')), ()),
                                   results=holding(('delivered', 'Bm1')),
                                   finished=frozenset({'m1', 'Bm1'}), delivered=frozenset({'Bm1'}))
        return state

    def moves(self, state):
        for program in ('smtpd', 'queued', 'locald'):
            if program in state.closed:
                yield from getattr(self, f'{program}_opens')(state)
            else:
                yield from getattr(self, program)(state)

    # smtpd

    def smtpd(self, state):
        for client, status in enumerate(state.clients):
            if status == 'new' and 'new' not in state.clients[:client]:
                id = f'm{client + 1}'
                yield f'smtpd: append accept {id}', \
                    self.replied(state, client, 'wait')._replace(accepts=append(state.accepts, ('accept', id)))
        for _, id in committed(state.accepts):
            client = int(id[1:]) - 1
            if state.clients[client] == 'wait':
                yield f'smtpd: 250 for {id}', self.replied(state, client, 'ok')
        yield from self.erases(state, 'accepts', 'smtpd')
        last = state.accepts[-1]
        if waits(state.accepts):
            yield 'smtpd: fdatasync, commit line', state._replace(accepts=synced(state.accepts))
        elif last.commit and state.rotations[0]:
            yield 'smtpd: new segment', state.spend_rotation(0)._replace(accepts=begun(state.accepts, ()))

    def replied(self, state, client, reply):
        return state._replace(clients=state.clients[:client] + (reply,) + state.clients[client + 1:])

    def erases(self, state, name, program):
        log = getattr(state, name)
        last = log[-1]
        ripe = [record[1] for record in committed(log) if record[1] in state.released - state.erased]
        safe = [record[1] for segment in log for index, record in enumerate(segment.records)
                if segment is not last or index < segment.commit_durable]
        for id in ripe:
            if id in safe:
                yield f'{program}: erases {id}', state._replace(erased=state.erased | {id})
            elif not waits(log):
                yield f'{program}: fdatasync {name} again', state._replace(**{name: commit_covered(log)})
        oldest = log[0]
        if all(record[1] in state.erased for record in oldest.records) and oldest.records:
            if len(log) > 1:
                yield f'{program}: unlinks its oldest mail segment', \
                    state._replace(**{name: log[1:]}, unlinked=state.unlinked + ((name, oldest),) * (state.cuts > 0))
            elif not self.keeps('lastkept') and oldest.commit == len(oldest.records):
                yield f'{program}: unlinks its only mail segment', state._replace(**{name: EMPTY})

    def smtpd_opens(self, state):
        """In two steps: the new segment gets its name, then its first commit line."""
        if 'smtpd names' in state.closed:
            yield 'smtpd: first commit line', state._replace(
                accepts=self.first_commit(state.accepts), closed=state.closed - {'smtpd', 'smtpd names'})
        else:
            yield 'smtpd restarts: new segment with the tail', state._replace(
                accepts=begun(state.accepts, tail(state.accepts, state.erased), False), closed=state.closed | {'smtpd names'})

    # queued

    def queued(self, state):
        if state.temporary or state.events[-1].commit == 0:
            yield from self.writes_block(state)
            return
        now = self.knows(state)
        yield from self.takes(state, now)
        yield from self.finishes(state, now)
        yield from self.releases(state)
        yield from self.erases(state, 'children', 'queued')
        if waits(state.children):
            yield 'queued: fdatasync its mail log, commit line', state._replace(children=synced(state.children))
        if waits(state.events):
            events = synced(state.events)
            yield 'queued: fdatasync its events, commit line', state._replace(
                events=events, finished=state.finished | {record[1] for record in written(events) if record[0] == 'done'})
        elif state.rotations[1] and len(state.events[-1].records) > 1:
            yield from self.writes_block(state.spend_rotation(1))
        yield from self.drops(state)

    def takes(self, state, now):
        """An accept that is seen again is ignored when its message is open or done in what was read."""
        for _, id in read_from(state.accepts, now.block.accepts) + read_from(state.children, now.block.children):
            if id in now.open or id in now.done:
                continue
            if id in state.finished:
                raise Violation(f'{id} is begun anew although it was done')
            yield f'queued: route, assign {id}', state._replace(events=append(state.events, ('assign', id)))
            return

    def results(self, state, now):
        told = {record[1] for record in read_from(state.results, now.block.results)}
        return {id: was or id in told for id, was in now.open.items()}

    def covered(self, state, now, accepted):
        """Bounces that exist: accepted, or open or done in what was read, or named by the block."""
        return {id for _, id in accepted} | set(now.open) | now.done | set(now.block.covered)

    def kind(self, id):
        return self.messages[int(id[1:]) - 1] if id[0] == 'm' else 'one'

    def finishes(self, state, now):
        for id, delivered in self.results(state, now).items():
            kind = self.kind(id)
            ready = delivered or kind == 'bad'
            if kind in ('bad', 'mix'):
                bounce = 'B' + id
                if bounce not in self.covered(state, now, written(state.children)):
                    if bounce in state.finished:
                        raise Violation(f'{id} is bounced twice')
                    yield f'queued: append accept {bounce} to its mail log', \
                        state._replace(children=append(state.children, ('accept', bounce)))
                ready = ready and bounce in self.covered(state, now, committed(state.children))
            if ready:
                yield f'queued: done {id}', state._replace(events=append(state.events, ('done', id)))

    def releases(self, state):
        """Released anew at any time: what is done, or lies below the block's cursor and is not open."""
        now = known(state.events, True)
        if now is None:
            return
        candidates = [(position < now.block.accepts and self.keeps('reissue'), record[1])
                      for position, record in positioned(state.accepts)]
        candidates += [(position < now.block.children and self.keeps('reissue'), record[1])
                       for position, record in positioned(state.children)]
        for below_cursor, id in candidates:
            if id in state.erased | state.released or id in now.open or not (below_cursor or id in now.done):
                continue
            if id not in state.finished:
                raise Violation(f'{id} is released but not done')
            yield f'queued: released {id}', state._replace(released=state.released | {id})

    # State blocks

    def knows(self, state):
        """A start takes the newest segment whose block is whole, be it committed or not."""
        events = state.events if self.keeps('blockwhole') else state.events[-1:]
        return known(events, False, not self.keeps('blockvalid')) or Known(Block(), {}, set())

    def block(self, state, now):
        cursors = {name: self.cursor(getattr(state, name), getattr(now.block, name), now) for name in MAIL_LOGS}
        if not self.keeps('owncursor'):
            cursors['children'] = BEGINNING
        children = self.covered(state, now, committed(state.children) if self.keeps('blockmailfirst')
                                else written(state.children))
        return Block(
            open=tuple(sorted((id, delivered and self.keeps('blockresults'))
                              for id, delivered in self.results(state, now).items())),
            done=tuple(sorted(self.done_to_keep(state, now, cursors))),
            covered=tuple(sorted('B' + id for id in now.open if 'B' + id in children and self.keeps('blockchildren'))),
            **cursors, results=end(state.results, self.keeps('cursorsafe'), True))

    def cursor(self, log, before, now):
        """Up to a commit line that a later sync covered, and not past an accept that is not yet taken up."""
        cursor = end(log, self.keeps('cursorsafe'), self.keeps('cursorenters'))
        if self.keeps('cursortaken'):
            cursor = min([cursor] + [position for position, (_, id) in positioned(log)
                                     if position >= before and id not in now.open and id not in now.done])
        return max(cursor, before)

    def done_to_keep(self, state, now, cursors):
        """An id is forgotten when its accept has been seen below the cursor, or is gone.  Not seen is not gone: the
        owner may have lost its commit line in a power cut and show the accept again when it has opened."""
        if not self.keeps('blockdone'):
            return
        ahead = {id: position >= cursors[name] for name in MAIL_LOGS for position, (_, id) in positioned(getattr(state, name))}
        for id in now.done:
            if ahead[id] if id in ahead else id not in state.erased and self.keeps('blockunseen'):
                yield id

    def writes_block(self, state):
        """Header and block under a temporary name; synced, renamed, folder synced; the commit line."""
        last = state.events[-1]
        if last.records and last.commit == 0 and not state.temporary and 'queued' not in state.closed:
            commits = self.first_commit if self.keeps('blocktmp') else synced
            yield 'queued: first commit line of the new segment', state._replace(events=commits(state.events))
        elif not state.temporary:
            block = self.block(state, self.knows(state))
            yield 'queued: writes a state block under a temporary name', state._replace(temporary=(('state', block),))
        else:
            new = begun(state.events, state.temporary, committed=False)
            if not self.keeps('blocktmp'):
                new = new[:-1] + (new[-1]._replace(durable=0),)
            named = state._replace(events=new, temporary=(), finished=state.finished | self.knows(state).done)
            if 'queued' in state.closed:
                named = named._replace(closed=state.closed - {'queued'},
                                       children=begun(state.children, tail(state.children, state.erased)))
            yield 'queued: block synced, segment renamed, folder synced', named
            if not self.keeps('blockcommitted') and last.records:
                yield 'queued: drops the older events segments', state._replace(events=(Segment(last.number),))

    def first_commit(self, log):
        return log[:-1] + (log[-1]._replace(commit=len(log[-1].records)),)

    def queued_opens(self, state):
        yield from self.writes_block(state)

    def drops(self, state):
        if len(state.events) > 1 and state.events[-1].commit:
            yield 'queued: drops the older events segments', state._replace(events=state.events[-1:])

    # locald

    def locald(self, state):
        now = known(state.events, True)
        assigned = list(now.open) if now and self.keeps('agentblock') else \
            [record[1] for _, record in positioned(state.events) if record[0] == 'assign']
        own = {record[1] for record in written(state.results)}
        for id in assigned:
            answered = id in own or now and now.open.get(id)
            if not answered and self.kind(id) != 'bad' and (now is None or id in now.open):
                if id in state.delivered:
                    raise Violation(f'{id} is delivered twice')
                yield f'locald: delivers {id}, appends delivered, syncs', state._replace(
                    results=synced(append(state.results, ('delivered', id))), delivered=state.delivered | {id})
        if state.rotations[2] and state.results[-1].records:
            yield 'locald: new segment', state.spend_rotation(2)._replace(results=begun(state.results, ()))
        yield from self.locald_drops(state, now)

    def locald_drops(self, state, now):
        """Its oldest segment goes when queued's logged cursor has passed it and nobody needs its answers."""
        if len(state.results) < 2 or now is None:
            return
        answers = [record[1] for record in state.results[0].records[:state.results[1].sealed]]
        cursor = now.block.results if self.keeps('cursorlogged') else end(state.results, False, True)
        needed = self.keeps('answersneeded') and any(id in now.open for id in answers)
        if not needed and cursor >= (state.results[1].number, 0):
            yield 'locald: drops its oldest events segment', state._replace(results=state.results[1:])

    def locald_opens(self, state):
        yield 'locald restarts: new segment with the tail', state._replace(
            results=begun(state.results, tail(state.results)), closed=state.closed - {'locald'})

    # Crashes.  A mail segment that was unlinked may come back; events segments are taken as gone: nobody reads them.

    def events(self, state):
        if state.kills:
            for program in sorted({'smtpd', 'queued', 'locald'} - state.closed):
                yield f'KILL {program}', self.dead(state, program)._replace(kills=state.kills - 1)
        if state.cuts:
            dead = state
            for program in ('smtpd', 'queued', 'locald'):
                dead = self.dead(dead, program)
            for logs in product(*[self.log_after_cut(dead, name) for name in LOGS]):
                after = dead._replace(**dict(zip(LOGS, logs)), unlinked=(), cuts=state.cuts - 1)
                self.nothing_counted_on_vanished(after)
                for released in dict.fromkeys((state.released, state.released & state.erased)):
                    yield 'POWER CUT', after._replace(released=released)

    def log_after_cut(self, state, name):
        back = tuple(segment for owner, segment in state.unlinked if owner == name)
        return [prefix + log for log in after_cut(getattr(state, name)) for prefix in ((), back)[:1 + bool(back)]]

    def nothing_counted_on_vanished(self, state):
        bounces = {id for _, id in written(state.children)} | state.finished
        for kind, what in state.events[-1].records:
            if kind == 'state' and not bounces >= set(what.covered):
                raise Violation('a state block counts on a bounce that vanished in a power cut')

    def dead(self, state, program):
        state = state._replace(closed=state.closed | {program})
        if program == 'queued':
            return state._replace(temporary=())
        if program == 'smtpd':
            state = state._replace(closed=state.closed - {'smtpd names'})
            return state._replace(clients=tuple('none' if status == 'wait' else status for status in state.clients))
        return state

    def at_rest(self, state):
        for client, status in enumerate(state.clients):
            id = f'm{client + 1}'
            if status == 'ok' and id not in state.finished:
                raise Violation(f'{id} stuck: accepted, never done')
            if id in state.finished and id not in state.delivered and self.kind(id) != 'bad':
                raise Violation(f'{id} is done, never delivered')
            if id in state.finished and self.kind(id) != 'one' and 'B' + id not in state.finished:
                raise Violation(f'{id} is done, its bounce is gone')
            if status == 'ok' and id not in state.erased:
                raise Violation(f'{id} is never erased')
