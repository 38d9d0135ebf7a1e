/* SPDX-License-Identifier: BSD-2-Clause */
/* Where separate debug files are, see mapped.h. */
#ifndef STEPTRACE_SYMBOLS_DEBUG_FILE_H
#define STEPTRACE_SYMBOLS_DEBUG_FILE_H

#include <sys/types.h>

#include "steptrace/symbols/elf_module.h"
#include "steptrace/symbols/owner.h"

/* Called with each file that may be the one. Returns whether it is; otherwise it is closed here. */
typedef bool debug_file_try(void *context, int fd);

/* `path` is that of the file in the root directory of the process; "" if it is not known. */
void debug_file__search(pid_t tid, const struct owner *owner, const char *path,
			const struct elf_identity *identity, debug_file_try *try, void *context);

#endif
