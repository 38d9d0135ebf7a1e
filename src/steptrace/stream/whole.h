/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tail sampling: which executions are written whole, although it is known only at their end
 * (--whole, --sample). This file says what an execution has to meet. stream_whole.c holds the lines
 * of executions until their end.
 */
#ifndef STEPTRACE_WHOLE_H
#define STEPTRACE_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/json.h"

/* clang-format off */

/*
 * Why an execution is written: WHOLE_<reason>, a bit. The name is that of the line, and for the
 * first rows also that of the command line.
 *
 *     reason   name       a condition of --whole
 */
#define STEPTRACE_WHOLE_REASONS(ROW) \
  ROW(FAILED,  "failed",  true)  /* its outcome is failure, or it was rejected */ \
  ROW(SLOWER,  "slower",  true)  /* it took at least slower_ns */ \
  ROW(ABORTED, "aborted", true)  /* its outcome is aborted */ \
  ROW(SAMPLE,  "sample",  false) /* --sample selects its id */ \
  ROW(EARLY,   "early",   false) /* it had to be decided before its end was known */

/* clang-format on */

#define WHOLE_NUMBER(reason, ...) WHOLE_NUMBER_##reason,
#define WHOLE_BIT(reason, ...)    WHOLE_##reason = 1 << WHOLE_NUMBER_##reason,

enum { STEPTRACE_WHOLE_REASONS(WHOLE_NUMBER) WHOLE_REASONS_COUNT };
enum { STEPTRACE_WHOLE_REASONS(WHOLE_BIT) };

#undef WHOLE_NUMBER
#undef WHOLE_BIT

struct whole {
	unsigned int conditions; /* bits of the reasons; 0: every execution is written */
	uint64_t slower_ns;
	uint32_t sample_every; /* one in so many of the others is written, too; 0: none */
	uint64_t hold_bytes;
};

/* How many executions were decided so far. */
struct whole_counts {
	uint64_t written;    /* whole */
	uint64_t left_out;   /* whole */
	uint64_t early;      /* of `written`: before it was known whether they meet a condition */
	uint64_t unfinished; /* of `left_out`: they were still running when the recording ended */
};

/* Adds the conditions of a list like "failed,slower:10s" to those of earlier calls. 0, or -EINVAL
 * with a sentence. */
int whole__parse(struct whole *whole, const char *list, struct error *err);

/* Which conditions an execution meets that ended with this event, of the kind
 * EVENT_COMMAND_COMPLETED. `open_ns` is how long it has been known, for the case that its duration
 * is not known. */
unsigned int whole__met(const struct whole *whole, const struct event *event, uint64_t open_ns);

/* Whether the sample contains the execution with this id. */
bool whole__samples(const struct whole *whole, const uint8_t execution_id[16]);

/* Appends ,"selected_by":["failed","slower"]: at most 100 bytes, which the caller has reserved. */
void whole__json(unsigned int reasons, struct json *json);

#endif
