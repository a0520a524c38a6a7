// Confinement: what Swift's Glibc lacks of prctl, Landlock and seccomp. Each call acts on the calling thread alone
// and on what it starts later: a program calls them while it has one thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

int martlet_no_new_privileges(void);
/// PR_SET_DUMPABLE 0: no core, no ptrace and no /proc/PID/mem for others of the same uid.
int martlet_not_dumpable(void);
/// Takes every capability out of the bounding set, as far as the caller may.
void martlet_drop_bounding_set(void);
/// Empties all sets of capabilities (the bounding set as far as the caller may); -1 and errno if one is left.
int martlet_no_capabilities(void);

/// The Landlock ABI of the kernel, 0 if it has none.
int martlet_landlock_abi(void);
/// A new ruleset that handles these rights; a descriptor, or -1 and errno. Fields that the ABI lacks must be 0.
int martlet_landlock_ruleset(uint64_t files, uint64_t network, uint64_t scopes, int abi);
/// Allows `rights` beneath what `path` leads to; on a file, those of a file. -1 and errno.
int martlet_landlock_allow_path(int ruleset, const char *path, uint64_t rights);
int martlet_landlock_allow_port(int ruleset, uint16_t port, uint64_t rights);
int martlet_landlock_enforce(int ruleset);

/// Sets soft and hard limit of a resource by its name below; -1 and errno.
enum { MARTLET_LIMIT_CORE, MARTLET_LIMIT_DESCRIPTORS, MARTLET_LIMIT_PROCESSES, MARTLET_LIMIT_FILE_SIZE,
       MARTLET_LIMIT_LOCKED_MEMORY, MARTLET_LIMIT_MESSAGE_QUEUES, MARTLET_LIMIT_NICENESS, MARTLET_LIMIT_REAL_TIME };
int martlet_limit(int resource, uint64_t value);
uint64_t martlet_hard_limit(int resource);
/// The number of threads of this process; -1 if /proc cannot be read.
int martlet_thread_count(void);
/// errno of this thread, and its text.
int martlet_last_error(void);
const char *martlet_error_text(int code);
/// Makes a system call, for the tests of the filter; -1 and errno.
long martlet_try_call(long number, long first, long second, long third);
