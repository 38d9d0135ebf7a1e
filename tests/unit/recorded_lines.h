/* SPDX-License-Identifier: BSD-2-Clause */
/* Events made of lines, for the tests of what reads recordings. */
#ifndef RECORDED_LINES_H
#define RECORDED_LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/recording/recorded_line.h"

/* Reads a line, which must be an event. The texts are valid until the next call. */
static inline struct recorded_event event_of(struct recorded_line *reader, const char *line)
{
	struct recorded_event event = {.place = {.file = "test", .line = 1}};

	assert_int_equal(recorded_line__read(reader, &event, line, strlen(line)), 0);
	return event;
}

/* What was written to a file in memory. */
struct written {
	char *text;
	size_t bytes;
	FILE *file;
};

static inline void written__open(struct written *written)
{
	written->file = open_memstream(&written->text, &written->bytes);
	assert_non_null(written->file);
}

static inline void written__close(struct written *written)
{
	fclose(written->file);
	free(written->text);
}

#endif
