/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events that become part of a span whose own event is still to come: the start of a command,
 * changed fragments, and rejections of a command that runs (handled as fragments without a step).
 *
 *	held	command.execution.started 5e0c…, fragment.changed in step 77a0…
 *	then	dsl.step.executed 77a0…: its span takes the fragment
 *	then	command.execution.completed 5e0c…: its span takes the start
 *
 * What is not taken (the command never ended, or too many commands or bytes are held) is handed
 * back, and becomes a log record: no event is lost here.
 */
#ifndef STEPTRACE_OTLP_OPEN_COMMANDS_H
#define STEPTRACE_OTLP_OPEN_COMMANDS_H

#include "steptrace/otlp/otlp_ids.h"
#include "steptrace/stream/lines.h"

enum { OPEN_COMMANDS_MAX = 16384, HELD_FRAGMENTS_MAX = 64 };

/* Of the held events: of one command, and of all. */
enum { HELD_COMMAND_BYTES_MAX = 1 << 20, HELD_BYTES_MAX = 16 << 20 };

/* One held event; owned by who took it: held_event__free(). */
struct held_event {
	struct held_event *next;
	struct line_mark mark;
	uint64_t step;    /* the span that takes it; 0: that of the command */
	uint64_t time_ns; /* of the event */
	size_t line_bytes, part_bytes;
	char text[]; /* the line of the event, then its part of the span */
};

void held_event__free(struct held_event *event);

/* Its memory. */
static inline size_t held_event__bytes(const struct held_event *event)
{
	return sizeof(*event) + event->line_bytes + event->part_bytes;
}

struct open_command {
	uint64_t span;
	bool is_consumer;
	struct held_event *start;     /* NULL: it was not seen */
	struct held_event *fragments; /* the oldest first */
	unsigned int fragments_count;
	size_t bytes; /* of its held events */
};

struct open_commands;

/* NULL: no memory. */
struct open_commands *open_commands__new(void);
/* Accepts NULL. What is held is dropped. */
void open_commands__free(struct open_commands *commands);

/* NULL: it is not known. */
struct open_command *open_commands__find(struct open_commands *commands, uint64_t span);

/* Adds a command that is not in the table. NULL: no memory. */
struct open_command *open_commands__add(struct open_commands *commands, uint64_t span);

/* The oldest, if there are too many of them or `all` is set; NULL: none is handed back. */
struct open_command *open_commands__excess(struct open_commands *commands, bool all);

/* The bytes of all held events. */
size_t open_commands__bytes(const struct open_commands *commands);

/* Whether the command may hold so many more bytes, as far as it is concerned itself. */
bool open_command__may_hold(const struct open_command *command, size_t bytes);

/* The oldest other command, if all hold too much for so many more bytes of this one; NULL: they do
 * not, or there is no other. */
struct open_command *open_commands__in_the_way(struct open_commands *commands,
					       const struct open_command *command, size_t bytes);

/* Forgets the command. What it still holds is dropped. */
void open_commands__remove(struct open_commands *commands, struct open_command *command);

/* Holds the event. `part` is what the span will contain of it. NULL: no memory. */
struct held_event *held_event__new(const struct line_mark *mark, struct recorded_text line,
				   const struct json *part);

/* Removes the first fragment of that step from the list; with `any`, the first one. NULL: none. */
struct held_event *open_commands__take_fragment(struct open_commands *commands,
						struct open_command *command, uint64_t step,
						bool any);

void open_commands__hold_fragment(struct open_commands *commands, struct open_command *command,
				  struct held_event *fragment);

/* Holds the start, or none (NULL), and hands back the one that was held before. */
struct held_event *open_commands__swap_start(struct open_commands *commands,
					     struct open_command *command,
					     struct held_event *start);

#endif
