"""Local submissions: sendmail leaves a file in spool/drop/, queued adopts it into its own mail log, once.

sendmail: write, fsync, syncfs, exit 0.  queued: accept under an id derived from the drop, commit, unlink; `done` of
an adopted message waits until the unlink is synced, so a drop that a power cut brings back finds its message open.
"""
from itertools import product
from typing import NamedTuple

from log import EMPTY, after_cut, append, committed, holding, synced, waits, written
from search import Model, Violation, subsets

BEGUN, WRITTEN, SYNCED = 'begun', 'written', 'synced'


class Drop(NamedTuple):
    name: str
    inode: int
    sender: int
    content: str                    # BEGUN: only a part of it is there


class State(NamedTuple):
    senders: tuple                  # 'new', 'writes', 'ok' (exit 0) or 'none' (killed)
    drops: tuple = ()               # entries of spool/drop/
    unlinked: tuple = ()            # drops whose unlink is not durable
    mail: tuple = EMPTY             # queued's mail log: ('accept', id, sender, content)
    events: tuple = EMPTY           # queued's events log: ('done', id); a state block forgets what is done
    delivered: tuple = ()           # senders, in the order in which their messages reached a mailbox
    alive: bool = True              # queued
    kills: int = 0
    cuts: int = 0
    blocks: int = 0                 # state blocks that may yet be written

    def with_sender(self, sender, status):
        return self._replace(senders=self.senders[:sender] + (status,) + self.senders[sender + 1:])

    def with_drop(self, drop):
        return self._replace(drops=tuple(sorted([other for other in self.drops if other.sender != drop.sender] + [drop])))


class Drops(Model):
    def __init__(self, senders=1, kills=0, cuts=0, blocks=1, same_name=False, without=()):
        super().__init__(without)
        self.senders, self.same_name = senders, same_name
        self.budgets = dict(kills=kills, cuts=cuts, blocks=blocks)

    def initial(self):
        return State(('new',) * self.senders, **self.budgets)

    def moves(self, state):
        yield from self.sendmail(state)
        if state.alive:
            yield from self.queued(state)
        else:
            yield 'queued restarts: tail copied, synced', \
                state._replace(alive=True, mail=holding(*written(state.mail)), events=holding(*written(state.events)))

    # sendmail

    def sendmail(self, state):
        for sender, status in enumerate(state.senders):
            drop = next((drop for drop in state.drops if drop.sender == sender), None)
            name = 'x' if self.same_name else f'x{sender}'
            if status == 'new' and not any(other.name == name for other in state.drops):    # O_EXCL
                yield f'sendmail {sender + 1}: creates drop/{name}, writes a part', \
                    state.with_sender(sender, 'writes').with_drop(Drop(name, sender, sender, BEGUN))
            elif status == 'writes' and drop and drop.content == BEGUN:
                yield f'sendmail {sender + 1}: writes the rest', state.with_drop(drop._replace(content=WRITTEN))
            elif status == 'writes' and drop and drop.content == WRITTEN and self.keeps('dropsync'):
                yield f'sendmail {sender + 1}: fsync, syncfs', state.with_drop(drop._replace(content=SYNCED))
            elif status == 'writes':
                yield f'sendmail {sender + 1}: exit 0', state.with_sender(sender, 'ok')

    # queued

    def queued(self, state):
        for drop in state.drops:
            yield from self.adopts(state, drop)
        for name in ('mail', 'events'):
            if waits(getattr(state, name)):
                yield f'queued: fdatasync {name}, commit line', state._replace(**{name: synced(getattr(state, name))})
        if state.unlinked:
            yield 'queued: fsync folder drop/', state._replace(unlinked=())
        yield from self.finishes(state)
        yield from self.forgets(state)

    def id(self, state, drop):
        if not self.keeps('dropid'):
            return f'#{len(state.delivered)}{len(written(state.mail))}'
        return f'{drop.name}.{drop.inode}' if self.keeps('dropinode') else drop.name

    def adopts(self, state, drop):
        """Known: unlink it, whole or not.  Not known: adopt it when it is whole."""
        id, accepted = self.id(state, drop), written(state.mail)
        whole = drop.content != BEGUN
        done = ('done', id) in written(state.events)
        known = done or any(record[1] == id or not self.keeps('dropid') and record[2] == drop.sender
                            for record in accepted)
        if (whole or not self.keeps('dropwhole')) and not done and not any(record[1] == id for record in accepted):
            record = ('accept', id, drop.sender, drop.content)
            yield f'queued: append accept {id}, from drop/{drop.name}', state._replace(mail=append(state.mail, record))
        if known and (whole or self.keeps('dropknown')) and not (waits(state.mail) and self.keeps('adoptfirst')):
            yield f'queued: unlinks drop/{drop.name}', state._replace(
                drops=tuple(other for other in state.drops if other != drop),
                unlinked=tuple(sorted(state.unlinked + (drop,))))

    def finishes(self, state):
        """Delivery, as one step that a crash cannot divide; then the content is erased."""
        waiting = {drop.sender for drop in state.drops + state.unlinked}
        for record in committed(state.mail):
            _, id, sender, content = record
            if ('done', id) in written(state.events):
                settled = state.mail[-1].commit == len(state.mail[-1].records)
                if ('done', id) in committed(state.events) and settled:
                    others = [other for other in committed(state.mail) if other != record]
                    yield f'queued: erases {id}, unlinks its segment', state._replace(mail=holding(*others))
                continue
            if self.keeps('dropgone') and sender in waiting:
                continue
            if content == BEGUN:
                raise Violation(f'{id} delivered with a part of its content')
            if sender in state.delivered:
                raise Violation(f'the message of sendmail {sender + 1} is delivered twice')
            yield f'queued: {id} delivered, done durable', state._replace(
                events=holding(*written(state.events), ('done', id)), delivered=state.delivered + (sender,))

    def forgets(self, state):
        """A new events segment begins with a block of what is open; what is done and erased is in no segment kept."""
        accepted = {record[1] for record in written(state.mail)}
        kept = [record for record in committed(state.events) if record[1] in accepted]
        if state.blocks and not waits(state.events) and len(kept) < len(committed(state.events)):
            yield 'queued: state block durable, older events segments dropped', \
                state._replace(events=holding(*kept), blocks=state.blocks - 1)

    # crashes

    def events(self, state):
        if state.kills:
            killed = state._replace(kills=state.kills - 1)
            if state.alive:
                yield 'KILL queued', killed._replace(alive=False)
            for sender, status in enumerate(state.senders):
                if status == 'writes':
                    yield f'KILL sendmail {sender + 1}', killed.with_sender(sender, 'none')
        if state.cuts:
            for after in self.power_cut(state):
                yield 'POWER CUT', after._replace(cuts=state.cuts - 1)

    def power_cut(self, state):
        senders = tuple('none' if status == 'writes' else status for status in state.senders)
        sure = [drop for drop in state.drops if drop.content == SYNCED]
        unsure = [drop for drop in state.drops if drop.content != SYNCED] + list(state.unlinked)
        for kept, mail, events in product(subsets(unsure), after_cut(state.mail), after_cut(state.events)):
            choices = [(drop,) if drop.content == SYNCED else
                       dict.fromkeys(drop._replace(content=content) for content in (BEGUN, drop.content)) for drop in kept]
            for contents in product(*choices):
                drops = [drop._replace(content=SYNCED) if drop.content == WRITTEN else drop for drop in contents]
                yield state._replace(senders=senders, drops=tuple(sorted(sure + drops)), unlinked=(),
                                     mail=mail, events=events, alive=False)

    def at_rest(self, state):
        for sender, status in enumerate(state.senders):
            if status == 'ok' and sender not in state.delivered:
                raise Violation(f'sendmail {sender + 1} exited 0, its message is gone')
        if any(drop.content != BEGUN for drop in state.drops):
            raise Violation(f'drop/{state.drops[0].name} is left for ever')
