/* SPDX-License-Identifier: BSD-2-Clause */
/* What the keys do: one table, from which the help is written, too. */
#ifndef STEPTRACE_TOP_KEYS_H
#define STEPTRACE_TOP_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "steptrace/top/key.h"
#include "steptrace/top/view.h"

void top_keys__press(struct top_view *view, uint32_t key);

struct top_key_help {
	const char *keys; /* "Up, Down" */
	const char *help;
};

/* The rows of the help, one after the other; NULL behind the last one. */
const struct top_key_help *top_keys__help(size_t index);

#endif
