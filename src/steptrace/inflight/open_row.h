/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copy of all facts about one row of struct inflight, without pointers: it may be kept, changed,
 * and sent to another process.
 */
#ifndef STEPTRACE_OPEN_ROW_H
#define STEPTRACE_OPEN_ROW_H

#include "common/error.h"
#include "steptrace/inflight/found.h"
#include "steptrace/stream/json.h"

/* More outer steps, and more threads, are not copied. */
enum { OPEN_ROW_STEPS_MAX = 64, OPEN_ROW_THREADS_MAX = 64 };

struct open_row {
	pid_t pid;
	uint32_t uid;
	char comm[17];
	bool is_attached; /* a tracer is attached to its probes, so new spans have start times */
	bool is_seen;     /* by its events, not in its memory */
	struct open_command command;
	struct age command_age;
	bool has_step; /* false: no step is open */
	struct open_step step;
	struct age step_age;
	struct outer_step {
		uint64_t address, start_ns;
		uint16_t index;
		char type[sizeof(((struct open_step *)0)->type)];
		char name[sizeof(((struct open_step *)0)->name)];
	} outer_steps[OPEN_ROW_STEPS_MAX]; /* that contain the step, the innermost first */
	size_t outer_steps_count;
	bool has_thread; /* it is known which thread executes it */
	struct thread thread;
	struct thread threads[OPEN_ROW_THREADS_MAX]; /* if it is not known: those of the process */
	size_t threads_count, threads_total;         /* copied ones; of the process */
	uint64_t now_ns;                             /* CLOCK_MONOTONIC: when it was seen */
};

void open_row__fill(struct open_row *row, const struct inflight *inflight,
		    const struct inflight_row *from);

/* Whether the counts fit and all texts end: for a row that another process sent. */
bool open_row__is_valid(const struct open_row *row);

/* ---- as JSON: open_row_json.c. The caller has reserved OPEN_ROW_JSON_BYTES for all parts. */

enum {
	OPEN_ROW_STEP_BYTES = JSON_TEXT_BYTES(49) + JSON_TEXT_BYTES(65) + 256,
	OPEN_ROW_THREAD_BYTES = JSON_TEXT_BYTES(17) + JSON_TEXT_BYTES(WAIT_NAME_BYTES) + 512,
	OPEN_ROW_JSON_BYTES = JSON_TEXT_BYTES(65 + 65 + 17 + 129 + 17) + 2048 +
			      (OPEN_ROW_STEPS_MAX + 1) * OPEN_ROW_STEP_BYTES +
			      (OPEN_ROW_THREADS_MAX + 1) * OPEN_ROW_THREAD_BYTES,
};

/* ,"correlation_id":…,"execution_id":…,"command_slug":…,"user_id":… */
void open_row__put_identity(struct json *out, const struct open_row *row);

/* The other members. `put_more` appends members to the object of the row's thread; NULL: none. */
void open_row__put_facts(struct json *out, const struct open_row *row,
			 void (*put_more)(struct json *out, const struct open_row *row));

#endif
