/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands and steps that a process has open, read from its memory.
 *
 *	open_spans__read	for each tag: reads and checks the struct around it
 *	open_spans__link	when all tags were read: steps find their commands and outer steps
 *
 * The bytes are foreign, and the process runs while they are read. A struct is left out, and
 * counted, if its members cannot be those of an open command or step. A struct that changed while
 * it was read is read again, and left out if it changes once more.
 *
 * Nothing here reads a clock or a process: `struct memory_reader` gives bytes.
 */
#ifndef STEPTRACE_OPEN_SPANS_H
#define STEPTRACE_OPEN_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "steptrace/inflight/tags.h"

/* Reads up to `size_bytes` bytes of the process at `address`. Returns how many, which is less where
 * the memory ends; 0 or negative: none. */
struct memory_reader {
	ssize_t (*read)(void *context, uint64_t address, void *bytes, size_t size_bytes);
	void *context;
};

/* How many commands and how many steps of one process are listed, and how many of both of all
 * processes together. Each process may have OPEN_SPANS_MIN, whatever the others have. */
enum {
	OPEN_SPANS_MAX = 65536,
	OPEN_SPANS_TOTAL_MAX = 4 * OPEN_SPANS_MAX,
	OPEN_SPANS_MIN = 1024,
};

enum { OPEN_NONE = -1 };

/* What commands and steps have in common. */
struct open_span {
	uint64_t address;  /* of the struct in the runner */
	uint64_t start_ns; /* CLOCK_MONOTONIC; 0: not known, because no tracer was attached then */
	uint64_t seen_ns;  /* CLOCK_MONOTONIC: when it was read */
	/* CLOCK_MONOTONIC: it was open then, and began before; 0: not known. */
	uint64_t open_since_ns;
	bool is_suspended;
};

struct open_command {
	struct open_span span;
	uint8_t execution_id[16]; /* 0: the runner has not made one yet */
	uint64_t steps_count;     /* that ended */
	bool has_steps;           /* an open step belongs to it */
	/* Texts end with NUL; they are "" where the runner set none. */
	char slug[65], user_id[65], request_source[17], correlation_id[129];
};

struct open_step {
	struct open_span span;
	uint64_t command_address, parent_address; /* parent: 0: none */
	int command, parent;                      /* indexes; parent: OPEN_NONE */
	bool has_inner;                           /* an open step is inside it */
	uint8_t step_id[16];                      /* 0: the runner has not made one yet */
	uint16_t index;
	char type[49], name[65];
};

struct open_spans {
	struct open_command *commands; /* owned; by address after open_spans__link() */
	struct open_step *steps;       /* owned; the same */
	size_t commands_count, commands_room;
	size_t steps_count, steps_room;
	size_t others;     /* commands and steps that other processes have */
	uint64_t invalid;  /* structs that are not those of an open command or step */
	uint64_t left_out; /* there were too many, or there was no memory */
};

/* Start times after `now_ns` are taken as not known. True: it is an open command or step. */
bool open_spans__read(struct open_spans *spans, const struct tag *tag,
		      const struct memory_reader *memory, uint64_t now_ns);

/* Adds a command or step that was not read from memory. False: it is left out, and counted. */
bool open_spans__add_command(struct open_spans *spans, const struct open_command *command);
bool open_spans__add_step(struct open_spans *spans, const struct open_step *step);

/* Steps whose command is not open are removed: the command has ended meanwhile. */
void open_spans__link(struct open_spans *spans);

/* After open_spans__link(): the index of the command or step at this address, or OPEN_NONE. */
int open_spans__find_command(const struct open_spans *spans, uint64_t address);
int open_spans__find_step(const struct open_spans *spans, uint64_t address);

/* Also for zeroed memory. */
void open_spans__free(struct open_spans *spans);

#endif
