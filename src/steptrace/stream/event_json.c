// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/event_json.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/stream/event_json_parts.h"

#define FORM(kind, writer, name) [EVENT_##kind] = &event_json_##writer,

static const struct event_json_form *const forms[] = {STEPTRACE_EVENT_KINDS(FORM)};

/* The kernel says what the process is. inner_pid is its pid inside a pid namespace of its own. */
static void put_process(struct json *json, const struct steptrace_process *process, uint32_t pid)
{
	json__raw(json, "\"uid\":");
	json__u64(json, process->uid);
	json__raw(json, ",\"comm\":");
	TEXT(json, process->comm);
	json__raw(json, ",\"cgroup_id\":");
	json__u64(json, process->cgroup_id);
	if (process->inner_pid && process->inner_pid != pid) {
		json__raw(json, ",\"inner_pid\":");
		json__u64(json, process->inner_pid);
	}
}

int event_json__describe(struct execution *execution)
{
	const struct command_span *command = &execution->command;
	char room[EVENT_JSON_BYTES];
	struct json json = {.base = room, .at = room, .limit = room + sizeof(room)};
	char *copy;

	put_ids(&json, command->correlation_id, sizeof(command->correlation_id), execution->id);
	execution->slug_at = (uint32_t)json__length(&json);
	json__raw(&json, "\"command_slug\":");
	TEXT(&json, command->slug);
	execution->user_at = (uint32_t)json__length(&json);
	json__raw(&json, "\"user_id\":");
	TEXT(&json, command->user_id);
	execution->json_bytes = (uint32_t)json__length(&json);

	copy = realloc(execution->json, execution->json_bytes);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, json.base, execution->json_bytes);
	execution->json = copy;
	return 0;
}

_Static_assert(MEMBER_JSON_BYTES >=
		       3 * JSON_U64_BYTES +
			       JSON_TEXT_BYTES(sizeof(((struct steptrace_process *)0)->comm)) + 64,
	       "a process can be longer than its room");

void event_json__describe_process(struct member *member, const struct steptrace_process *process,
				  bool safe_integers)
{
	struct json json = {.base = member->json,
			    .at = member->json,
			    .limit = member->json + sizeof(member->json),
			    .safe_integers = safe_integers};

	put_process(&json, process, member->pid);
	member->json_bytes = json__length(&json);
}

/* When the event happened and in which process: every event has these members. */
static void put_common(struct json *json, const struct event *event, struct clock_anchor *clock)
{
	const struct member *member = event->member;

	json__raw(json, ",\"timestamp\":\"");
	clock_anchor__timestamp(clock, json, event->record->time_ns);
	json__raw(json, "\",\"monotonic_ns\":");
	json__u64(json, event->record->time_ns);
	json__raw(json, ",\"source\":{\"pid\":");
	json__u64(json, event->record->pid);
	json__raw(json, ",\"tid\":");
	json__u64(json, event->record->tid);
	json__raw(json, ",\"cpu\":");
	json__u64(json, event->record->cpu);
	json__raw(json, ",");
	if (member)
		json__bytes(json, member->json, member->json_bytes);
	else
		put_process(json, event->process, event->record->pid);
	json__raw(json, "}");
}

void event_json__write(struct json *json, const struct event *event, struct clock_anchor *clock,
		       bool seed_fields_only)
{
	const struct event_json_form *form = forms[event->kind];

	json__raw(json, "{\"event\":\"");
	json__word(json, event_names[event->kind]);
	json__raw(json, "\",");
	form->put_seed(json, event);
	if (!seed_fields_only) {
		put_common(json, event, clock);
		if (form->put_more)
			form->put_more(json, event);
	}
	json__raw(json, "}\n");
}
