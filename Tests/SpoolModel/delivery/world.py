"""What the world does: kills, power cuts, a store that is not there, people who read and expunge; and restarts."""
from itertools import product

from log import Segment, after_cut, committed, continued, forgetful, holding, tail
from search import Violation, subsets

from .state import CUR, HIDDEN, NEW, PROGRAMS, STAGE, TORN, UNSYNCED, WHOLE, WRITER, Copy, moved


class World:
    def events(self, state):
        yield from self.recalls(state)
        if self.alias_changes and state.alias == 0:
            yield 'alias table changes', state._replace(alias=1)
        if state.unmounts and 'locald' not in state.alive and state.mounted:
            yield 'store not mounted', state._replace(mounted=False, unmounts=0)
        if self.user and state.mounted:
            yield from self.user_acts(state)
        if state.kills:
            for program in self.killed:
                opening = program == 'smtpd' and any(fact[0] == 'smtpd' for fact in state.memory)
                if program in state.alive or opening:
                    yield f'KILL {program}', self.dead(state, program)._replace(kills=state.kills - 1)
        if state.cuts:
            for disk in ('store', 'spool') if self.two_disks else ('both',):
                for after in self.power_cut(state, disk):
                    yield f'POWER CUT ({disk})', after._replace(cuts=state.cuts - 1)

    def user_acts(self, state):
        for key, copy in state.copies:
            now = copy.now
            name = f'{key[0]} {key[1]}'
            if now & NEW:
                yield f'user opens {name} (new -> cur, not synced)', \
                    state.with_copy(key, moved(copy, now & ~NEW | CUR, (), self.atomic_renames))
            if now & (NEW | CUR):
                hidden = moved(copy, now & STAGE | HIDDEN, (NEW, CUR, HIDDEN), self.atomic_renames)
                yield f'user expunges {name} (-> hidden, synced)', state.with_copy(key, hidden._replace(removed=True))
            if now & HIDDEN:
                yield f'purge of {name}', \
                    state.with_copy(key, moved(copy, now & ~HIDDEN, (NEW, CUR, HIDDEN), self.atomic_renames))

    def dead(self, state, program):
        clients = tuple('none' if program == 'smtpd' and status == 'wait' else status for status in state.clients)
        state = state._replace(alive=state.alive - {program}, clients=clients,
                               memory=frozenset(fact for fact in state.memory if fact[0] != program))
        return state._replace(**{name: forgetful(getattr(state, name))
                                 for name, writer in WRITER.items() if writer == program})

    # Power cuts.

    def power_cut(self, state, disk):
        for program in PROGRAMS:
            if disk != 'store' or program == 'locald':
                state = self.dead(state, program)
        spool, store = disk != 'store', disk != 'spool'
        logs = [list(after_cut(getattr(state, name))) if spool else [getattr(state, name)] for name in WRITER]
        copies = [[(key, kept) for kept in self.copies_after_cut(copy)] if store else [(key, copy)]
                  for key, copy in state.copies]
        erasures = [state.erased_durably | set(kept) for kept in subsets(state.erased - state.erased_durably)] \
            if spool else [None]
        for kept_logs, kept_copies, erased in product(product(*logs), product(*copies), erasures):
            after = state._replace(**dict(zip(WRITER, kept_logs)), copies=tuple(
                (key, copy) for key, copy in kept_copies if copy.now or copy.folders[0] or copy.removed))
            if erased is not None:
                after = after._replace(erased=frozenset(erased), erased_durably=frozenset(erased))
            self.nothing_acted_on_vanished(after)
            yield after

    def copies_after_cut(self, copy):
        if self.atomic_renames:
            kept = {(folders,) for folders in copy.folders}
        else:
            durable, now = copy.folders
            bits = [bit for bit in (STAGE, NEW, CUR, HIDDEN) if (durable ^ now) & bit]
            kept = {(durable ^ sum(flips),) * 2 for flips in product(*[(0, bit) for bit in bits])}
        for folders in sorted(kept):
            for content in (WHOLE, TORN) if copy.content == UNSYNCED else (copy.content,):
                yield Copy(content, folders, copy.removed)

    def nothing_acted_on_vanished(self, state):
        valid = {name: committed(getattr(state, name)) + list(tail(getattr(state, name), state.erased))
                 for name in WRITER}
        accepted = {record[1] for record in valid['accepts'] + valid['children']} | state.erased_durably
        assigned = {record[1:3] for record in valid['events'] if record[0] == 'assign'}
        for record in valid['events']:
            if record[1] not in accepted:
                raise Violation(f'queued acted on {record[1]}, whose accept vanished in a power cut')
        for record in valid['local']:
            if record[1:3] not in assigned:
                raise Violation(f'locald acted on an assign of {record[1]} that vanished in a power cut')
        for message in sorted(state.erased_durably | {record[1] for record in valid['released']}):
            if ('done', message) not in valid['events']:
                raise Violation(f'{message} erased or released, but its done vanished in a power cut')

    # Restarts.

    def restarts(self, state, program):
        if program == 'smtpd' and self.opening_in_steps:
            yield self.opens_in_steps(state)
            return
        for name, writer in WRITER.items():
            if writer == program:
                state = self.recovered(state, name)
        yield f'{program} restarts (tail copied, synced)', state._replace(alive=state.alive | {program})

    def recovered(self, state, name):
        """The writer's opening in one step: a new segment with the valid tail, synced, named, committed."""
        log = getattr(state, name)
        copied = tail(log, state.erased)
        if not self.keeps('keepid') and name == 'accepts':
            copied = tuple((kind, id + "'", client) for kind, id, client in copied)
            state = state._replace(ids=state.ids + tuple(record[1:3] for record in copied))
        records = tuple(committed(log)) + copied
        if name == 'accepts':                           # a segment whose messages are all erased is unlinked
            gone = frozenset(record[1] for record in records) & state.erased
            state = state._replace(erased_durably=state.erased_durably | gone)
            records = tuple(record for record in records if record[1] not in gone)
        return state._replace(**{name: holding(*records)})

    def opens_in_steps(self, state):
        """smtpd: the new segment gets its name when its copied tail is synced, its commit line when it is named."""
        log, whole = state.accepts, self.keeps('nameafter')
        opening = next((fact for fact in state.memory if fact[0] == 'smtpd'), None)
        if opening is None:
            if self.keeps('namesfirst'):
                log = tuple(segment._replace(named=True) for segment in log)
            copied = tail(log, state.erased)
            begun = continued(log, named=False, headed=whole, records=copied if whole else ())
            step = ', header and tail synced, renamed to its name' if whole else ' created under its name'
            return f'smtpd restarts: new segment{step}', \
                state._replace(accepts=begun).remembering('smtpd', 'named', copied)
        last = log[-1]
        state = state._replace(memory=state.memory - {opening})
        if opening[1] == 'named':
            if not whole:
                last = last._replace(records=opening[2], durable=len(opening[2]), headed=True)
            return 'smtpd: folder synced', \
                state._replace(accepts=log[:-1] + (last._replace(named=True),)).remembering('smtpd', 'synced', ())
        return 'smtpd: opening commit line, ready', \
            state._replace(accepts=log[:-1] + (last._replace(commit=len(last.records)),), alive=state.alive | {'smtpd'})
