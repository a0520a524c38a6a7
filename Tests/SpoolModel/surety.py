"""Who says how far a segment counts, when the power has taken its last commit line.

No sync covers a last commit line.  The header of the next segment says in its stead how far this one counts, so it stands
surety for the mail in it, even when it has none itself.  What must show: whatever is killed and however the power goes, while
smtpd starts, starts again and unlinks what is over, each message that got 250 is heard by queued and done; and when all are
done, no segment but the newest is left.  A power cut brings back any of the unlinked segments and loses any of the new
names that no sync of the folder has covered.  Bringing a message on, `done` and `released` are one step, and durable.
"""
from typing import NamedTuple

from history_blocks import BEGINNING, positioned
from log import Segment, after_cut, append, synced, waits
from search import Model, Violation, subsets

START = ('start',)               # what each segment begins with; its first commit line covers it


class State(NamedTuple):
    clients: tuple                  # 'new', 'wait', 'ok' or 'none'
    accepts: tuple = (Segment(records=(START,), durable=1, commit=1),)
    smtpd: str = 'up'               # or 'dead', or as far as it has begun a segment: 'named', 'synced'
    unlinked: tuple = ()            # segments whose unlink is not durable
    read: tuple = BEGINNING         # queued: everything before this was read
    cursor: tuple = BEGINNING       # where it began to read, or later: as its last durable block says
    done: frozenset = frozenset()
    kills: int = 0
    cuts: int = 0
    rotations: int = 0              # segments that smtpd may yet begin while running


class Surety(Model):
    def __init__(self, messages=1, kills=0, cuts=0, rotations=0, without=()):
        super().__init__(without)
        self.messages, self.budgets = messages, dict(kills=kills, cuts=cuts, rotations=rotations)

    def initial(self):
        return State(('new',) * self.messages, **self.budgets)

    def moves(self, state):
        yield from self.begins(state) if state.smtpd != 'up' else self.smtpd(state)
        yield from self.queued(state)

    # smtpd

    def smtpd(self, state):
        for client, status in enumerate(state.clients):
            if status == 'new' and 'new' not in state.clients[:client]:
                yield f'smtpd: append accept m{client + 1}', replied(state, client, 'wait')._replace(
                    accepts=append(state.accepts, ('accept', f'm{client + 1}')))
        for message in self.visible(state.accepts):
            if state.clients[int(message[1:]) - 1] == 'wait':
                yield f'smtpd: 250 for {message}', replied(state, int(message[1:]) - 1, 'ok')
        if waits(state.accepts):
            yield 'smtpd: fdatasync, commit line', state._replace(accepts=synced(state.accepts))
        elif state.rotations:
            yield self.named(state._replace(rotations=state.rotations - 1), 'smtpd: new segment')
        for segment in state.accepts[:-1]:
            if self.is_over(state, segment.number):
                yield f'smtpd: unlinks segment {segment.number}', state._replace(
                    accepts=tuple(other for other in state.accepts if other is not segment),
                    unlinked=state.unlinked + (segment,) * (state.cuts > 0))

    def visible(self, log):
        """Each message that a commit line or a successor's header covers, and the segment in which it lies now."""
        return {record[1]: place[0] for place, record in self.readable(log) if record != START}

    def readable(self, log):
        if self.keeps('sealcounts'):
            return positioned(log)
        return [((segment.number, index), record) for segment in log for index, record in enumerate(segment.records[:segment.commit])]

    def is_over(self, state, number):
        """Nobody needs it: it has no open message, and its predecessor, of which it alone may say how far it counts, has none."""
        homes = [home for message, home in self.visible(state.accepts).items() if message not in state.done]
        return number not in homes and not (self.keeps('surety') and number - 1 in homes)

    def begins(self, state):
        """A segment in three steps: the name, the sync of the folder, the first commit line."""
        log = state.accepts
        if state.smtpd == 'dead':
            if self.keeps('namesfirst'):
                state = folder_synced(state)
            yield self.named(state, 'smtpd restarts: new segment with the tail')
        elif state.smtpd == 'named':
            yield 'smtpd: folder synced', folder_synced(state)._replace(smtpd='synced')
        else:
            yield 'smtpd: first commit line, ready', state._replace(
                accepts=log[:-1] + (log[-1]._replace(commit=len(log[-1].records)),), smtpd='up')

    def named(self, state, label):
        last = state.accepts[-1]
        records = (START,) + tuple(record for record in last.records[last.commit:] if record != START)
        begun = Segment(last.number + 1, False, True, records, len(records), 0, 0, last.commit)
        return f'{label}, synced, renamed', state._replace(accepts=state.accepts + (begun,), smtpd='named')

    # queued

    def queued(self, state):
        following = [(place, record) for place, record in self.readable(state.accepts) if place >= state.read]
        later = [segment.number for segment in state.accepts if segment.number > state.read[0]]
        if following and (following[0][0][0] == state.read[0] or not later):
            place, record = following[0]
            yield 'queued: reads ' + ' '.join(record), state._replace(
                read=(place[0], place[1] + 1), done=state.done | set(record[1:]))
        elif later:
            yield 'queued: enters the next segment', state._replace(cursor=self.safe(state), read=(later[0], 0))

    def safe(self, state):
        """The farthest that a block may say: a commit line that a later sync has covered, in a segment of which one was read."""
        covered = [(segment.number, segment.commit_durable) for segment in state.accepts
                   if segment.number == state.read[0] and segment.commit]
        return max([state.cursor] + [min(state.read, end) for end in covered])

    # Crashes

    def events(self, state):
        if state.kills:
            if state.smtpd != 'dead':
                yield 'KILL smtpd', dead(state)._replace(kills=state.kills - 1)
            yield 'KILL queued', self.forgotten(state)._replace(kills=state.kills - 1)
        if state.cuts:
            left = self.forgotten(dead(state))._replace(unlinked=(), cuts=state.cuts - 1)
            for back in subsets(range(len(state.unlinked))):
                log = sorted(state.accepts + tuple(state.unlinked[index] for index in back))
                for accepts in after_cut(tuple(log)):
                    yield 'POWER CUT', left._replace(accepts=accepts)

    def forgotten(self, state):
        return state._replace(read=self.safe(state), cursor=self.safe(state))

    def at_rest(self, state):
        for client, status in enumerate(state.clients):
            if status == 'ok' and f'm{client + 1}' not in state.done:
                raise Violation(f'client {client + 1} got 250, its message is passed over')
        if len(state.accepts) > 1:
            raise Violation(f'segment {state.accepts[0].number} stays for ever')


def replied(state, client, reply):
    return state._replace(clients=state.clients[:client] + (reply,) + state.clients[client + 1:])


def folder_synced(state):
    return state._replace(accepts=tuple(segment._replace(named=True) for segment in state.accepts), unlinked=())


def dead(state):
    return state._replace(smtpd='dead', clients=tuple('none' if status == 'wait' else status for status in state.clients))
