// Acts that no mail program does, to see them refused. Each leaves the machine as it was: what is made is removed, what is
// set is set to what it is, and mounts, names and System V objects are those of a namespace that the act has for itself.
// Linked into sandbox-probe alone.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What an act may use.
struct probe {
    pid_t neighbour, stranger;  ///< harmless processes of the same user, and of another program's
    void *neighbours_word;      ///< an address in both
    const char *own;            ///< a folder that the program writes, or NULL
    uint16_t tcp, udp;          ///< loopback ports where somebody listens
    int listener, connection;   ///< as the program inherits them, or -1
    int namespace_;             ///< of another process
    const char *abstract, *named;  ///< Unix sockets where somebody listens
    int is_confined;
};

enum {
    PROBE_NEEDS_ROOT = 1,        ///< succeeds unconfined only as root
    PROBE_NEEDS_FOLDER = 2,      ///< for programs that write files
    PROBE_NEEDS_LISTENER = 4,    ///< for programs that inherit a listening socket
    PROBE_NEEDS_CONNECTION = 8,  ///< for programs that hold a client's connection
    PROBE_CONNECTS = 16,         ///< what remoted is for
    PROBE_PAIRS = 32,            ///< what a front does to relay
    PROBE_OWN_NAMESPACE = 64,    ///< changes what it has for itself
};

struct probe_act {
    const char *name;
    int (*run)(const struct probe *);  ///< 0, or errno
    unsigned flags;
};

size_t probe_act_count(void);
const char *probe_act_name(size_t act);
unsigned probe_act_flags(size_t act);

/// The act, in a child of its own: 0 done; an errno that refused it; `PROBE_KILLED`; `PROBE_UNCLEAR`, if it could not be tried.
enum { PROBE_KILLED = -1, PROBE_UNCLEAR = -2 };
int probe_run(size_t act, const struct probe *what);
/// Opens for reading; for appending, writing nothing; makes a file in the folder and takes it away. 0 or errno.
int probe_read(const char *path), probe_append(const char *path), probe_make(const char *folder);
/// Removes from a folder what an act has left there because its guise may make and not unmake; called by the probe itself.
void probe_clean(const char *folder);

/// fork(), for a process with one thread.
pid_t probe_fork(void);
/// Ends the child: its result is told to `probe_wait`.
_Noreturn void probe_end(int result);
int probe_wait(pid_t child);
/// Mounts, host name and System V objects of its own, which end with the process; -1 if it may not have them.
int probe_own_namespaces(void);
int probe_become(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count);
/// A child that waits to be ended; `probe_end_child` ends it.
_Noreturn void probe_stay(void);
void probe_end_child(pid_t child);

/// An address that a child shares with its parent.
void *probe_word(void);
/// Whether an errno says that the kernel has no such call; that the caller has no right.
int probe_lacks_call(int code), probe_lacks_right(int code);
/// Removes a file; 0 or errno.
int probe_forget(const char *path);

/// The loopback sockets that acts speak to; -1 and errno.
int probe_open_sockets(struct probe *what, const char *named);
/// A listener and a connection as a program inherits them; -1 and errno.
int probe_inherit(struct probe *what);
