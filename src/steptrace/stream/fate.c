// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/fate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static void take_status(struct fate *fate, int status)
{
	fate->cause = WIFSIGNALED(status) ? FATE_KILLED : FATE_EXITED;
	fate->number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	fate->core_dumped = WIFSIGNALED(status) && WCOREDUMP(status);
}

int fate__of_record(const void *bytes, size_t size_bytes, struct fate *fate)
{
	const struct process_end *end = bytes;

	*fate = (struct fate){.cause = FATE_EXECED};
	if (size_bytes < sizeof(fate->record))
		return -EBADMSG;
	fate->record = end->record;
	if (end->record.probe == PROCESS_EXECED)
		return 0;
	if (end->record.probe != PROCESS_ENDED || size_bytes < sizeof(*end))
		return -EBADMSG;
	take_status(fate, (int)end->status);
	fate->oom_killed = fate->cause == FATE_KILLED && end->oom_killed;
	return 0;
}

struct fate fate__vanished(uint32_t pid, uint64_t now_ns)
{
	return (struct fate){.record = {.pid = pid, .tid = pid, .time_ns = now_ns},
			     .cause = FATE_VANISHED};
}

static void signal_name(int number, char name[16])
{
	const char *known = sigabbrev_np(number);

	if (known)
		snprintf(name, 16, "SIG%s", known);
	else
		snprintf(name, 16, "SIG%d", number);
}

void fate__text(const struct fate *fate, char text[FATE_TEXT_BYTES])
{
	char name[16];

	switch (fate->cause) {
	case FATE_EXITED: snprintf(text, FATE_TEXT_BYTES, "exit status %d", fate->number); return;
	case FATE_KILLED:
		signal_name(fate->number, name);
		snprintf(text, FATE_TEXT_BYTES, "%s%s", name,
			 fate->oom_killed ? ", out of memory" : "");
		return;
	case FATE_EXECED: snprintf(text, FATE_TEXT_BYTES, "exec"); return;
	case FATE_VANISHED: snprintf(text, FATE_TEXT_BYTES, "gone"); return;
	}
}

void fate__json(const struct fate *fate, struct json *json)
{
	char name[16];

	switch (fate->cause) {
	case FATE_EXITED:
		json__raw(json, "\"cause\":\"exit\",\"exit_status\":");
		json__i64(json, fate->number);
		return;
	case FATE_KILLED:
		json__raw(json, "\"cause\":\"signal\",\"signal\":");
		json__i64(json, fate->number);
		signal_name(fate->number, name);
		json__raw(json, ",\"signal_name\":\"");
		json__word(json, name);
		json__raw(json, "\",\"core_dumped\":");
		json__bool(json, fate->core_dumped);
		json__raw(json, ",\"oom_killed\":");
		json__bool(json, fate->oom_killed);
		return;
	case FATE_EXECED: json__raw(json, "\"cause\":\"exec\""); return;
	case FATE_VANISHED: json__raw(json, "\"cause\":\"unknown\""); return;
	}
}
