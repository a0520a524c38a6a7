// What the machine says of itself, for `mailctl doctor`: nothing here changes anything.
#pragma once
#include <stdint.h>

/// Whether the kernel believes its clock to follow a reference: 1 or 0; -1 where it may not be asked.
int martlet_clock_is_synchronised(void);
/// statfs: the type's number, bytes in all and free for unprivileged writers, inodes in all and free; -1 and errno on failure.
int martlet_filesystem(const char *path, uint64_t facts[5]);
