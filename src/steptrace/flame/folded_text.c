// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>

#include "steptrace/flame/writers.h"

/* The file is used by one thread: without locks, 70 MB take one second instead of four.
 *
 * A semicolon ends a frame, and a blank ends the stack. flamegraph.pl takes a number at the end of
 * the innermost name for a second value if there is a blank in front of it. */
static void put_name(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == ' ')
			putc_unlocked('_', out);
		else
			putc_unlocked(*text == ';' ? ':' : *text, out);
	}
}

static void put_row(FILE *out, const struct flame_rows *rows, const struct flame_row *row)
{
	uint64_t us = row->time_ns / 1000 + (row->time_ns % 1000 >= 500);

	for (size_t i = 0; i < row->path_count; i++) {
		const struct flame_name *name = &rows->names.list[row->path[i]];

		if (i)
			putc_unlocked(';', out);
		put_name(out, name->text);
		if (name->kind == FLAME_KERNEL)
			fputs("_[k]", out);
	}
	if (row->state != STATE_ON_CPU)
		fprintf(out, ";[%s]", stack_state__name(row->state));
	fprintf(out, " %" PRIu64 "\n", us ? us : 1);
}

int folded_text__write(FILE *out, const struct flame_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->list[i].time_ns)
			put_row(out, rows, &rows->list[i]);
	return 0;
}
