// System calls: a list of those that may be made. Acts on the calling thread and on what it starts later.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// What is done with a call. The numbers are ours; the shim knows the kernel's.
enum { MARTLET_CALL_ALLOW = 0, MARTLET_CALL_EPERM = 1, MARTLET_CALL_ENOSYS = 2, MARTLET_CALL_KILL = 3 };
struct martlet_call_rule {
    uint32_t number;
    uint8_t verdict;
};
/// A call that is allowed if `(argument & mask) == value` holds for one of its neighbours of the same test, and for one of
/// each of its tests; else EPERM. Rules of one call stand together, and those of one test. `half` 1 is the upper 32 bits.
struct martlet_argument_rule {
    uint32_t number;
    uint8_t argument, half;
    uint32_t mask, value;
};
enum { MARTLET_MOST_CALLS = 500 };

/// The number of a system call by its name, of those that the filter speaks of; -1 if this machine has none such.
long martlet_call_number(const char *name);
/// Installs the rules; every other call is ENOSYS, which the kernel's audit log tells. One of another architecture kills.
/// -1 and errno.
int martlet_install_filter(const struct martlet_call_rule *rules, size_t count,
                           const struct martlet_argument_rule *arguments, size_t argument_count);
