"""locald: stage a copy, sync it, say `staged`, rename it into new/, say `delivered`; end it by `withdrawn` when asked.

What it does next follows from its own log and from what lies in the store, never from what it remembers.
"""
from log import append, committed, written
from search import Violation

from .state import CUR, HIDDEN, IN_MAILBOX, NEW, REMOTE, STAGE, TORN, UNSYNCED, WHOLE, Copy, folder_synced, is_durable, moved


class Locald:
    def locald_moves(self, state):
        if not state.local[-1].failed:
            yield from self.serves(state)
        yield from self.syncs(state, 'local')

    def serves(self, state):
        """The next step for one assigned copy, and only that."""
        assigns = [record for record in self.follows(state.events) if record[0] == 'assign' and record[2] != REMOTE]
        for key in dict.fromkeys(record[1:3] for record in assigns):
            attempt = max(record[3] for record in assigns if record[1:3] == key)
            if (step := self.serves_copy(state, key, attempt)) is not None:
                yield step
                return

    def serves_copy(self, state, key, attempt):
        own, told = written(state.local), self.follows(state.events)
        if ('delivered', *key) in own:
            return None
        if ('withdrawn', *key) in own:
            return self.removes_stage_file(state, key)
        is_out = ('done', key[0]) not in told and ('temporary', *key, attempt) not in own
        is_staged = ('staged', *key) in own
        if not is_out and not is_staged:
            return None
        if not state.mounted:
            return self.without_store(state, key, attempt, is_out, is_staged)
        if ('recall', *key) in told and (step := self.withdraws(state, key, is_staged)):
            return step
        if not is_staged:
            return self.stages(state, key)
        if ('staged', *key) not in committed(state.local) and self.keeps('stagedur'):
            return None
        return self.delivers(state, key)

    def without_store(self, state, key, attempt, is_out, is_staged):
        """Conclude nothing: a temporary failure at most."""
        if self.keeps('storeid'):
            if self.temporary_results and is_out:
                return self.says(state, 'temporary', *key, attempt, why='store missing, ')
            return None
        return self.says(state, 'delivered', *key, why='staged but gone, presumed: ') if is_staged else None

    def says(self, state, *record, why=''):
        words = ' '.join(str(field) for field in record)
        return f'locald: {why}append {words}', state._replace(local=append(state.local, record))

    # Step 4: the stage file.

    def stages(self, state, key):
        copy = state.copy(key)
        if ('locald', 'stages', key) not in state.memory:
            if key[0] not in self.present(state):
                return None
            if copy is None:
                copy = Copy(UNSYNCED, (0, STAGE), False)
            else:
                first = copy.folders if self.atomic_renames else copy.folders[:1]
                copy = Copy(UNSYNCED, first + (copy.now | STAGE,), copy.removed)
            return f'locald: writes stage file {key[0]} {key[1]}', \
                state.remembering('locald', 'stages', key).with_copy(key, copy)
        if copy.content == UNSYNCED and self.keeps('stagefile'):
            return f'locald: fsync stage file {key[0]} {key[1]}', state.with_copy(key, copy._replace(content=WHOLE))
        if not is_durable(copy, STAGE, self.atomic_renames) and self.keeps('stagedir'):
            return 'locald: fsync stage folder', state.with_copy(key, folder_synced(copy, STAGE, self.atomic_renames))
        return self.says(state, 'staged', *key)

    def present(self, state):
        return {record[1] for record in self.follows(state.accepts) + self.follows(state.children)} - state.erased

    # Step 5: into the mailbox.

    def delivers(self, state, key):
        copy = state.copy(key)
        folders = copy.now if copy else 0
        in_mailbox = folders & IN_MAILBOX
        if self.looks_first and folders & STAGE and in_mailbox and not self.links:
            return f'locald: {key[0]} {key[1]} is in stage and in the mailbox: unlinks stage', \
                state.with_copy(key, moved(copy, folders & ~STAGE, (), self.atomic_renames))
        if folders & STAGE and not (self.links and in_mailbox):
            return self.renames(state, key, copy)
        if folders and not is_durable(copy, NEW, self.atomic_renames) and self.keeps('newsync'):
            return f'locald: fsync new/ of {key[1]}', state.with_copy(key, folder_synced(copy, NEW, self.atomic_renames))
        return self.says(state, 'delivered', *key, why='' if folders & (NEW | CUR) else 'not found, presumed: ')

    def renames(self, state, key, copy):
        message, account = key
        client = state.client_of(message)
        if copy.content == TORN:
            raise Violation(f'{message} delivered to {account} with torn content')
        if copy.now & IN_MAILBOX or copy.removed:
            raise Violation(f'{message} delivered to {account} a second time')
        if message[0] != 'B' and state.clients[client] == '4xx':
            raise Violation(f'{message} delivered although its client got 4xx')
        if message[0] != 'B' and any((client, account) == known[:2] and message != known[2] for known in state.delivered):
            raise Violation(f'message of client {client + 1} delivered to {account} twice, under two ids')
        folders = (copy.now if self.links else copy.now & ~STAGE) | NEW
        state = state.with_copy(key, moved(copy, folders, (), self.atomic_renames))
        return 'locald: ' + ('link' if self.links else 'rename') + f' {message} {account} stage -> new', \
            state._replace(delivered=state.delivered | {(client, account, message)})

    # The other end of a staged copy.

    def withdraws(self, state, key, is_staged):
        """`withdrawn` first: a stage file that is gone before the record would count as delivered."""
        copy = state.copy(key)
        if is_staged and not (copy and copy.now & STAGE):
            if ('locald', 'withdraws', key) in state.memory:
                return self.says(state, 'withdrawn', *key)
            return None
        if not self.keeps('withdrawfirst') and is_staged:
            removed = folder_synced(moved(copy, copy.now & ~STAGE), STAGE)
            return f'locald: unlinks stage file {key[0]} {key[1]}, fsync stage folder', \
                state.with_copy(key, removed).remembering('locald', 'withdraws', key)
        return self.says(state, 'withdrawn', *key)

    def removes_stage_file(self, state, key):
        copy = state.copy(key)
        if not (state.mounted and copy and copy.now & STAGE):
            return None
        if ('withdrawn', *key) not in committed(state.local) and self.keeps('withdrawdur'):
            return None
        removed = folder_synced(moved(copy, copy.now & ~STAGE), STAGE)
        return f'locald: unlinks stage file {key[0]} {key[1]}, fsync stage folder', state.with_copy(key, removed)
