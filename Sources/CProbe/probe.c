#define _GNU_SOURCE
#include "acts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct { const struct probe_act *acts; const size_t *count; } parts[] = {
    {process_acts, &process_act_count}, {file_acts, &file_act_count},
    {network_acts, &network_act_count}, {kernel_acts, &kernel_act_count},
};

static const struct probe_act *act_at(size_t index) {
    for (size_t i = 0; i < sizeof parts / sizeof *parts; index -= *parts[i++].count)
        if (index < *parts[i].count) return parts[i].acts + index;
    return NULL;
}

size_t probe_act_count(void) {
    size_t count = 0;
    while (act_at(count)) count++;
    return count;
}

const char *probe_act_name(size_t act) { return act_at(act)->name; }
unsigned probe_act_flags(size_t act) { return act_at(act)->flags; }
int probe_run(size_t act, const struct probe *what) { return act_at(act)->run(what); }

pid_t probe_fork(void) {
    pid_t child = fork();
    // An act that hangs is ended, and seen to be.
    if (child == 0) alarm(10);
    return child;
}

void probe_end(int result) { _exit(result < 0 ? 255 : result > 200 ? 254 : result); }

int probe_wait(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return PROBE_UNCLEAR;
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? PROBE_KILLED : PROBE_UNCLEAR;
    return WEXITSTATUS(status) >= 254 ? PROBE_UNCLEAR : WEXITSTATUS(status);
}

int probe_own_namespaces(void) {
    if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) < 0) return -1;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int probe_become(uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count) {
    if (setgroups(count, groups) < 0 || setresgid(gid, gid, gid) < 0) return -1;
    return setresuid(uid, uid, uid);
}

void probe_stay(void) {
    alarm(0);
    for (;;) pause();
}

void probe_end_child(pid_t child) {
    if (child <= 0) return;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

void *probe_word(void) {
    static long word = 1;
    return &word;
}

int probe_lacks_call(int code) { return code == ENOSYS; }
int probe_lacks_right(int code) { return code == EPERM || code == EACCES; }
int probe_forget(const char *path) { return outcome(unlink(path)); }

static int bound(int family, int kind, const void *address, socklen_t length) {
    int fd = socket(family, kind | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, address, length) < 0) return -1;
    return kind == SOCK_STREAM && listen(fd, 64) < 0 ? -1 : fd;
}

static uint16_t port_of(int fd) {
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    return getsockname(fd, (struct sockaddr *)&name, &length) < 0 ? 0 : ntohs(name.sin_port);
}

socklen_t unix_name(struct sockaddr_un *name, const char *text, int is_abstract) {
    memset(name, 0, sizeof *name);
    name->sun_family = AF_UNIX;
    strncpy(name->sun_path + is_abstract, text, sizeof name->sun_path - 2);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + is_abstract + strlen(text) + !is_abstract);
}

struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int probe_open_sockets(struct probe *what, const char *named) {
    static char abstract[64];
    static int number;
    struct sockaddr_in any = loopback(0);
    struct sockaddr_un name;
    int tcp = bound(AF_INET, SOCK_STREAM, &any, sizeof any), udp = bound(AF_INET, SOCK_DGRAM, &any, sizeof any);
    if (tcp < 0 || udp < 0) return -1;
    what->tcp = port_of(tcp);
    what->udp = port_of(udp);
    snprintf(abstract, sizeof abstract, "martlet-probe-%d-%d", (int)getpid(), number++);
    socklen_t length = unix_name(&name, abstract, 1);
    if (bound(AF_UNIX, SOCK_STREAM, &name, length) < 0) return -1;
    what->abstract = abstract;
    length = unix_name(&name, named, 0);
    unlink(named);
    if (bound(AF_UNIX, SOCK_STREAM, &name, length) < 0) return -1;
    what->named = named;
    chmod(named, 0666);
    what->listener = what->connection = -1;
    what->namespace_ = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    return what->namespace_ < 0 ? -1 : 0;
}

int probe_inherit(struct probe *what) {
    struct sockaddr_in any = loopback(0);
    what->listener = bound(AF_INET, SOCK_STREAM, &any, sizeof any);
    struct sockaddr_in own = loopback(port_of(what->listener));
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(client, (struct sockaddr *)&own, sizeof own) < 0) return -1;
    what->connection = accept(what->listener, NULL, NULL);
    return what->connection < 0 ? -1 : 0;
}
