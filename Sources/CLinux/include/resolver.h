// The system's resolver library, asked one question at a time, optionally of given servers.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct martlet_dns_server {
    int family; // 4 or 6
    uint8_t address[16];
    uint16_t port;
};

/// Sends one query; the length of the answer, whatever it says, or -1 if none came. At most three servers; none means those of the system.
/// `*is_local`: all servers that may have been asked are on this host.
int martlet_dns_query(const char *name, int type, const struct martlet_dns_server *servers, int count,
                      uint8_t *answer, size_t capacity, int *is_local);
/// Parses a numeric address into `server`; 0 if it is none.
int martlet_dns_server(const char *address, uint16_t port, struct martlet_dns_server *server);
