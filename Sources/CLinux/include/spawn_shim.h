// Starting a program in a process of its own: everything between fork and exec, where only C is safe.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct martlet_launch {
    /// An absolute path: no search.
    const char *path;
    /// Both end with NULL.
    char *const *arguments;
    char *const *environment;
    /// These become descriptors 3, 4, …; every other one above 2 is closed.
    const int *descriptors;
    size_t descriptor_count;
    /// Whether to become uid, gid and groups; otherwise the program runs as the caller.
    int switches_identity;
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t group_count;
    /// Whether the program gets SIGTERM when this process ends.
    int dies_with_parent;
    /// Whether stdin is /dev/null; otherwise it is inherited.
    int null_input;
};

/// Starts the program in a process group of its own, all signals at their defaults; its pid, or -1 and errno, which is
/// also exec's. Call it from a process with one thread.
pid_t martlet_start_program(const struct martlet_launch *what);

/// Becomes the program in this process: descriptors, identity and signals as above, stdin as it is, the process group
/// and the tie to a parent too. Returns only on failure, with errno; the process may then lack rights and descriptors.
int martlet_become_program(const struct martlet_launch *what);

/// waitpid(-1, WNOHANG): the pid and the raw status of a child that ended; 0 if none has; -1 if there are no children.
pid_t martlet_reap(int *status);
/// The exit code, or 128 plus the number of the signal.
int martlet_exit_code(int status);

/// fchownat without following a link at the end; -1 as an id leaves it as it is.
int martlet_chown(int dirfd, const char *path, uint32_t uid, uint32_t gid);
/// Numbers of an account and of a group; 0 if found, -1 otherwise.
int martlet_find_user(const char *name, uint32_t *uid, uint32_t *gid);
int martlet_find_group(const char *name, uint32_t *gid);
/// The groups of an account; the count, or -1 if there are more than `capacity`.
int martlet_groups_of(const char *name, uint32_t gid, uint32_t *groups, int capacity);
