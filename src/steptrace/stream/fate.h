/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a process left the commands behind that it had open: it ended, or another program took its
 * place. The kernel's word, in the terms of wait(). Pure.
 */
#ifndef STEPTRACE_FATE_H
#define STEPTRACE_FATE_H

#include <stdbool.h>
#include <stddef.h>

#include "steptrace/record.h"
#include "steptrace/stream/json.h"

enum fate_cause {
	FATE_EXITED,   /* `number` is its exit status */
	FATE_KILLED,   /* `number` is the signal */
	FATE_EXECED,   /* it replaced its program */
	FATE_VANISHED, /* it is gone, and nobody said how */
};

struct fate {
	struct steptrace_record record; /* who and when */
	enum fate_cause cause;
	int number;
	bool core_dumped;
	bool oom_killed; /* FATE_KILLED: by the kernel, for want of memory */
};

/* From a record whose `probe` is PROCESS_ENDED or PROCESS_EXECED; -EBADMSG if it is none. */
int fate__of_record(const void *bytes, size_t size_bytes, struct fate *fate);

/* A process of which only this is known. */
struct fate fate__vanished(uint32_t pid, uint64_t now_ns);

enum { FATE_TEXT_BYTES = 64 };

/* "SIGKILL, out of memory", "exit status 3", "exec", "gone" */
void fate__text(const struct fate *fate, char text[FATE_TEXT_BYTES]);

/* "cause":"signal","signal":9,"signal_name":"SIGKILL","core_dumped":false,"oom_killed":false
 * "cause":"exit","exit_status":3	"cause":"exec"	"cause":"unknown" */
void fate__json(const struct fate *fate, struct json *json);

#endif
