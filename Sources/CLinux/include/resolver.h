// The system's resolver library, asked one question at a time, optionally of given servers.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct martlet_dns_server {
    int family; // 4 or 6
    uint8_t address[16];
    uint16_t port;
};

/// Sends one query; the answer's length, or -1 with `*failure`: 1 no such name, 2 try again, 3 refused or broken, 4 no data.
/// At most three servers; none means those of the system.
int martlet_dns_query(const char *name, int type, const struct martlet_dns_server *servers, int count,
                      uint8_t *answer, size_t capacity, int *failure);
/// Parses a numeric address into `server`; 0 if it is none.
int martlet_dns_server(const char *address, uint16_t port, struct martlet_dns_server *server);
