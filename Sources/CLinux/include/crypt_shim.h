// crypt(3) for password hashes that an administrator brought from another server.
#pragma once
#include <stddef.h>

/// Hashes `phrase` as `setting` says into `out` (384 bytes are always enough). 0, or -1 if the setting is not understood.
int martlet_crypt(const char *phrase, const char *setting, char *out, size_t size);

/// Whether this system's libcrypt understands `setting`: 1 or 0. Costs no hashing.
int martlet_crypt_understands(const char *setting);
