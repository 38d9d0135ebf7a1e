/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structs that a runner keeps for each command and step, as they are in its memory.
 *
 * usdt/steptrace.h says what the members mean. tests/unit/test_layout.c compares the two
 * descriptions. Every byte is foreign: pointers may lead anywhere, and members may have any value.
 */
#ifndef STEPTRACE_RUNNER_STRUCTS_H
#define STEPTRACE_RUNNER_STRUCTS_H

#include <stdint.h>

#include "steptrace/record.h"

/* Members that are text or structs are addresses in the runner. */
struct runner_command {
	uint64_t slug;
	uint64_t context;
	uint64_t user_id;
	uint64_t request_source;
	uint64_t correlation_id;
	uint64_t queue;
	uint64_t parent;
	uint64_t describe;
	uint64_t enqueued_at_ns;
	int64_t schedule_id;
	int64_t schedule_run_id;
	int64_t planned_run_at_s;
	uint32_t attempt;
	uint32_t arguments_count;
	uint8_t is_scheduled;
	uint8_t dry_run;
	uint8_t error_category;
	uint8_t described;
	uint8_t begun;
	uint8_t pause;
	uint8_t reserved[2];
	uint64_t announced_key;
	uint64_t steps_count[8];
	uint64_t paused_since_ns;
	uint64_t paused_total_ns;
	uint64_t tag;
	struct command_span span;
};

struct runner_step {
	uint64_t command;
	uint64_t type;
	uint64_t context;
	uint64_t parent;
	uint64_t name;
	uint64_t describe;
	int64_t fragment_id;
	uint64_t mutations_count;
	uint32_t items_in;
	uint32_t items_out;
	uint32_t prompt_tokens;
	uint32_t completion_tokens;
	uint16_t index;
	uint8_t has_fragment_id;
	uint8_t has_items;
	uint8_t ai_cache;
	uint8_t error_category;
	uint8_t described;
	uint8_t pause;
	uint64_t paused_since_ns;
	uint64_t paused_total_ns;
	uint64_t tag;
	struct step_span span;
};

/* Values of `pause`. */
enum runner_pause { RUNNER_NEVER_PAUSED = 0, RUNNER_PAUSED = 1, RUNNER_RESUMED = 2 };

/* Values of span_head.kind. */
enum { RUNNER_SPAN_COMMAND = 1, RUNNER_SPAN_STEP = 2 };

_Static_assert(sizeof(struct runner_command) == 704, "the runner's command changed its size");
_Static_assert(sizeof(struct runner_step) == 360, "the runner's step changed its size");

#endif
