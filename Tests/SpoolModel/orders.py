"""Orders of the administrator, and notices that a sender is owed: what queued must remember, and say in which order.

One message with one copy, open and named by queued's first block.  The administrator asks for `requests`, one after the other,
at any time; the agent answers each assignment that it sees, a budget of times with a temporary failure.  Its log and that of
mailctl are durable at once.  A notice is a message of its own: it is brought to the sender, ended by queued and then erased.
What must show: the copy is delivered or failed, and not both; the sender hears what he wants to hear, once; nothing is handed
out that is held, or was deleted or returned, once queued has said so durably.

Positions that move, accepts that cannot be seen and agents that forget are the other models' (`shows.py`, `inbox.py`).
"""
from itertools import product
from typing import NamedTuple

from history_blocks import begun
from log import EMPTY, after_cut, append, committed, holding, synced, tail, waits, written
from search import Model, Violation
from shows import first_commit

READY, ASSIGNED, DELIVERED, FAILED, BOUNCED = 'ready', 'assigned', 'delivered', 'failed', 'bounced'
ENDING = ('delete', 'bounce')
DONE = ('done',)


class Message(NamedTuple):
    copy: str = READY
    attempt: int = 0
    order: str = ''
    owes: str = ''                  # the notice that the sender is still to have: 'delivered', 'delayed'
    told: bool = False              # he knows that it takes long


class Queue(NamedTuple):
    """What a kill of queued loses."""
    open: Message = Message()       # None when it is done
    requests: int = 0               # how far it has heard the administrator
    results: int = 0                # … and the agent
    obeyed: str = ''                # the order as it stood last, also of what is done


class State(NamedTuple):
    events: tuple = holding(('state', Queue()))     # queued: ('state', Queue), ('assign', attempt), ('deferred',), ('ordered', command), ('bounced',), ('notified', notice), DONE, ('ended', notice)
    children: tuple = EMPTY                 # queued's mail log: ('accept', notice)
    requests: tuple = ()                    # mailctl's log
    results: tuple = ()                     # the agent's log: 0 for delivered, else the attempt that failed
    queue: Queue = Queue()
    closed: bool = False
    erased: frozenset = frozenset()         # notices whose content is gone
    asked: tuple = ()                       # what the administrator may yet ask
    brought: frozenset = frozenset()        # notices of which the agents know that they are brought on
    told: tuple = ()                        # what is true: notices that the sender has got
    held: bool = False                      # … queued has said durably that it holds the message
    ended: str = ''                         # … or that it is ended so
    failed: bool = False                    # … or that its copy has failed
    temporary: int = 0
    rotations: int = 0
    kills: int = 0
    cuts: int = 0

    def knowing(self, **facts):
        return self._replace(queue=self.queue._replace(**facts))

    def opened(self, **facts):
        return self.knowing(open=self.queue.open._replace(**facts))

    def saying(self, *record):
        return self._replace(events=append(self.events, record))


class Orders(Model):
    """`wants`: the sender asked to hear of success and delay.  `already_told`: of the delay he knows, and that notice is gone."""

    def __init__(self, requests=(), temporary=0, wants=False, already_told=False, rotations=0, kills=0, cuts=0, without=()):
        super().__init__(without)
        self.already_told, self.wants, self.budgets = already_told, wants, dict(asked=requests, temporary=temporary, rotations=rotations, kills=kills, cuts=cuts)

    def initial(self):
        state = State(**self.budgets)
        if not self.already_told:
            return state
        state = state.opened(told=True)._replace(told=('delayed',))
        return state._replace(events=holding(('state', state.queue)))

    def moves(self, state):
        yield from self.agent(state)
        if state.closed:
            yield 'queued restarts: new segment with the tail and a block', self.starts(state)
        elif not state.events[-1].commit:
            yield 'queued: first commit line of the new segment', self.durable(state._replace(events=first_commit(state.events)))
        else:
            if not self.is_telling(state):
                yield from self.hears(state)
                yield from self.brings_on(state)
            yield from self.notices(state)
            yield from self.commits(state)

    # The agent brings the copy on once, whatever it is asked.

    def agent(self, state):
        if 0 in state.results:
            return
        for attempt in sorted(seen(state.events) - set(state.results)):
            yield 'the agent delivers, and says so', state._replace(results=state.results + (0,))
            if state.temporary:
                yield f'the agent fails at attempt {attempt}, and says so', state._replace(
                    results=state.results + (attempt,), temporary=state.temporary - 1)

    # queued hears

    def hears(self, state):
        queue = state.queue
        if queue.requests < len(state.requests):
            command = state.requests[queue.requests]
            yield f'queued: hears {command}', self.obeys(state.knowing(requests=queue.requests + 1), command)
        if queue.results < len(state.results):
            answer = state.results[queue.results]
            yield f'queued: hears that attempt {answer} failed' if answer else 'queued: hears that it is delivered', \
                self.answered(state.knowing(results=queue.results + 1), answer)

    def obeys(self, state, command):
        message = state.queue.open
        if command == 'release':
            state = state._replace(held=False)
            return self.ordered(state, '', command) if message and message.order == 'hold' else state
        if not message or message.order and not (message.order == 'hold' and command != 'hold'):
            return state
        return self.carried_out(self.ordered(state, command, command))

    def ordered(self, state, order, command):
        return (state.saying('ordered', command) if self.keeps('orderlogged') else state).opened(order=order).knowing(obeyed=order)

    def carried_out(self, state):
        """What no agent has ends at once."""
        message = state.queue.open
        if message and message.order in ENDING and (message.copy == READY or message.copy == ASSIGNED and not self.keeps('orderasks')):
            return state.opened(copy=FAILED, owes='')
        return state

    def answered(self, state, answer):
        """A final answer counts whichever assign it names; a temporary one only for the one that it names."""
        message = state.queue.open
        if not message or message.copy in (DELIVERED, FAILED, BOUNCED):
            return state
        if answer == 0:
            return state.opened(copy=DELIVERED, owes='delivered' if self.wants else '')
        if (message.copy, message.attempt) != (ASSIGNED, answer):
            return state
        if message.order in ENDING and self.keeps('orderlater'):
            return state.opened(copy=FAILED, owes='')
        late = 'delayed' if self.wants and not message.told else ''
        return state.saying('deferred').opened(copy=READY, owes=message.owes or late)

    # queued acts

    def brings_on(self, state):
        message = state.queue.open
        if not message:
            return
        if message.copy == READY and not message.order:
            if state.held or state.ended:
                raise Violation(f'handed out although queued has said: {state.ended or "hold"}')
            attempt = message.attempt + 1
            yield f'queued: append assign, attempt {attempt}', state.saying('assign', attempt).opened(copy=ASSIGNED, attempt=attempt)
        if message.copy == FAILED and message.order == 'delete':
            yield 'queued: append bounced, nobody is told', state.saying('bounced').opened(copy=BOUNCED)
        if message.copy in (DELIVERED, BOUNCED) and not (message.owes and self.keeps('noticedone')):
            yield 'queued: append done', state.saying(*DONE).knowing(open=None)

    def is_telling(self, state):
        """From the accept of a notice to its record is one turn of the loop: nothing is heard in between."""
        message = state.queue.open
        due = message and ('bounce' if message.copy == FAILED and message.order != 'delete' else message.owes)
        return bool(due) and due not in state.erased and ('accept', due) in written(state.children)

    def notices(self, state):
        """A bounce is a notice too.  Its accept is in the mail log, then it is said of the message, then it is brought on."""
        message, there = state.queue.open, set(written(state.children)) - {('accept', name) for name in state.erased}
        due = message and ('bounce' if message.copy == FAILED and message.order != 'delete' else message.owes)
        accepted = due and ('accept', due) in (committed(state.children) if self.keeps('noticefirst') else there)
        if due and ('accept', due) not in there:
            yield f'queued: append accept of the notice, {due}', state._replace(
                children=append(state.children, ('accept', due)), erased=state.erased - {due})
        elif due and accepted and ('accept', due) in there:
            yield f'queued: append that {due} is told', self.heard(state.saying(*(('bounced',) if due == 'bounce' else ('notified', due))), due)
        for _, name in sorted(set(committed(state.children)) & there):
            if ('ended', name) not in written(state.events) and (name != due or not self.keeps('noticesaid')):
                got = () if name in state.brought else (name,)
                yield f'the sender gets {name}; queued: append its end', state.saying('ended', name)._replace(
                    told=state.told + got, brought=state.brought | {name})
            elif ('ended', name) in committed(state.events):
                yield f'queued: {name} is erased', state._replace(
                    erased=state.erased | {name}, brought=state.brought - {name}, events=forgetting(state.events, ('ended', name)))

    def heard(self, state, name):
        """A notice that was accepted: nobody is told again."""
        message = state.queue.open
        if name == 'bounce':
            return state if message.copy == DELIVERED else state.opened(copy=BOUNCED, owes='')
        if name == 'delivered' and self.keeps('noticeends'):
            return state.opened(copy=DELIVERED, owes='')
        return state.opened(told=message.told or name == 'delayed', owes='' if message.owes == name else message.owes)

    def commits(self, state):
        if waits(state.children):
            yield 'queued: fdatasync its mail log, commit line', state._replace(children=synced(state.children))
        if waits(state.events):
            yield 'queued: fdatasync its events, commit line', self.durable(state._replace(events=synced(state.events)))
        elif state.rotations and len(state.events[-1].records) > 1:
            yield 'queued: new segment', self.with_block(state._replace(rotations=state.rotations - 1), ())

    def durable(self, state):
        """What is true from now on: what queued obeys, and has said so."""
        order = state.queue.obeyed
        return state._replace(held=state.held or order == 'hold', ended=order if order in ENDING else state.ended,
                              failed=state.failed or ('bounced',) in written(state.events))

    # queued: a start

    def starts(self, state):
        records = state.events[-1].records
        first = next(index for index, record in enumerate(records) if record[0] == 'state')
        state = state._replace(queue=records[first][1])
        for record in records[first + 1:]:
            state = self.replayed(state, record)
        for _, name in written(state.children):
            if state.queue.open and name not in state.erased:
                state = self.heard(state, name)
        if self.keeps('orderstart'):
            state = self.carried_out(state)
        kept = tuple(record for record in tail(state.events) if record[0] not in ('assign', 'state')[:1 + self.keeps('tailblock')])
        children = begun(state.children, tail(state.children)) if tail(state.children) else state.children
        return self.with_block(state._replace(closed=False, children=children), kept)

    def replayed(self, state, record):
        message, verb = state.queue.open, record[0]
        if verb == 'done':
            return state.knowing(open=None)
        if not message:
            return state
        if verb == 'assign' and message.copy not in (BOUNCED, DELIVERED):
            return state.opened(copy=ASSIGNED, attempt=record[1])
        if verb == 'deferred':
            return state.opened(copy=READY)
        if verb == 'ordered':
            order = '' if record[1] == 'release' else record[1]
            return state.opened(order=order).knowing(obeyed=order)
        if verb in ('bounced', 'notified'):
            return self.heard(state, record[1] if verb == 'notified' else 'bounce')
        return state

    def with_block(self, state, kept):
        message = state.queue.open
        if message:
            message = message._replace(order=message.order if self.keeps('orderblock') else '',
                                       owes=message.owes if self.keeps('noticeowed') else '',
                                       told=message.told and self.keeps('noticetold'))
        ended = tuple(record for record in written(state.events) if record[0] == 'ended' and record not in kept)
        events = begun(state.events, kept + ended + (('state', state.queue._replace(open=message)),), False)
        return state._replace(events=(events[-1]._replace(number=1, sealed=-1),))     # nobody needs the older ones

    # The world

    def events(self, state):
        if state.asked:
            yield f'the administrator asks: {state.asked[0]}', state._replace(requests=state.requests + state.asked[:1], asked=state.asked[1:])
        if state.kills and not state.closed:
            yield 'KILL queued', dead(state)._replace(kills=state.kills - 1)
        if state.cuts:
            for events, children in product(after_cut(state.events), after_cut(state.children)):
                yield 'POWER CUT', dead(state)._replace(events=events, children=children, cuts=state.cuts - 1)

    def at_rest(self, state):
        message, is_delivered = state.queue.open, 0 in state.results
        if message and not (message.order == 'hold' and message.copy == READY):
            raise Violation('stuck: not done, and not held')
        for name in set(state.told):
            if state.told.count(name) > 1:
                raise Violation(f'the sender is told twice: {name}')
        if 'bounce' in state.told and (is_delivered or 'bounce' not in state.requests):
            raise Violation('returned, and delivered or deleted')
        if not message:
            if is_delivered and self.wants and 'delivered' not in state.told:
                raise Violation('the sender is not told that it is delivered')
            if not is_delivered and not set(ENDING) & set(state.requests):
                raise Violation('done, and neither delivered nor ended')
            if not is_delivered and state.ended == 'bounce' and 'bounce' not in state.told:
                raise Violation('returned, and its sender knows nothing')
            if is_delivered and state.failed:
                raise Violation('deleted, and delivered')


def seen(log):
    """The attempts that an agent may have seen: those below a commit line, and the one that a block names."""
    found = {record[1] for record in committed(log) if record[0] == 'assign'}
    blocks = [record[1].open for record in committed(log) if record[0] == 'state']
    return found | {message.attempt for message in blocks if message and message.copy == ASSIGNED}


def forgetting(log, record):
    """What was said of a notice that is gone means nothing any more."""
    return tuple(segment._replace(records=tuple(('forgotten',) if said == record else said for said in segment.records)) for segment in log)


def dead(state):
    return state._replace(closed=True, queue=Queue())
