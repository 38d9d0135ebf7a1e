/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a process left its open commands: it exited, a signal killed it, or it replaced its program
 * with exec. The kernel reports this, in the terms of wait(2).
 */
#ifndef STEPTRACE_TERMINATION_H
#define STEPTRACE_TERMINATION_H

#include <stdbool.h>
#include <stddef.h>

#include "steptrace/record.h"
#include "steptrace/stream/json.h"

enum termination_cause {
	TERMINATION_EXITED,   /* `number` is its exit status */
	TERMINATION_KILLED,   /* `number` is the signal */
	TERMINATION_EXECED,   /* it replaced its program */
	TERMINATION_VANISHED, /* it does not exist any more; the record of its end was lost */
};

struct termination {
	struct steptrace_record record; /* its pid, and the time */
	enum termination_cause cause;
	int number;
	bool core_dumped;
	bool oom_killed; /* TERMINATION_KILLED: by the kernel, because memory ran out */
	bool is_fork;    /* it never executed a program of its own */
	/* TERMINATION_EXITED, TERMINATION_KILLED: children that it forked. They are alive and did
	 * not exec. */
	size_t heirs_count;
	struct process_heir heirs[HEIRS_MAX];
};

/* Reads a record whose `probe` is PROCESS_ENDED or PROCESS_EXECED. 0, or -EBADMSG: it is another
 * record, or too short. */
int termination__of_record(const void *bytes, size_t size_bytes, struct termination *termination);

/* For a process that was found to be gone at `now_ns`. */
struct termination termination__vanished(uint32_t pid, uint64_t now_ns);

enum { TERMINATION_TEXT_BYTES = 64 };

/* "SIGKILL, out of memory", "exit status 3", "exec", "gone" */
void termination__text(const struct termination *termination, char text[TERMINATION_TEXT_BYTES]);

/* "cause":"signal","signal":9,"signal_name":"SIGKILL","core_dumped":false,"oom_killed":false
 * "cause":"exit","exit_status":3	"cause":"exec"	"cause":"unknown" */
void termination__json(const struct termination *termination, struct json *json);

#endif
