"""smtpd: accept, sync, reply; begin a new segment after an error; erase what is released.

Also the steps by which every owner of a mail log erases and every writer syncs, for they are the same.
"""
from log import append, commit_covered, committed, continued, failed, settled, synced, tail, waits, written
from search import Violation

from .state import WRITER


class SMTPD:
    def smtpd_moves(self, state):
        yield from self.receives(state)
        for record in committed(state.accepts):
            if state.clients[record[2]] == 'wait':
                yield f'smtpd: 250 for {record[1]}', self.replied(state, record[2], 'ok')
        yield from self.erases(state, 'accepts')
        yield from self.syncs(state, 'accepts')

    def receives(self, state):
        for client, status in enumerate(state.clients):
            if status != 'new' or 'new' in state.clients[:client] or state.accepts[-1].failed:
                continue
            id = f'm{client + 1}' if self.keeps('epoch') else self.next_number(state)
            if any(known == id and state.clients[other] == 'ok' for known, other in state.ids):
                raise Violation(f'id {id} used again for another message')
            waiting = self.replied(state, client, 'wait')._replace(ids=state.ids + ((id, client),))
            yield f'client {client + 1} sends; smtpd: append accept {id}', \
                waiting._replace(accepts=append(state.accepts, ('accept', id, client)))

    def next_number(self, state):
        """Without an epoch: one more than what the log shows, which may have lost the last one given."""
        return 'm%d' % (1 + max([0] + [int(record[1][1:]) for record in written(state.accepts)]))

    def replied(self, state, client, reply):
        return state._replace(clients=state.clients[:client] + (reply,) + state.clients[client + 1:])

    # The steps shared by the owners of logs.

    def erases(self, state, name):
        """Punches the content of released messages out, below a commit line that a later sync has covered."""
        if self.no_erasure:
            return
        log, released = getattr(state, name), {record[1] for record in self.follows(state.released)}
        for segment in log:
            for position, record in enumerate(segment.records):
                if record[1] not in released or record[1] in state.erased:
                    continue
                covered = position < segment.commit_durable or segment is not log[-1]
                if covered or not self.keeps('erasesafe'):
                    if not any(('done', record[1]) in part.records[:part.durable] for part in state.events):
                        raise Violation(f'{record[1]} erased before its done is durable')
                    yield f'{WRITER[name]}: punches {record[1]} out', state._replace(erased=state.erased | {record[1]})

    def syncs(self, state, name):
        log, writer = getattr(state, name), WRITER[name]
        if log[-1].failed:
            yield f'{writer}: seals {name} at its last commit, begins a new segment', self.sealed(state, name, log)
            return
        if self.wants_commit_covered(state, name):
            yield f'{writer}: fdatasync {name} again, so that its commit line is durable', \
                self.tidied(state, name, commit_covered(log))
        if not waits(log):
            return
        yield f'{writer}: fdatasync {name}, commit line', \
            state._replace(**{name: synced(log, self.keeps('segdir'))})
        if state.sync_errors and name in self.logs_with_errors:
            yield f'{writer}: fdatasync {name} FAILS' + (', 4xx to those who wait' if name == 'accepts' else ''), \
                self.sync_failed(state._replace(sync_errors=state.sync_errors - 1), name, log)

    def wants_commit_covered(self, state, name):
        if self.no_erasure or name not in ('accepts', 'children'):
            return False
        last, released = getattr(state, name)[-1], {record[1] for record in self.follows(state.released)}
        return last.commit_durable < last.commit == len(last.records) \
            and any(record[1] in released - state.erased for record in last.records)

    def sync_failed(self, state, name, log):
        """Sealed at the last commit, durably, and only then the 4xx (a kill between the two: no reply)."""
        sealed = state._replace(**{name: failed(log)})
        if self.keeps('sealfirst'):
            sealed = self.sealed(state, name, log)
        return self.refused(sealed, log) if name == 'accepts' else sealed

    def sealed(self, state, name, log):
        return self.tidied(state, name, continued(log, self.keeps('sealed'), named=self.keeps('segdir')))

    def refused(self, state, log):
        for record in tail(log):
            if state.clients[record[2]] == 'wait':
                state = self.replied(state, record[2], '4xx')
        return state

    def tidied(self, state, name, log):
        return state._replace(**{name: settled(log) if self.keeps('sealed') else log})
