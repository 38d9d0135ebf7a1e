/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a process left the commands behind that it had open: it ended, or another program took its
 * place. The kernel's word, in the terms of wait(). Pure.
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
	TERMINATION_VANISHED, /* it is gone, and nobody said how */
};

struct termination {
	struct steptrace_record record; /* who and when */
	enum termination_cause cause;
	int number;
	bool core_dumped;
	bool oom_killed; /* TERMINATION_KILLED: by the kernel, for want of memory */
};

/* From a record whose `probe` is PROCESS_ENDED or PROCESS_EXECED; -EBADMSG if it is none. */
int termination__of_record(const void *bytes, size_t size_bytes, struct termination *termination);

/* A process of which only this is known. */
struct termination termination__vanished(uint32_t pid, uint64_t now_ns);

enum { TERMINATION_TEXT_BYTES = 64 };

/* "SIGKILL, out of memory", "exit status 3", "exec", "gone" */
void termination__text(const struct termination *termination, char text[TERMINATION_TEXT_BYTES]);

/* "cause":"signal","signal":9,"signal_name":"SIGKILL","core_dumped":false,"oom_killed":false
 * "cause":"exit","exit_status":3	"cause":"exec"	"cause":"unknown" */
void termination__json(const struct termination *termination, struct json *json);

#endif
