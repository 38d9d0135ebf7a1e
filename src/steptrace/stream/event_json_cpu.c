// SPDX-License-Identifier: BSD-2-Clause
/* Where the time of a step or command went (--breakdown). */
#include "steptrace/stream/event_json_parts.h"

static void put_time(struct json *json, const char *name, uint64_t ns)
{
	json__raw(json, "\"");
	json__word(json, name);
	json__raw(json, "\":");
	json__milliseconds(json, ns);
}

static void put_blocked(struct json *json, const struct steptrace_cpu *cpu)
{
	json__raw(json, ",\"blocked_ms\":{");
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++) {
		if (kind > 0)
			json__raw(json, ",");
		put_time(json, blocked_names[kind], cpu->blocked_ns[kind]);
	}
	json__raw(json, "}");
}

static void put_counts(struct json *json, const struct steptrace_cpu *cpu)
{
	json__raw(json, ",\"switches\":{\"voluntary\":");
	json__u64(json, cpu->switches_voluntary);
	json__raw(json, ",\"involuntary\":");
	json__u64(json, cpu->switches_involuntary);
	json__raw(json, "},\"migrations\":");
	json__u64(json, cpu->migrations);
	json__raw(json, ",\"page_faults\":");
	json__u64(json, cpu->page_faults);
}

void event_json__put_cpu(struct json *json, const struct event *event)
{
	const struct steptrace_cpu *cpu = event__cpu(event);

	if (!event->has_breakdown)
		return;
	if (!cpu) {
		json__raw(json, ",\"cpu\":null");
		return;
	}
	json__raw(json, ",\"cpu\":{");
	put_time(json, "on_cpu_ms", cpu->on_cpu_ns);
	json__raw(json, ",");
	put_time(json, "runnable_ms", cpu->runnable_ns);
	put_blocked(json, cpu);
	put_counts(json, cpu);
	json__raw(json, ",");
	put_time(json, "threads_ms", cpu->threads_ns);
	json__raw(json, "}");
}
