// When a file was made: no copy has the same answer.
#pragma once
#include <stdint.h>

/// Nanoseconds since 1970; 0 where the file system does not say.
int64_t martlet_birth_time(int fd);
