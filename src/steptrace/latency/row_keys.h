/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the rows of the table are: one row for each combination of values of the keys of --by.
 *
 *	--by command,outcome	"fragment.update" "success"
 *				"fragment.update" "failure"
 *
 * If `step` or `name` is among the keys, the durations are those of steps, otherwise of commands.
 */
#ifndef STEPTRACE_ROW_KEYS_H
#define STEPTRACE_ROW_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/open_item.h"

enum row_key {
	KEY_COMMAND, /* slug */
	KEY_STEP,    /* type */
	KEY_NAME,    /* of the step, in its pack */
	KEY_OUTCOME,
	KEY_USER,   /* user_id */
	KEY_SOURCE, /* request_source */
	KEY_UID,    /* of the process that began the execution */
	KEY_EXE,    /* its program */
	KEY_PID,    /* the process that ended the command or step */
	ROW_KEYS_COUNT,
};

struct row_keys {
	enum row_key items[ROW_KEYS_COUNT];
	size_t count;  /* at least 1 */
	bool of_steps; /* the durations are those of steps */
};

extern const struct row_key_names {
	const char *option; /* of --by */
	const char *title;  /* of the table's column */
	const char *member; /* in JSON, as in events */
	bool is_number;
} row_keys[ROW_KEYS_COUNT];

/* "command,step". 0, or -EINVAL with a sentence. */
int row_keys__parse(const char *text, struct row_keys *keys, struct error *err);

/* The path of the program that the process runs, valid until the next call. NULL: not known. */
struct row_key_source {
	const char *(*program)(void *context, uint32_t pid);
	void *context;
};

enum { ROW_KEY_BYTES = 8192 }; /* the longest */

/*
 * Writes the values of an event, each with its zero behind it. An empty value is "". Returns the
 * number of bytes; 0: the event is of no interest, because it is not the end of a command or step.
 */
size_t row_keys__of_event(const struct row_keys *keys, const struct event *event,
			  const struct row_key_source *source, char text[ROW_KEY_BYTES]);

/* The same of an open command or step. It has no outcome. 0: the rows are of the other kind. */
size_t row_keys__of_open(const struct row_keys *keys, const struct open_item *item,
			 const struct row_key_source *source, char text[ROW_KEY_BYTES]);

#endif
