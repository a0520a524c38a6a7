// Descriptors that pass between the processes of one program, and copies of inherited ones.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// fcntl F_DUPFD_CLOEXEC; -1 and errno on failure.
int martlet_duplicate(int fd);
void martlet_close(int fd);
/// A connected pair: kind 0 SOCK_STREAM, 1 SOCK_SEQPACKET; close-on-exec, blocking.
int martlet_socket_pair(int kind, int ends[2]);
/// shutdown SHUT_RDWR: wakes whoever waits on the descriptor.
void martlet_shutdown(int fd);
/// After this many seconds a send that cannot go on fails with EAGAIN.
int martlet_limit_send(int fd, int seconds);
/// Sends one message, with one descriptor if `passed` >= 0. Never raises SIGPIPE. -1 and errno on failure.
ssize_t martlet_send_message(int fd, const void *bytes, size_t length, int passed);
/// Receives one message and at most one descriptor (-1 if none; close-on-exec). A message that did not fit,
/// or that carried more, is EMSGSIZE. 0 at the end of the channel.
ssize_t martlet_receive_message(int fd, void *bytes, size_t capacity, int *passed);
/// Device, inode, size and time of change of the file that a path leads to; -1 and errno on failure.
int martlet_file_stamp(const char *path, uint64_t stamp[4]);
/// A datagram socket connected to where a service manager listens ($NOTIFY_SOCKET; `@` begins an abstract name), close-on-exec
/// and never waiting; -1 and errno.
int martlet_notify_socket(const char *address);
