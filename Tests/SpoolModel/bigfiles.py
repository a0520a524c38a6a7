"""Content above 128 KiB: mail/big/<id>, written and synced before its record's commit, unlinked when released.

The rest of the system is one loop: what is accepted and committed is read, done, released.
"""
from itertools import product
from typing import NamedTuple

from log import EMPTY, after_cut, append, committed, holding, synced, tail, waits, written
from search import Model, Violation, subsets

UNSYNCED, WHOLE, TORN = 'unsynced', 'whole', 'torn'


class File(NamedTuple):
    id: str
    content: str
    named: bool                     # its entry in big/ is durable


class State(NamedTuple):
    clients: tuple                  # 'new', 'sends', 'wait', 'ok' or 'none'
    accepts: tuple = EMPTY          # ('accept', id, client)
    events: tuple = EMPTY           # queued: ('done', id)
    released: tuple = EMPTY         # queued: ('released', id)
    big: tuple = ()                 # files with an entry
    unlinked: tuple = ()            # files whose unlink is not durable
    alive: bool = True              # smtpd
    kills: int = 0
    cuts: int = 0

    def file(self, id):
        return next((file for file in self.big if file.id == id), None)

    def with_client(self, client, status):
        return self._replace(clients=self.clients[:client] + (status,) + self.clients[client + 1:])

    def with_file(self, file):
        return self._replace(big=tuple(sorted([other for other in self.big if other.id != file.id] + [file])))

    def without_file(self, file):
        return self._replace(big=tuple(other for other in self.big if other.id != file.id),
                             unlinked=tuple(sorted(self.unlinked + (file,))))


class BigFiles(Model):
    def __init__(self, messages=1, kills=0, cuts=0, without=()):
        super().__init__(without)
        self.messages, self.budgets = messages, dict(kills=kills, cuts=cuts)

    def initial(self):
        return State(('new',) * self.messages, **self.budgets)

    def moves(self, state):
        yield from self.smtpd(state) if state.alive else self.opens(state)
        yield from self.queued(state)

    # smtpd

    def smtpd(self, state):
        for client, status in enumerate(state.clients):
            id = f'm{client + 1}'
            if status == 'new':
                yield f'smtpd: streams {id} to big/', \
                    state.with_client(client, 'sends').with_file(File(id, UNSYNCED, False))
            if status == 'sends':
                yield self.finishes(state, client, id)
        if waits(state.accepts):
            yield 'smtpd: fdatasync, commit line', state._replace(accepts=synced(state.accepts))
        for _, id, client in committed(state.accepts):
            if state.clients[client] == 'wait':
                yield f'smtpd: 250 for {id}', state.with_client(client, 'ok')
            if ('released', id) in committed(state.released) and (file := state.file(id)):
                yield f'smtpd: unlinks big/{id}', state.without_file(file)
        if not self.keeps('sweepatstart'):
            yield from self.sweeps(state, 'smtpd, running: ')

    def finishes(self, state, client, id):
        """fsync of the file, of its folder, then the record."""
        file = state.file(id)
        if file and file.content == UNSYNCED and self.keeps('bigfile'):
            return f'smtpd: fsync big/{id}', state.with_file(file._replace(content=WHOLE))
        if file and not file.named and self.keeps('bigdir'):
            return 'smtpd: fsync folder big/', state.with_file(file._replace(named=True))
        return f'smtpd: append accept {id}', \
            state.with_client(client, 'wait')._replace(accepts=append(state.accepts, ('accept', id, client)))

    def opens(self, state):
        """A new segment with the valid tail; then what no valid record names is removed from big/."""
        valid = committed(state.accepts)
        for record in tail(state.accepts):
            if not self.keeps('bigvalid') and not state.file(record[1]):
                break
            valid.append(record)
        swept = state
        if self.keeps('orphans'):
            named = {record[1] for record in (valid if self.keeps('bigtail') else committed(state.accepts))}
            for file in state.big:
                if file.id not in named:
                    swept = swept.without_file(file)
        kept = [record for record in valid if ('released', record[1]) not in committed(state.released)
                or swept.file(record[1])]
        yield 'smtpd restarts: copies the tail, unlinks segments all erased, sweeps big/', \
            swept._replace(accepts=holding(*kept), alive=True)

    def sweeps(self, state, who):
        named = {record[1] for record in written(state.accepts)}
        for file in state.big:
            if file.id not in named:
                yield f'{who}removes orphan big/{file.id}', state.without_file(file)

    # queued, with the agents in it

    def queued(self, state):
        known = written(state.events)
        for _, id, _ in committed(state.accepts):
            if ('done', id) not in known:
                self.reads(state, id)
                yield f'queued: {id} delivered, append done', state._replace(events=append(state.events, ('done', id)))
        for _, id in committed(state.events) if self.keeps('bigdone') else known:
            if ('released', id) not in written(state.released):
                yield f'queued: append released {id}', \
                    state._replace(released=append(state.released, ('released', id)))
        for name in ('events', 'released'):
            if waits(getattr(state, name)):
                yield f'queued: fdatasync {name}, commit line', state._replace(**{name: synced(getattr(state, name))})

    def reads(self, state, id):
        file = state.file(id)
        if file is None:
            raise Violation(f'{id} is accepted and not done, big/{id} is gone')
        if file.content == TORN:
            raise Violation(f'{id} delivered with torn content')

    # crashes

    def events(self, state):
        if state.kills and state.alive:
            yield 'KILL smtpd', self.dead(state)._replace(kills=state.kills - 1)
        if state.cuts:
            for after in self.power_cut(self.dead(state)):
                yield 'POWER CUT', after._replace(cuts=state.cuts - 1)

    def dead(self, state):
        lost = tuple('none' if status in ('sends', 'wait') else status for status in state.clients)
        return state._replace(alive=False, clients=lost)

    def power_cut(self, state):
        logs = [list(after_cut(getattr(state, name))) for name in ('accepts', 'events', 'released')]
        unsure = [file for file in state.big if not file.named] + list(state.unlinked)
        sure = [file for file in state.big if file.named]
        for kept, accepts, events, released in product(subsets(unsure), *logs):
            contents = [[file._replace(content=content, named=True) for content in self.contents(file)]
                        for file in sorted(sure + kept)]
            for files in product(*contents):
                events, released = (holding(*written(log)) for log in (events, released))
                yield state._replace(accepts=accepts, events=events, released=released, big=files, unlinked=())

    def contents(self, file):
        return (WHOLE, TORN) if file.content == UNSYNCED else (file.content,)

    def at_rest(self, state):
        for client, status in enumerate(state.clients):
            if status == 'ok' and ('done', f'm{client + 1}') not in committed(state.events):
                raise Violation(f'client {client + 1} got 250, its message is gone')
        if state.big:
            raise Violation(f'big/{state.big[0].id} is left for ever')
