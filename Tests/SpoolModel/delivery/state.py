"""The state of the delivery model: the logs, the store, the clients and what is left of each budget of crashes."""
from typing import NamedTuple

from log import EMPTY

STAGE, NEW, CUR, HIDDEN = 1, 2, 4, 8        # the folders in which a copy has an entry, as bits
IN_MAILBOX = NEW | CUR | HIDDEN
WHOLE, TORN, UNSYNCED = 1, 2, 0             # what is known of a file's content

WRITER = {'accepts': 'smtpd', 'events': 'queued', 'children': 'queued', 'released': 'queued',
          'local': 'locald', 'remote': 'remoted'}
PROGRAMS = ('smtpd', 'queued', 'locald', 'remoted')
REMOTE = 'R'                                # the one address of another domain


class Copy(NamedTuple):
    """One copy of a message in the store.  `folders` are the states between which a power cut may choose:
    atomic, ordered renames give the entries at each step since the last sync, the oldest of them durable."""
    content: int
    folders: tuple
    removed: bool                           # its owner has expunged it

    @property
    def now(self):
        return self.folders[-1]


class State(NamedTuple):
    clients: tuple                          # 'new', 'wait', 'ok' (250), '4xx' or 'none' (no reply)
    accepts: tuple = EMPTY                  # smtpd's mail log
    events: tuple = EMPTY                   # queued's events log
    children: tuple = EMPTY                 # queued's mail log: bounces
    released: tuple = EMPTY
    local: tuple = EMPTY                    # locald's events log
    remote: tuple = EMPTY                   # remoted's events log
    alive: frozenset = frozenset(PROGRAMS)
    copies: tuple = ()                      # ((message, account), Copy) in order
    alias: int = 0                          # what the alias table says
    mounted: bool = True                    # the store is there
    kills: int = 0
    cuts: int = 0
    sync_errors: int = 0
    unmounts: int = 0
    erased: frozenset = frozenset()         # ids whose content is punched out
    erased_durably: frozenset = frozenset()
    memory: frozenset = frozenset()         # (program, …): what a kill loses
    sent: int = 0                           # times the next host got a message
    ids: tuple = ()                         # (id, client) in the order in which smtpd gave them
    delivered: frozenset = frozenset()      # (client, account, id) of each rename into new/

    def copy(self, key):
        return dict(self.copies).get(key)

    def with_copy(self, key, copy):
        copies = dict(self.copies)
        copies[key] = copy
        return self._replace(copies=tuple(sorted(copies.items())))

    def client_of(self, message):
        return next((client for id, client in reversed(self.ids) if id == message), -1)

    def remembering(self, *fact):
        return self._replace(memory=self.memory | {fact})


def moved(copy, folders, durable=(), atomic=True):
    """The copy with entries in these folders.  On a file system with atomic renames a synced move has one
    possible state; on the other kind each of the two entries is durable by itself."""
    if atomic:
        chain = (folders,) if durable else copy.folders + ((folders,) if folders != copy.now else ())
        return copy._replace(folders=chain)
    kept = copy.folders[0]
    for bit in durable:
        kept = (kept & ~bit) | (folders & bit)
    return copy._replace(folders=(kept, folders))


def folder_synced(copy, bit, atomic=True):
    return copy._replace(folders=copy.folders[-1:]) if atomic else moved(copy, copy.now, (bit,), False)


def is_durable(copy, bit, atomic=True):
    return len(copy.folders) == 1 if atomic else (copy.folders[0] ^ copy.now) & bit == 0
