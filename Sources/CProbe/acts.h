// The acts by what they are about, and what they share.
#pragma once
#include "include/CProbe.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

extern const struct probe_act process_acts[], file_acts[], network_acts[], kernel_acts[];
extern const size_t process_act_count, file_act_count, network_act_count, kernel_act_count;

/// The name of a Unix socket; its length.
socklen_t unix_name(struct sockaddr_un *name, const char *text, int is_abstract);
struct sockaddr_in loopback(uint16_t port);

/// 0 or errno of what a call returned.
static inline int outcome(long result) { return result < 0 ? errno : 0; }
/// A call that gets as far as this error was allowed: what refuses it comes before.
static inline int reached(long result, int error) { return result < 0 && errno == error ? 0 : outcome(result); }

#define ACTS(list, ...) \
    const struct probe_act list##_acts[] = {__VA_ARGS__}; \
    const size_t list##_act_count = sizeof list##_acts / sizeof *list##_acts;
