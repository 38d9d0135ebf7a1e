// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/termination.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static void take_status(struct termination *termination, int status)
{
	termination->cause = WIFSIGNALED(status) ? TERMINATION_KILLED : TERMINATION_EXITED;
	termination->number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	termination->core_dumped = WIFSIGNALED(status) && WCOREDUMP(status);
}

int termination__of_record(const void *bytes, size_t size_bytes, struct termination *termination)
{
	const struct process_end *end = bytes;

	*termination = (struct termination){.cause = TERMINATION_EXECED};
	if (size_bytes < sizeof(termination->record))
		return -EBADMSG;
	termination->record = end->record;
	if (end->record.probe == PROCESS_EXECED)
		return 0;
	if (end->record.probe != PROCESS_ENDED || size_bytes < sizeof(*end))
		return -EBADMSG;
	take_status(termination, (int)end->status);
	termination->oom_killed = termination->cause == TERMINATION_KILLED && end->oom_killed;
	termination->is_fork = end->is_fork;
	termination->heirs_count = end->heirs_count < HEIRS_MAX ? end->heirs_count : HEIRS_MAX;
	memcpy(termination->heirs, end->heirs, sizeof(termination->heirs));
	return 0;
}

struct termination termination__vanished(uint32_t pid, uint64_t now_ns)
{
	return (struct termination){.record = {.pid = pid, .tid = pid, .time_ns = now_ns},
				    .cause = TERMINATION_VANISHED};
}

static void signal_name(int number, char name[16])
{
	const char *known = sigabbrev_np(number);

	if (known)
		snprintf(name, 16, "SIG%s", known);
	else
		snprintf(name, 16, "SIG%d", number);
}

void termination__text(const struct termination *termination, char text[TERMINATION_TEXT_BYTES])
{
	char name[16];

	switch (termination->cause) {
	case TERMINATION_EXITED:
		snprintf(text, TERMINATION_TEXT_BYTES, "exit status %d", termination->number);
		return;
	case TERMINATION_KILLED:
		signal_name(termination->number, name);
		snprintf(text, TERMINATION_TEXT_BYTES, "%s%s", name,
			 termination->oom_killed ? ", out of memory" : "");
		return;
	case TERMINATION_EXECED: snprintf(text, TERMINATION_TEXT_BYTES, "exec"); return;
	case TERMINATION_VANISHED: snprintf(text, TERMINATION_TEXT_BYTES, "gone"); return;
	}
}

void termination__json(const struct termination *termination, struct json *json)
{
	char name[16];

	switch (termination->cause) {
	case TERMINATION_EXITED:
		json__raw(json, "\"cause\":\"exit\",\"exit_status\":");
		json__i64(json, termination->number);
		return;
	case TERMINATION_KILLED:
		json__raw(json, "\"cause\":\"signal\",\"signal\":");
		json__i64(json, termination->number);
		signal_name(termination->number, name);
		json__raw(json, ",\"signal_name\":\"");
		json__word(json, name);
		json__raw(json, "\",\"core_dumped\":");
		json__bool(json, termination->core_dumped);
		json__raw(json, ",\"oom_killed\":");
		json__bool(json, termination->oom_killed);
		return;
	case TERMINATION_EXECED: json__raw(json, "\"cause\":\"exec\""); return;
	case TERMINATION_VANISHED: json__raw(json, "\"cause\":\"unknown\""); return;
	}
}
