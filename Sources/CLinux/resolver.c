#include "resolver.h"
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>

int martlet_dns_server(const char *address, uint16_t port, struct martlet_dns_server *server) {
    memset(server, 0, sizeof *server);
    server->port = port;
    if (inet_pton(AF_INET, address, server->address) == 1) return server->family = 4;
    if (inet_pton(AF_INET6, address, server->address) == 1) return server->family = 6;
    return 0;
}

static void use_servers(res_state state, const struct martlet_dns_server *servers, int count) {
    state->nscount = 0;
    for (int i = 0; i < count && i < MAXNS; i++) {
        if (servers[i].family == 4) {
            struct sockaddr_in *to = &state->nsaddr_list[state->nscount];
            memset(to, 0, sizeof *to);
            to->sin_family = AF_INET;
            to->sin_port = htons(servers[i].port);
            memcpy(&to->sin_addr, servers[i].address, 4);
        } else {
            // The library frees this with the state; there is one already where resolv.conf named an IPv6 server.
            struct sockaddr_in6 *to = state->_u._ext.nsaddrs[state->nscount];
            if (!to) to = calloc(1, sizeof *to);
            if (!to) return;
            memset(to, 0, sizeof *to);
            to->sin6_family = AF_INET6;
            to->sin6_port = htons(servers[i].port);
            memcpy(&to->sin6_addr, servers[i].address, 16);
            state->nsaddr_list[state->nscount].sin_family = 0;
            state->_u._ext.nsaddrs[state->nscount] = to;
        }
        state->nscount++;
    }
    // 0: the library makes its copies of the IPv4 addresses itself. With a count it would follow pointers that are NULL.
    state->_u._ext.nscount = 0;
}

int martlet_dns_query(const char *name, int type, const struct martlet_dns_server *servers, int count,
                      uint8_t *answer, size_t capacity, int *failure) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) {
        *failure = TRY_AGAIN;
        return -1;
    }
    if (count > 0) use_servers(&state, servers, count);
    state.retrans = 3;
    state.retry = 2;
    state.options |= RES_USE_EDNS0;
    int length = res_nquery(&state, name, ns_c_in, type, answer, (int)capacity);
    *failure = length < 0 ? state.res_h_errno : 0;
    res_nclose(&state);
    return length > (int)capacity ? (int)capacity : length;
}
