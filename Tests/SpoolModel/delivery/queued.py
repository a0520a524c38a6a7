"""queued: route once, assign, bounce what fails, done, released.  It knows what its logs and the others' say.

Each call makes at most one step of a plain loop, so a kill may come between any two appends.
"""
from log import append, committed, written
from search import Violation

from .state import REMOTE

ROUTES = {'one': ('a',), 'two': ('a', 'b'), 'bad': (), 'mix': ('a',), 'remote': (REMOTE,)}


class Queued:
    def queued_moves(self, state):
        if not (state.events[-1].failed or state.children[-1].failed):
            yield from self.routes_one(state) or self.advances(state)
        for name in ('events', 'children', 'released'):
            yield from self.syncs(state, name)
        yield from self.erases(state, 'children')

    # Step 2: the route, frozen.

    def routes_one(self, state):
        """Routes the first accepted message that has no route; nothing when all have one."""
        known = set(self.routes(state)) | self.done(state)
        for record in self.follows(state.accepts) + self.follows(state.children):
            message = record[1]
            if message in state.erased and message not in self.done(state):
                raise Violation(f'{message} erased but not done')
            if message in known:
                continue
            route = self.route(state, record)
            if self.keeps('routedur'):
                return [(f'queued: append {self.shown(route)}', state._replace(events=append(state.events, route)))]
            return [(f'queued: {self.shown(route)}, in memory only', state.remembering('queued', 'route', route))]
        return []

    def route(self, state, record):
        """('route', message, addresses, refused)"""
        message = record[1]
        if message[0] == 'B':
            return 'route', message, () if self.bounces_vanish else ('s',), ()
        kind = self.messages[record[2]]
        addresses = ('a', 'bc'[state.alias]) if kind == 'alias' else ROUTES[kind]
        return 'route', message, addresses, ('x',) if kind in ('bad', 'mix') else ()

    def shown(self, route):
        return f'route {route[1]} -> {" ".join(route[2]) or "nobody"}' + (f', refused {route[3][0]}' if route[3] else '')

    def routes(self, state):
        found = {record[1]: record for record in written(state.events) if record[0] == 'route'}
        found.update({fact[2][1]: fact[2] for fact in state.memory if fact[:2] == ('queued', 'route')})
        return found

    def done(self, state):
        return {record[1] for record in written(state.events) if record[0] == 'done'}

    def results(self, state):
        return self.follows(state.local) + self.follows(state.remote)

    # Steps 3 and 6: assign, bounce, done, released.

    def advances(self, state):
        done = self.done(state)
        for message, route in self.routes(state).items():
            steps = self.releases(state, message) if message in done else self.advances_message(state, route)
            for label, following, ends_turn in steps:
                yield label, following
                if ends_turn:
                    return

    def releases(self, state, message):
        if self.no_erasure or message in state.erased or ('released', message) in written(state.released):
            return
        if ('done', message) in committed(state.events) or not self.keeps('donefirst'):
            yield f'queued: append released {message}', \
                state._replace(released=append(state.released, ('released', message))), True

    def advances_message(self, state, route):
        _, message, addresses, refused = route
        bounced, bounced_durably = self.bounced(state, message)
        delivered = {address for address in addresses if ('delivered', message, address) in self.results(state)}
        failures = list(refused) if message[0] != 'B' else []
        for address in addresses:
            if address in delivered and self.keeps('readfirst') or address in bounced and self.keeps('sticky'):
                continue
            for label, following, ends_turn in self.assigns(state, message, address):
                yield label, following, ends_turn
                if ends_turn:
                    return
            if self.has_failed(state, message, address):
                failures.append(address)
        yield from self.bounces(state, message, failures, bounced)
        if self.is_finished(state, route, failures, delivered, bounced_durably):
            events = state.events if self.keeps('routedur') else append(state.events, route)
            yield f'queued: append done {message}', state._replace(events=append(events, ('done', message))), True

    def attempts(self, state, message, address):
        return sum(record[:3] == ('assign', message, address) for record in written(state.events))

    def unanswered(self, state, message, address):
        """Is an assign out?  A temporary result answers the attempt that it names, and no other."""
        attempts = self.attempts(state, message, address)
        answers = self.temporary(state, message, address)
        if self.keeps('tmppos') or ('queued', 'assign', message, address, attempts) in state.memory:
            return attempts > 0 and not any(answer[3] == attempts for answer in answers)
        return attempts > 0 and not answers

    def temporary(self, state, message, address):
        return [record for record in self.results(state) if record[:3] == ('temporary', message, address)]

    def assigns(self, state, message, address):
        attempts = self.attempts(state, message, address)
        if self.is_recalled(state, message, address):
            return
        retry = 0 < attempts < 2 and not self.unanswered(state, message, address)
        again = self.assigns_again and attempts == 1 and ('queued', 'assign', message, address, 1) not in state.memory \
            and (not self.keeps('readfirst') or ('delivered', message, address) not in self.results(state))
        if attempts == 0 or retry or again:
            record = ('assign', message, address, attempts + 1)
            yield f'queued: append assign {message} {address} attempt {attempts + 1}', \
                state._replace(events=append(state.events, record)).remembering('queued', *record), attempts == 0

    def is_recalled(self, state, message, address):
        return ('recall', message, address) in written(state.events)

    def has_failed(self, state, message, address):
        """Withdrawn, or old with its last attempt answered; but a staged copy never expires."""
        results = self.results(state)
        if self.is_recalled(state, message, address):
            return ('withdrawn', message, address) in results
        return self.attempts(state, message, address) > 0 and not self.unanswered(state, message, address) \
            and bool(self.temporary(state, message, address)) \
            and not (self.keeps('stagedfinal') and ('staged', message, address) in results)

    def bounced(self, state, message):
        """The recipients that an accepted bounce covers: as written, and as far as `done` may count on it."""
        def covered(records):
            return {address for record in records if record[2] == message for address in record[3]}
        remembered = self.keeps('childid') or ('queued', 'bounced', message) in state.memory
        as_written = covered(written(state.children)) if remembered else set()
        return as_written, as_written & covered(
            committed(state.children) if self.keeps('mailfirst') else written(state.children))

    def bounces(self, state, message, failures, bounced):
        """A bounce's id is derived from its parent, its kind and its recipients."""
        known = [record[1] for record in written(state.children)]
        for address in failures:
            id = f'B{message}' + (address if self.keeps('childrcpt') else '') \
                + ('' if self.keeps('childid') else f'#{len(known)}')
            if address not in bounced and id not in known:
                children = append(state.children, ('accept', id, message, (address,)))
                yield f'queued: append accept of bounce {id} for {address}', \
                    state._replace(children=children).remembering('queued', 'bounced', message), False
                return

    def is_finished(self, state, route, failures, delivered, bounced):
        _, message, addresses, refused = route
        if self.keeps('childrcpt'):
            return all(address in delivered or address in bounced for address in addresses) \
                and (message[0] == 'B' or all(address in bounced for address in refused))
        exists = any(record[2] == message for record in committed(state.children))   # one child a parent: it covers all
        return all(address in delivered or address in bounced or exists and address in failures
                   for address in addresses) and (exists or not refused)

    def recalls(self, state):
        """The message expired or was deleted while an assign is out: queued asks locald to end it."""
        if not self.may_recall or 'queued' not in state.alive:
            return
        for message, route in self.routes(state).items():
            for address in route[2]:
                if message[0] != 'B' and message not in self.done(state) and not self.is_recalled(state, message, address) \
                   and self.unanswered(state, message, address) \
                   and ('delivered', message, address) not in self.results(state):
                    yield f'queued: {message} is deleted, append recall {message} {address}', \
                        state._replace(events=append(state.events, ('recall', message, address)))
