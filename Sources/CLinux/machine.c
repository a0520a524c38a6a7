#include "machine.h"
#include <string.h>
#include <sys/statfs.h>
#include <sys/timex.h>

int martlet_clock_is_synchronised(void) {
    struct timex state;
    memset(&state, 0, sizeof state);
    int result = adjtimex(&state);
    if (result < 0) return -1;
    return result == TIME_ERROR || (state.status & STA_UNSYNC) ? 0 : 1;
}

int martlet_filesystem(const char *path, uint64_t facts[5]) {
    struct statfs found;
    if (statfs(path, &found) != 0) return -1;
    uint64_t unit = (uint64_t)(found.f_frsize > 0 ? found.f_frsize : found.f_bsize);
    facts[0] = (uint32_t)found.f_type;
    facts[1] = found.f_blocks * unit;
    facts[2] = found.f_bavail * unit;
    facts[3] = found.f_files;
    facts[4] = found.f_ffree;
    return 0;
}
