// Ways out, and ways in beside the inherited ones.
#define _GNU_SOURCE
#include "acts.h"
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int made(int family, int kind, int protocol) {
    int fd = socket(family, kind | SOCK_CLOEXEC, protocol);
    if (fd >= 0) close(fd);
    return outcome(fd);
}
static int raw_socket(const struct probe *p) { (void)p; return made(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static int packet_socket(const struct probe *p) { (void)p; return made(AF_PACKET, SOCK_RAW, 0); }
static int netlink_socket(const struct probe *p) { (void)p; return made(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }
static int unix_socket(const struct probe *p) { (void)p; return made(AF_UNIX, SOCK_DGRAM, 0); }
static int pair(const struct probe *p) {
    (void)p;
    int ends[2];
    return outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static int dialled(int family, int kind, const void *address, socklen_t length) {
    int fd = socket(family, kind | SOCK_CLOEXEC, 0);
    return fd < 0 ? errno : outcome(connect(fd, address, length));
}
static int connect_tcp(const struct probe *p) {
    struct sockaddr_in name = loopback(p->tcp);
    return dialled(AF_INET, SOCK_STREAM, &name, sizeof name);
}
static int send_udp(const struct probe *p) {
    struct sockaddr_in name = loopback(p->udp);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? errno : outcome(sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof name));
}
static int connect_abstract(const struct probe *p) {
    struct sockaddr_un name;
    socklen_t length = unix_name(&name, p->abstract, 1);
    return dialled(AF_UNIX, SOCK_STREAM, &name, length);
}
static int connect_named(const struct probe *p) {
    struct sockaddr_un name;
    socklen_t length = unix_name(&name, p->named, 0);
    return dialled(AF_UNIX, SOCK_STREAM, &name, length);
}

static int bound(int kind) {
    struct sockaddr_in name = loopback(0);
    int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) < 0) return errno;
    return kind == SOCK_STREAM ? outcome(listen(fd, 1)) : 0;
}
static int listen_tcp(const struct probe *p) { (void)p; return bound(SOCK_STREAM); }
static int listen_udp(const struct probe *p) { (void)p; return bound(SOCK_DGRAM); }
static int listen_unbound(const struct probe *p) {
    (void)p;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? errno : outcome(listen(fd, 1));
}

/// An inherited socket that is shut may be used again, for what it was not given for.
static int again(const struct probe *p, int socket) {
    struct sockaddr_in name = loopback(p->tcp);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    shutdown(socket, SHUT_RDWR);
    connect(socket, &none, sizeof none);
    return outcome(connect(socket, (struct sockaddr *)&name, sizeof name));
}
static int dial_from_listener(const struct probe *p) { return again(p, p->listener); }
static int dial_from_connection(const struct probe *p) { return again(p, p->connection); }
static int dial_by_sending(const struct probe *p) {
    struct sockaddr_in name = loopback(p->tcp);
    shutdown(p->listener, SHUT_RDWR);
    return outcome(sendto(p->listener, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&name, sizeof name));
}
static int dial_by_message(const struct probe *p) {
    struct sockaddr_in name = loopback(p->tcp);
    struct msghdr message = {.msg_name = &name, .msg_namelen = sizeof name};
    shutdown(p->listener, SHUT_RDWR);
    return outcome(sendmsg(p->listener, &message, MSG_FASTOPEN));
}
static int bind_listener_again(const struct probe *p) {
    struct sockaddr_in name = loopback(0);
    shutdown(p->listener, SHUT_RDWR);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    connect(p->listener, &none, sizeof none);
    return outcome(bind(p->listener, (struct sockaddr *)&name, sizeof name));
}

ACTS(network,
    {"connect out by TCP", connect_tcp, PROBE_CONNECTS}, {"send a datagram", send_udp, PROBE_CONNECTS},
    {"listen on a TCP port", listen_tcp, 0}, {"listen on a port that the kernel chooses", listen_unbound, 0},
    {"bind a UDP port", listen_udp, 0}, {"make a raw socket", raw_socket, PROBE_NEEDS_ROOT},
    {"make a packet socket", packet_socket, PROBE_NEEDS_ROOT}, {"make a netlink socket", netlink_socket, 0},
    {"make a Unix socket", unix_socket, 0}, {"make a pair of sockets", pair, PROBE_PAIRS},
    {"connect to an abstract Unix socket", connect_abstract, 0}, {"connect to a Unix socket in the file system", connect_named, 0},
    {"connect out from its listener", dial_from_listener, PROBE_NEEDS_LISTENER},
    {"connect out from its listener by TCP fast open", dial_by_sending, PROBE_NEEDS_LISTENER},
    {"connect out from its listener by sendmsg", dial_by_message, PROBE_NEEDS_LISTENER},
    {"bind its listener elsewhere", bind_listener_again, PROBE_NEEDS_LISTENER},
    {"connect out from a client's connection", dial_from_connection, PROBE_NEEDS_CONNECTION})
