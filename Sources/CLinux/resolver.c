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

static int is_loopback(const struct sockaddr_in *four, const struct sockaddr_in6 *six) {
    if (six) return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
    return ntohl(four->sin_addr.s_addr) >> 24 == 127;
}

static int all_loopback(res_state state) {
    for (int i = 0; i < state->nscount && i < MAXNS; i++) {
        const struct sockaddr_in *four = &state->nsaddr_list[i];
        if (!is_loopback(four, four->sin_family ? 0 : state->_u._ext.nsaddrs[i])) return 0;
    }
    return state->nscount > 0;
}

/// RFC 6891 §6.1.2: we take answers of 1232 octets, which pass everywhere; longer ones come by TCP.
static int add_edns(uint8_t *query, int length, int capacity) {
    static const uint8_t option[11] = {0, 0, 41, 0x04, 0xD0};
    if (length < 12 || length + (int)sizeof option > capacity) return length;
    memcpy(query + length, option, sizeof option);
    query[11] = 1;
    return length + (int)sizeof option;
}

static int ask(res_state state, const char *name, int type, int with_edns, uint8_t *answer, int capacity) {
    uint8_t query[NS_PACKETSZ];
    int length = res_nmkquery(state, ns_o_query, name, ns_c_in, type, NULL, 0, NULL, query, sizeof query);
    if (length < 12) return -1;
    // RFC 6840 §5.7: asks the server to say what it has validated, without the signatures.
    query[3] |= 0x20;
    if (with_edns) length = add_edns(query, length, sizeof query);
    length = res_nsend(state, query, length, answer, capacity);
    return length > capacity ? capacity : length;
}

int martlet_dns_query(const char *name, int type, const struct martlet_dns_server *servers, int count,
                      uint8_t *answer, size_t capacity, int *is_local) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return -1;
    if (count > 0) use_servers(&state, servers, count);
    *is_local = all_loopback(&state);
    state.retrans = 3;
    state.retry = 2;
#ifdef RES_TRUSTAD
    // Or the library takes the bit out of every answer; whether it is believed is decided by the caller.
    state.options |= RES_TRUSTAD;
#endif
    int length = ask(&state, name, type, 1, answer, (int)capacity);
    // RFC 6891 §7: a server that does not know EDNS.
    if (length >= 12 && (answer[3] & 15) == ns_r_formerr) length = ask(&state, name, type, 0, answer, (int)capacity);
    res_nclose(&state);
    return length;
}
