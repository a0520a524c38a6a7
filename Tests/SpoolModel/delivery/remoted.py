"""remoted: sends what is assigned to it, then says so.  At least once, as SMTP is."""
from log import append, committed, written

from .state import REMOTE


class Remoted:
    def remoted_moves(self, state):
        results = written(state.remote)
        present = {record[1] for record in committed(state.accepts)} - state.erased
        for record in committed(state.events):
            if record[0] != 'assign' or record[2] != REMOTE:
                continue
            message = record[1]
            if ('delivered', message, REMOTE) in results or message not in present:
                continue
            if ('remoted', message) in state.memory:
                yield f'remoted: append sent {message}', \
                    state._replace(remote=append(state.remote, ('delivered', message, REMOTE)))
            else:
                yield f'remoted: sends {message}', state.remembering('remoted', message)._replace(sent=state.sent + 1)
            break
        yield from self.syncs(state, 'remote')
