#define _GNU_SOURCE
#include "birth.h"
#include <fcntl.h>
#include <sys/stat.h>

int64_t martlet_birth_time(int fd) {
    struct statx facts;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &facts) != 0 || !(facts.stx_mask & STATX_BTIME)) return 0;
    return (int64_t)facts.stx_btime.tv_sec * 1000000000 + facts.stx_btime.tv_nsec;
}
