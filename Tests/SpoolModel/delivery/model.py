"""The delivery model put together, and what must be true when no program can move."""
from log import committed, holding, written
from search import Model, Violation

from .locald import Locald
from .queued import Queued
from .remoted import Remoted
from .smtpd import SMTPD
from .state import IN_MAILBOX, PROGRAMS, REMOTE, STAGE, TORN, State
from .world import World


class Delivery(Model, SMTPD, Queued, Locald, Remoted, World):
    """`messages`: what each client sends; 'one' account, 'two', an 'alias' that may change, a 'bad' recipient,
    'mix' of one good and one bad, 'remote'.  The other arguments are budgets of crashes and what may happen."""

    def __init__(self, messages=('one',), kills=0, cuts=0, sync_errors=0, without=(), *, user=False,
                 alias_changes=False, unmounts=False, temporary_results=False, may_recall=False, two_disks=False,
                 opening_in_steps=False, assigns_again=False, already_accepted=False, bounces_vanish=False,
                 no_erasure=False, killed=PROGRAMS, logs_with_errors=('accepts', 'events', 'children', 'local'),
                 atomic_renames=True, looks_first=False, links=False):
        super().__init__(without)
        self.messages, self.budgets = messages, dict(kills=kills, cuts=cuts, sync_errors=sync_errors)
        self.user, self.alias_changes, self.unmounts = user, alias_changes, unmounts
        self.temporary_results, self.may_recall, self.two_disks = temporary_results, may_recall, two_disks
        self.opening_in_steps, self.assigns_again = opening_in_steps, assigns_again
        self.already_accepted, self.bounces_vanish, self.no_erasure = already_accepted, bounces_vanish, no_erasure
        self.killed, self.logs_with_errors = killed, logs_with_errors
        self.atomic_renames, self.looks_first, self.links = atomic_renames, looks_first, links

    def initial(self):
        state = State(('new',) * len(self.messages), unmounts=int(self.unmounts), **self.budgets)
        if self.already_accepted:
            state = state._replace(clients=('ok',), accepts=holding(('accept', 'm1', 0)), ids=(('m1', 0),))
        return state

    def follows(self, log):
        """What one program reads of another's log."""
        return committed(log) if self.keeps('commit') else written(log)

    def moves(self, state):
        for program in PROGRAMS:
            if program in state.alive:
                yield from getattr(self, f'{program}_moves')(state)
            else:
                yield from self.restarts(state, program)
        if not state.mounted:
            yield 'store mounted', state._replace(mounted=True)

    # The promises.

    def at_rest(self, state):
        accepted = {record[1] for record in committed(state.accepts)} | state.erased
        for client, reply in enumerate(state.clients):
            living = [id for id, owner in state.ids if owner == client and id in accepted]
            if reply == 'ok' and not living:
                raise Violation(f'client {client + 1} got 250, its message is gone')
            if reply == '4xx' and living:
                raise Violation(f'client {client + 1} got 4xx, its message is accepted')
            for message in living:
                self.message_is_finished(state, message)
        for record in committed(state.children):
            self.message_is_finished(state, record[1])
        if state.sent > self.messages.count('remote') * (1 + self.budgets['kills'] + self.budgets['cuts']):
            raise Violation('sent more often than there were crashes')

    def message_is_finished(self, state, message):
        events, copies = committed(state.events), dict(state.copies)
        if ('done', message) not in events:
            raise Violation(f'{message} stuck: accepted, never done')
        routes = [record for record in events if record[:2] == ('route', message)]
        if len(routes) != 1:
            raise Violation(f'{message} routed {len(routes)} times')
        _, _, addresses, refused = routes[0]
        bounced = [address for record in committed(state.children) if record[2] == message for address in record[3]]
        for address in addresses:
            copy = copies.get((message, address))
            arrived = state.sent > 0 if address == REMOTE else bool(copy and (copy.removed or copy.now & IN_MAILBOX))
            if arrived and copy and copy.content == TORN:
                raise Violation(f'{message} {address} torn')
            if arrived + bounced.count(address) != 1:
                raise Violation(f'{message} {address}: delivered {int(arrived)}, bounced {bounced.count(address)}, yet done')
            if copy and copy.now & STAGE and ('withdrawn', message, address) in committed(state.local):
                raise Violation(f'{message} {address} withdrawn, its stage file left')
        for address in refused if message[0] != 'B' else ():
            if bounced.count(address) != 1:
                raise Violation(f'{message} {address}: {bounced.count(address)} bounces')
        for (owner, account), copy in copies.items():
            if owner == message and account not in addresses and copy.now & IN_MAILBOX:
                raise Violation(f'{message} delivered to {account}, not on its route')
