#define _GNU_SOURCE
#include "crypt_shim.h"
#include <crypt.h>
#include <stdlib.h>
#include <string.h>

// The state is 32 KiB and holds what the phrase became, so it lives on the heap for one call and is wiped.
int martlet_crypt(const char *phrase, const char *setting, char *out, size_t size) {
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data) return -1;
    const char *hash = crypt_r(phrase, setting, data);
    int result = -1;
    // An error is NULL or a text that begins with '*', by crypt(3).
    if (hash && hash[0] != '*' && strlen(hash) < size) {
        memcpy(out, hash, strlen(hash) + 1);
        result = 0;
    }
    explicit_bzero(data, sizeof *data);
    free(data);
    return result;
}

int martlet_crypt_understands(const char *setting) {
#ifdef CRYPT_CHECKSALT_AVAILABLE
    int answer = crypt_checksalt(setting);
    return answer == CRYPT_SALT_OK || answer == CRYPT_SALT_METHOD_LEGACY;
#else
    char out[384];
    return martlet_crypt("", setting, out, sizeof out) == 0;
#endif
}
