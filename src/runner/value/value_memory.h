/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of cJSON trees. A command allocates some hundred small blocks, and frees most of them
 * at its end. The cache of malloc holds 7 blocks of a size; beyond that, malloc and free take
 * several times as long.
 *
 * Each thread keeps small blocks that it freed, and uses them for its next trees: at most
 * VALUE_MEMORY_KEPT blocks of a size, which is 576 KiB for all sizes. It frees them when it ends.
 * Every block comes from malloc. So a tree may own a text that malloc made, and free() may free a
 * text that cJSON made.
 */
#ifndef STEPTRACE_RUNNER_VALUE_MEMORY_H
#define STEPTRACE_RUNNER_VALUE_MEMORY_H

#include <stddef.h>

enum {
	VALUE_MEMORY_SIZES = 16, /* 24, 40, ... 264 bytes */
	VALUE_MEMORY_KEPT = 256,
};

/* From now on, cJSON uses this memory. Call it once, before the first thread is created. It does
 * nothing in a program with AddressSanitizer or ThreadSanitizer: they would not see that a freed
 * block is used. */
void value_memory__use(void);

/* Like malloc() and free(). */
void *value_memory__new(size_t bytes);
void value_memory__free(void *block);

#endif
