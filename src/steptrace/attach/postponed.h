/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that cannot be attached for now, and are tried again later: a program writes to the file,
 * or a process has it mapped twice.
 *
 * The number of files is limited. Beyond the limit the file that was added first is forgotten: it
 * is then tried again at once.
 */
#ifndef STEPTRACE_POSTPONED_H
#define STEPTRACE_POSTPONED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/record.h"

enum { POSTPONED_MAX = 64 };

struct postponed {
	struct {
		struct steptrace_file file;
		uint64_t until_ns;
		int reason;
	} files[POSTPONED_MAX];
	size_t count; /* since the beginning: the next one replaces files[count % POSTPONED_MAX] */
};

/* Adds a file, or changes it. Returns whether the reason (a negative errno) is a new one, so that
 * it is worth a message. */
bool postponed__add(struct postponed *postponed, const struct steptrace_file *file, int reason,
		    uint64_t until_ns);

/* Forgets the file, if it was added. */
void postponed__remove(struct postponed *postponed, const struct steptrace_file *file);

/* Whether it is too early to try the file again. */
bool postponed__contains(const struct postponed *postponed, const struct steptrace_file *file,
			 uint64_t now_ns);

#endif
