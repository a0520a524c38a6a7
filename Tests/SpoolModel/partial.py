"""A write that ENOSPC stops part way: cut back to the last commit, synced, and only then 452 to all it held.

If cutting back fails, the segment is sealed at its last commit and a new one begun.
"""
from typing import NamedTuple

from log import EMPTY, after_cut, append, committed, continued, holding, synced, tail, waits
from search import Model, Violation

TORN = ('torn', '', -1)


class State(NamedTuple):
    clients: tuple                  # 'new', 'wait', 'ok', '452' or 'none'
    accepts: tuple = EMPTY
    cut_off: tuple = ()             # records above the last commit whose truncation is not durable
    refused: tuple = ()             # clients whose 452 waits for that
    done: frozenset = frozenset()   # messages delivered
    alive: bool = True
    shortages: int = 1              # appends that may yet fail
    kills: int = 0
    cuts: int = 0

    def with_clients(self, clients, status):
        return self._replace(clients=tuple(status if client in clients else old for client, old in enumerate(self.clients)))


class PartialWrites(Model):
    def __init__(self, clients=2, kills=0, cuts=0, truncate_fails=False, without=()):
        super().__init__(without)
        self.clients, self.truncate_fails = clients, truncate_fails
        self.budgets = dict(kills=kills, cuts=cuts)

    def initial(self):
        return State(('new',) * self.clients, **self.budgets)

    def moves(self, state):
        if not state.alive:
            kept = [record for record in self.readable(committed(state.accepts)) + list(self.tail(state.accepts))]
            yield 'smtpd restarts: tail copied, synced', state._replace(accepts=holding(*kept), alive=True)
            return
        if state.refused:
            yield from self.refuses(state)
            return
        for client, status in enumerate(state.clients):
            if status == 'new':
                yield from self.accepts(state, client)
        if waits(state.accepts):
            yield 'smtpd: fdatasync, commit line', state._replace(accepts=synced(state.accepts))
        for _, id, client in self.readable(committed(state.accepts)):
            if state.clients[client] == 'wait':
                yield f'smtpd: 250 for {id}', state.with_clients([client], 'ok')
            if state.clients[client] == '452':
                raise Violation(f'{id} is accepted although its client got 452')
            if id not in state.done:
                yield f'{id} delivered', state._replace(done=state.done | {id})

    def tail(self, log):
        return self.readable(tail(log))

    def readable(self, records):
        """Records up to the first that is not whole: its length covers what was written after it."""
        records = list(records)
        return records[:records.index(TORN)] if TORN in records else records

    def accepts(self, state, client):
        record = ('accept', f'm{client + 1}', client)
        waiting = state.with_clients([client], 'wait')
        yield f'smtpd: append accept {record[1]}', waiting._replace(accepts=append(state.accepts, record))
        if state.shortages:
            log = append(state.accepts, TORN)
            yield f'smtpd: append accept {record[1]} FAILS part way: no space', self.cuts_back(
                waiting._replace(shortages=state.shortages - 1), log)

    def cuts_back(self, state, log):
        last = log[-1]
        refused = tuple(client for client, status in enumerate(state.clients) if status == 'wait'
                        and client not in {record[2] for record in committed(log)})
        if not self.keeps('cutback') or self.truncate_fails and not self.keeps('cutseal'):
            return state._replace(accepts=log, refused=refused)
        if self.truncate_fails:
            return state._replace(accepts=continued(log), refused=refused)
        kept = last.commit if self.keeps('cutcommit') else len(last.records) - 1
        return state._replace(accepts=log[:-1] + (last._replace(records=last.records[:kept]),),
                              cut_off=last.records[kept:], refused=refused)

    def refuses(self, state):
        if state.cut_off and self.keeps('cutsync'):
            yield 'smtpd: fdatasync after cutting back', state._replace(cut_off=())
            return
        yield 'smtpd: 452 to all whose records were cut off', \
            state.with_clients(state.refused, '452')._replace(refused=())

    def events(self, state):
        if state.kills and state.alive:
            yield 'KILL smtpd', self.dead(state)._replace(kills=state.kills - 1)
        if state.cuts:
            dead = self.dead(state)._replace(cuts=state.cuts - 1, cut_off=())
            last = state.accepts[-1]
            longer = last._replace(records=last.records[:last.durable] + tuple(state.cut_off))
            for log in dict.fromkeys([*after_cut(state.accepts)] + [*after_cut(state.accepts[:-1] + (longer,))]):
                yield 'POWER CUT', dead._replace(accepts=log)

    def dead(self, state):
        waiting = [client for client, status in enumerate(state.clients) if status == 'wait']
        return state.with_clients(waiting, 'none')._replace(alive=False, refused=())

    def at_rest(self, state):
        for client, status in enumerate(state.clients):
            if status == 'ok' and f'm{client + 1}' not in state.done:
                raise Violation(f'client {client + 1} got 250, its message is gone')
            if status == '452' and f'm{client + 1}' in state.done:
                raise Violation(f'm{client + 1} is delivered although its client got 452')
