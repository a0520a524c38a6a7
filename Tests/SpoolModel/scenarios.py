"""What is explored: base scenarios, which must hold, and for each rule a scenario in which its absence shows."""
from typing import NamedTuple

from bigfiles import BigFiles
from delivery.model import Delivery
from drops import Drops
from fulldisk import FullDisk
from history import History
from inbox import Inbox
from orders import Orders
from partial import PartialWrites
from routing import Routing
from rules import NEEDLESS, RULES
from shows import Shows
from surety import Surety


class Scenario(NamedTuple):
    name: str
    model: type
    arguments: dict
    without: tuple = ()
    expected: str = 'holds'         # or 'violated'
    slow: bool = False              # left to `full`

    def build(self):
        return self.model(without=self.without, **self.arguments)


ACCEPTED = dict(already_accepted=True, bounces_vanish=True, no_erasure=True)
EXPIRY = dict(**ACCEPTED, unmounts=True, temporary_results=True, killed=('locald', 'queued'))
RECALL = dict(**ACCEPTED, may_recall=True)
ONE_EACH = dict(cuts=1, kills=1)
TWO = ('one', 'one')
SPLIT = dict(cuts=1, atomic_renames=False)
STARTS = dict(killed=('queued',))
AB, ABC, CD = ('a', 'b'), ('a', 'b', 'c'), ('c', 'd')
HALF = dict(kills=1, already_half=True)
HELD, ENDED = ('hold', 'release'), (('delete',), ('bounce',))


def base(name, model, slow=False, expected='holds', **arguments):
    return Scenario(name, model, arguments, (), expected, slow)


BASE = [
    base('one account; 1 cut', Delivery, cuts=1),
    base('two accounts, user, alias; 1 cut', Delivery, True, messages=('alias',), cuts=1, user=True, alias_changes=True),
    base('two accounts; 1 cut, 1 kill', Delivery, True, messages=('alias',), **ONE_EACH),
    base('one account; 2 cuts', Delivery, True, cuts=2, user=True),
    base('one account; 2 cuts, opening in steps', Delivery, True, cuts=2, opening_in_steps=True),
    base('one account, user, assigned again; 1 cut, 1 kill', Delivery, True, **ONE_EACH, user=True, opening_in_steps=True,
         assigns_again=True),
    base('two messages; 1 cut', Delivery, True, messages=TWO, cuts=1),
    base('two messages, opening in steps; 1 cut, 1 kill', Delivery, True, messages=TWO, **ONE_EACH, opening_in_steps=True,
         killed=('smtpd',), no_erasure=True),
    base('bounce; 1 cut, 1 kill', Delivery, True, messages=('bad',), **ONE_EACH),
    base('bounce and account; 1 cut', Delivery, True, messages=('mix',), cuts=1),
    base('bounce; 2 kills', Delivery, True, messages=('bad',), kills=2),
    base('remote; 1 cut, 1 kill', Delivery, messages=('remote',), **ONE_EACH, assigns_again=True),
    base('sync error; 1 cut, 1 kill', Delivery, True, **ONE_EACH, sync_errors=1),
    base('sync error, two messages; 1 cut', Delivery, True, messages=TWO, sync_errors=1, cuts=1,
         logs_with_errors=('accepts',), no_erasure=True),
    base('store missing; 1 cut, 1 kill', Delivery, True, **ONE_EACH, unmounts=True, user=True),
    base('store missing, expiry; 2 kills', Delivery, kills=2, **EXPIRY),
    base('store missing, expiry; 1 cut, 1 kill', Delivery, True, messages=('mix',), **ONE_EACH, **EXPIRY),
    base('store cut or spool cut; 2', Delivery, True, cuts=2, user=True, two_disks=True),
    base('withdrawn; 1 cut, 1 kill', Delivery, **ONE_EACH, **RECALL),
    base('withdrawn, user, store missing; 1 cut, 1 kill', Delivery, True, **ONE_EACH, **RECALL, user=True, unmounts=True),

    base('file system: rename not atomic', Delivery, **SPLIT, expected='violated'),
    base('file system: rename not atomic, look in the mailbox first', Delivery, **SPLIT, looks_first=True,
         expected='violated'),
    base('file system: link, fsync, unlink', Delivery, **SPLIT, looks_first=True, links=True),
    base('file system: the same, and the user acts', Delivery, **SPLIT, looks_first=True, links=True, user=True,
         expected='violated'),

    base('big file; 2 cuts, 1 kill', BigFiles, cuts=2, kills=1),
    base('two big files; 1 cut', BigFiles, messages=2, cuts=1),
    base('two big files; 1 cut, 1 kill', BigFiles, True, messages=2, cuts=1, kills=1),

    base('drop; 2 cuts, 1 kill', Drops, cuts=2, kills=1),
    base('two drops; 1 cut', Drops, senders=2, cuts=1),
    base('two drops; 1 cut, 1 kill', Drops, True, senders=2, cuts=1, kills=1),
    base('two drops, one after the other under one name; 1 cut', Drops, senders=2, cuts=1, same_name=True),

    base('partial write, three clients; 1 cut', PartialWrites, clients=3, cuts=1),
    base('partial write, three clients; 2 cuts, 1 kill', PartialWrites, True, clients=3, cuts=2, kills=1),
    base('partial write, truncation fails; 1 cut, 1 kill', PartialWrites, clients=2, cuts=1, kills=1, truncate_fails=True),

    base('surety; 1 cut, 2 kills', Surety, cuts=1, kills=2),
    base('surety, new segments; 1 cut', Surety, cuts=1, rotations=2),
    base('surety, new segments; 2 cuts', Surety, True, cuts=2, rotations=2),
    base('surety, two messages; 1 cut, 2 kills', Surety, True, messages=2, cuts=1, kills=2),
    base('surety, two messages, new segment; 1 cut, 1 kill', Surety, True, messages=2, **ONE_EACH, rotations=1),

    base('routing to three; 1 kill', Routing, tables=(ABC,), kills=1),
    base('routing, alias changed; 1 cut', Routing, tables=(AB, CD), cuts=1, rotations=1),
    base('routing, alias changed; 1 cut, 1 kill', Routing, tables=(AB, CD), **ONE_EACH),
    base('routing, alias changed in part; 2 kills', Routing, tables=(ABC, ('a', 'd', 'e')), kills=2, rotations=1),
    base('routing, alias changed in part; 1 cut, 1 kill', Routing, True, tables=(ABC, ('a', 'd', 'e')), **ONE_EACH),
    base('routing, alias changed twice; 2 cuts', Routing, True, tables=(AB, CD, ('a',)), cuts=2),
    base('routing after an unseen half, alias changed twice; 2 kills', Routing, True, tables=(AB, CD, ('a',)), kills=2, already_half=True),
    base('routing after an unseen half, alias shorter; 1 kill', Routing, tables=(AB, ('a',)), **HALF),
    base('routing after an unseen half, alias in part the same; 1 kill', Routing, tables=(ABC, ('a', 'd', 'e')), **HALF),

    base('orders, hold and release; 1 cut, 1 kill', Orders, requests=HELD, temporary=1, **ONE_EACH),
    base('orders, hold; 2 kills', Orders, requests=('hold',), temporary=1, kills=2, rotations=1),
    base('orders, delete; 1 cut, 1 kill', Orders, requests=ENDED[0], temporary=1, **ONE_EACH),
    base('orders, bounce; 1 cut, 1 kill', Orders, requests=ENDED[1], temporary=1, **ONE_EACH),
    base('orders, hold, then bounce, then delete; 1 cut', Orders, True, requests=('hold', 'bounce', 'delete'), temporary=1, cuts=1, rotations=1),
    base('notices; 1 cut, 1 kill', Orders, temporary=2, wants=True, **ONE_EACH),
    base('notices; 2 kills, new segment', Orders, temporary=1, wants=True, kills=2, rotations=1),
    base('notices, delete; 1 cut, new segment', Orders, requests=ENDED[0], temporary=1, wants=True, cuts=1, rotations=1),
    base('notices, hold, release, bounce; 1 cut, 1 kill', Orders, True, requests=HELD + ENDED[1], temporary=2, wants=True, **ONE_EACH, rotations=1),

    base('state block; 1 cut', History, cuts=1),
    base('state block, bounce; 1 cut', History, True, messages=('bad',), cuts=1, already_assigned=True),
    base('state block, bounce done; 1 cut', History, messages=('bad',), cuts=1, already_bounced=True),
    base('state block, bounce done; 2 cuts', History, True, messages=('bad',), cuts=2, already_bounced=True),
    base('state block, all logs in segments; 1 cut', History, True, cuts=1, rotations=(1, 1, 1)),
    base('state block, two messages, two mail segments', History, messages=TWO, rotations=(1, 1, 0), already_accepted=True),
    base('state block, bounce and account; 1 cut', History, True, messages=('mix',), cuts=1, already_accepted=True),
    base('state block, bounce and account; 1 kill', History, True, messages=('mix',), kills=1, already_accepted=True),
    base('state block, two messages; 1 cut', History, True, messages=TWO, cuts=1),
    base('state block; 2 cuts', History, True, cuts=2),

    base('inbox; 1 cut', Inbox, cuts=1, rotations=(1, 1)),
    base('inbox; 2 kills', Inbox, kills=2, rotations=(0, 1)),
    base('inbox; 1 cut, 1 kill', Inbox, True, **ONE_EACH, rotations=(1, 1)),
    base('inbox, put off; 1 cut', Inbox, cuts=1, rotations=(0, 1), temporary=1),
    base('inbox, put off twice; 1 kill', Inbox, kills=1, temporary=2),
    base('inbox, put off twice; 2 kills', Inbox, True, kills=2, temporary=2),
    base('inbox, two messages; 2 kills', Inbox, True, messages=2, kills=2, rotations=(0, 1)),
    base('inbox, two messages, put off; 1 cut, 1 kill', Inbox, True, messages=2, **ONE_EACH, rotations=(1, 1), temporary=1),
    base('inbox, put off twice; 2 cuts, 1 kill', Inbox, True, cuts=2, kills=1, rotations=(1, 1), temporary=2),

    base('shows again; 1 cut', Shows, cuts=1),
    base('shows again, put off; 1 cut', Shows, True, cuts=1, temporary=1),
    base('shows again, put off; 1 kill', Shows, kills=1, temporary=1),
    base('shows again, put off; 2 kills of queued', Shows, kills=2, temporary=1, **STARTS),
    base('shows again, put off, new segments; 1 kill', Shows, True, kills=1, temporary=1, rotations=(1, 1)),
    base('shows again, put off; 2 kills', Shows, True, kills=2, temporary=1),
    base('shows again, two messages, put off; 1 kill of queued', Shows, True, messages=2, kills=1, temporary=1, **STARTS),
    base('shows again, sent; 1 cut, 1 kill of queued', Shows, cuts=1, kills=1, already='sent', **STARTS),
    base('shows again, sent; 1 cut, 2 kills of queued', Shows, True, cuts=1, kills=2, already='sent', **STARTS),
    base('shows again, sent; 2 cuts', Shows, True, cuts=2, already='sent'),
    base('shows again, assigned; 1 cut, 1 kill of queued', Shows, True, cuts=1, kills=1, already='said', **STARTS),
    base('shows again, assigned; 1 cut, 2 kills of queued', Shows, True, cuts=1, kills=2, already='said', **STARTS),
    base('shows again, assigned, put off; 1 cut', Shows, cuts=1, temporary=1, already='said'),
    base('shows again, open; 1 cut, 1 kill of queued', Shows, True, cuts=1, kills=1, already='open', **STARTS),
    base('shows again, open, queued rolls over; 1 cut', Shows, True, cuts=1, already='open', rotations=(1, 0)),
    base('shows again, open, the agent rolls over; 1 cut', Shows, True, cuts=1, already='open', rotations=(0, 1)),
    base('shows again; 1 cut, 1 kill of queued', Shows, True, cuts=1, kills=1, **STARTS),
    base('shows again, two messages; 1 cut', Shows, True, messages=2, cuts=1, already='open'),

    base('full disk, messages and bounces', FullDisk, kinds=('bad', 'good', 'bad', 'good'), capacity=6, reserve=6),
    base('full disk, drops and a bounce', FullDisk, kinds=('bad', 'drop', 'good', 'drop'), capacity=7, reserve=7),
    base('full disk, programs that start anew', FullDisk, kinds=('good', 'good'), capacity=6, reserve=6,
         restarts=('smtpd', 'queued', 'locald')),
    base('full disk, reserve smaller than a bounce and its records', FullDisk, kinds=('bad', 'good', 'bad', 'good'),
         capacity=6, reserve=4, expected='violated'),
]

TEETH = {
    'commit': (Delivery, dict(cuts=1)),
    'epoch': (Delivery, dict(messages=TWO, kills=1)),
    'keepid': (Delivery, dict(cuts=1)),
    'nameafter': (Delivery, dict(**ONE_EACH, opening_in_steps=True, killed=('smtpd',))),
    'sealed': (Delivery, dict(sync_errors=1)),
    'sealfirst': (Delivery, dict(sync_errors=1, kills=1)),
    'segdir': (Delivery, dict(sync_errors=1, cuts=1)),
    'namesfirst': (Surety, dict(cuts=1, kills=2)),
    'sealcounts': (Surety, dict(cuts=1, kills=1)),
    'surety': (Surety, dict(cuts=1, kills=2)),
    'erasesafe': (Delivery, dict(messages=TWO, cuts=1)),
    'routedur': (Delivery, dict(messages=('alias',), kills=1, alias_changes=True)),
    'routewhole': (Routing, dict(tables=(ABC,), kills=1)),
    'routingbegins': (Routing, dict(tables=(AB, CD), **HALF)),
    'assignedstays': (Routing, dict(tables=(AB, ('a',)), **HALF)),
    'stagefile': (Delivery, dict(cuts=1)),
    'stagedir': (Delivery, dict(cuts=1)),
    'stagedur': (Delivery, dict(cuts=1)),
    'newsync': (Delivery, dict(cuts=1)),
    'storeid': (Delivery, dict(kills=1, unmounts=True)),
    'mailfirst': (Delivery, dict(messages=('bad',), cuts=1)),
    'donefirst': (Delivery, dict(cuts=1)),
    'readfirst': (Delivery, dict(**ONE_EACH, assigns_again=True)),
    'childid': (Delivery, dict(messages=('bad',), kills=1)),
    'childrcpt': (Delivery, dict(messages=('mix',), kills=1, **EXPIRY)),
    'tmppos': (Delivery, dict(kills=2, **EXPIRY)),
    'sticky': (Delivery, dict(kills=1, **EXPIRY)),
    'stagedfinal': (Delivery, dict(kills=1, **EXPIRY)),
    'withdrawfirst': (Delivery, dict(kills=1, **RECALL)),
    'withdrawdur': (Delivery, dict(cuts=1, **RECALL)),
    'bigfile': (BigFiles, dict(cuts=1)),
    'bigdir': (BigFiles, dict(cuts=1)),
    'bigdone': (BigFiles, dict(cuts=1)),
    'bigtail': (BigFiles, dict(cuts=1)),
    'bigvalid': (BigFiles, dict(messages=2, cuts=1)),
    'orphans': (BigFiles, dict(kills=1)),
    'sweepatstart': (BigFiles, dict()),
    'dropsync': (Drops, dict(cuts=1)),
    'dropwhole': (Drops, dict()),
    'dropid': (Drops, dict(kills=1)),
    'dropinode': (Drops, dict(senders=2, same_name=True)),
    'adoptfirst': (Drops, dict(cuts=1)),
    'dropgone': (Drops, dict(cuts=1)),
    'dropknown': (Drops, dict(cuts=1)),
    'cutback': (PartialWrites, dict(clients=3)),
    'cutcommit': (PartialWrites, dict(clients=2)),
    'cutsync': (PartialWrites, dict(clients=2, cuts=1)),
    'cutseal': (PartialWrites, dict(clients=3, truncate_fails=True)),
    'cursorsafe': (History, dict(cuts=1)),
    'cursortaken': (History, dict(cuts=1)),
    'cursorenters': (History, dict(cuts=1)),
    'owncursor': (History, dict(messages=('bad',), cuts=1, already_bounced=True)),
    'blockdone': (History, dict(cuts=1)),
    'blockunseen': (History, dict(cuts=1)),
    'blockchildren': (History, dict(messages=('mix',), kills=1, already_accepted=True)),
    'blockmailfirst': (History, dict(messages=('bad',), cuts=1, already_assigned=True)),
    'blockresults': (History, dict(cuts=1)),
    'blocktmp': (History, dict(cuts=1)),
    'blockwhole': (History, dict(cuts=1)),
    'blockvalid': (History, dict(cuts=1)),
    'blockcommitted': (History, dict(cuts=1)),
    'lastkept': (History, dict(messages=TWO, rotations=(1, 1, 0), already_accepted=True)),
    'reissue': (History, dict(cuts=1)),
    'agentblock': (History, dict(cuts=1)),
    'cursorlogged': (History, dict(cuts=1, rotations=(1, 1, 1), already_accepted=True)),
    'answersneeded': (History, dict(cuts=1, rotations=(0, 0, 1), already_accepted=True)),
    'inboxfrom': (Inbox, dict(kills=1, messages=1, rotations=(0, 1))),
    'inboxcatch': (Inbox, dict(kills=1, rotations=(0, 1))),
    'inboxended': (Inbox, dict(kills=1, rotations=(0, 1))),
    'inboxkept': (Inbox, dict(kills=2, rotations=(0, 1))),
    'inboxsafe': (Inbox, dict(cuts=1, rotations=(0, 1))),
    'inboxforget': (Inbox, dict(cuts=1, rotations=(0, 1))),
    'inboxnewest': (Inbox, dict(kills=1, temporary=3)),
    'inboxolder': (Inbox, dict(kills=1, temporary=3)),
    'tailassign': (Shows, dict(kills=1, temporary=1, **STARTS)),
    'openmoves': (Shows, dict(cuts=1, kills=1, already='sent', **STARTS)),
    'askagain': (Shows, dict(cuts=1)),
    'askposition': (Shows, dict(cuts=1, temporary=1)),
    'sayagain': (Shows, dict(cuts=1)),
    'unseendone': (Shows, dict(cuts=1)),
    'orderlogged': (Orders, dict(requests=('hold',), temporary=1, kills=1)),
    'orderblock': (Orders, dict(requests=('hold',), kills=1, rotations=1)),
    'orderasks': (Orders, dict(requests=ENDED[0])),
    'orderlater': (Orders, dict(requests=ENDED[0], temporary=1)),
    'orderstart': (Orders, dict(requests=ENDED[0], kills=1)),
    'tailblock': (Orders, dict(wants=True, kills=2, rotations=1)),
    'noticefirst': (Orders, dict(wants=True, cuts=1)),
    'noticesaid': (Orders, dict(wants=True, kills=1)),
    'noticeowed': (Orders, dict(wants=True, kills=1, rotations=1)),
    'noticetold': (Orders, dict(wants=True, already_told=True, temporary=1, kills=1, rotations=1)),
    'noticedone': (Orders, dict(wants=True)),
    'noticeends': (Orders, dict(wants=True, kills=1)),
    'reserve': (FullDisk, dict(kinds=('good',) * 3, capacity=6, reserve=6)),
    'spare': (FullDisk, dict(kinds=('good',) * 3, capacity=6, reserve=6, restarts=('queued', 'locald'))),
    'intakelast': (FullDisk, dict(kinds=('bad', 'good', 'good', 'good'), capacity=4, reserve=6)),
    'finishfirst': (FullDisk, dict(kinds=('bad', 'bad', 'good', 'good'), capacity=6, reserve=6)),
    'agentsfirst': (FullDisk, dict(kinds=('bad', 'good', 'bad'), capacity=6, reserve=6)),
    'dropmargin': (FullDisk, dict(kinds=('drop', 'drop', 'good'), capacity=5, reserve=3)),
}

PAIRS = [(('inboxnewest', 'inboxolder'), Inbox, dict(kills=1, temporary=3)),
         (('blocktmp', 'blockwhole'), History, dict(cuts=1)),
         (('cursorlogged', 'answersneeded'), History, dict(cuts=1, rotations=(1, 1, 1), already_accepted=True))]


def teeth():
    assert set(TEETH) == set(RULES), set(TEETH) ^ set(RULES)
    for rule, (model, arguments) in TEETH.items():
        yield Scenario(f'without {rule}', model, arguments, (rule,), 'holds' if rule in NEEDLESS else 'violated')
    for rules, model, arguments in PAIRS:
        yield Scenario(f'without {" and ".join(rules)}', model, arguments, rules, 'violated')


def scenarios():
    return BASE + list(teeth())
