/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks of a profile as sorted paths of numbers. All formats are written from them.
 *
 *	triage, FragmentUpdateStep | main, sqlite3_step		on-CPU	20.2 ms
 *	triage, FragmentUpdateStep | main, do_futex		lock	1.2 s
 *	triage, FragmentUpdateStep | [cut], do_futex		lock	3 ms
 *
 * Rows are sorted by command, step, state, and then by frames, so that equal beginnings are
 * neighbours. Equal rows have been added up.
 */
#ifndef STEPTRACE_FLAME_ROWS_H
#define STEPTRACE_FLAME_ROWS_H

#include "steptrace/flame/names.h"
#include "steptrace/profile/folded.h"

struct flame_row {
	/* Numbers of names: command, step if any, [cut] if so, frames or [no stack]. */
	const uint32_t *path;
	size_t path_count;
	size_t labels_count; /* 1: no step; 2 */
	enum stack_state state;
	uint64_t time_ns, samples_count;
};

struct flame_rows {
	struct flame_names names;
	struct flame_row *list;
	size_t count;
	uint32_t *paths; /* of all rows */
};

/* 0 or -ENOMEM. Copies all that it needs. */
int flame_rows__init(struct flame_rows *rows, const struct folded *folded);
void flame_rows__free(struct flame_rows *rows);

/*
 * How many elements at the beginning of two paths are equal, in the picture: frames below different
 * steps, or in different states, are different boxes.
 */
size_t flame_row__shared(const struct flame_row *a, const struct flame_row *b);

#endif
