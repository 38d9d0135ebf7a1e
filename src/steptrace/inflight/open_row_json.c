// SPDX-License-Identifier: BSD-2-Clause
#include <string.h>

#include "steptrace/inflight/open_row.h"
#include "steptrace/inflight/syscall_name.h"

_Static_assert(OPEN_ROW_THREAD_BYTES >= JSON_TEXT_BYTES(SYSCALL_NAME_BYTES) + 256 +
						JSON_TEXT_BYTES(17) +
						JSON_TEXT_BYTES(WAIT_NAME_BYTES),
	       "a thread can be longer than its room");

/* ---- values */

/* A text of a fixed array; "" is null. */
static void put_text(struct json *out, const char *text)
{
	if (text[0])
		json__text(out, text, strlen(text));
	else
		json__raw(out, "null");
}

static void put_id(struct json *out, const uint8_t id[16])
{
	static const uint8_t none[16];

	if (memcmp(id, none, sizeof(none)) == 0) {
		json__raw(out, "null");
		return;
	}
	json__raw(out, "\"");
	json__uuid(out, id);
	json__raw(out, "\"");
}

/* "age_ms" is null where only a lower bound is known. */
static void put_age(struct json *out, const struct age *age)
{
	json__raw(out, "\"age_ms\":");
	if (age->is_known)
		json__milliseconds(out, age->ns);
	else
		json__raw(out, "null");
	json__raw(out, ",\"age_at_least_ms\":");
	json__milliseconds(out, age->ns);
}

/* ---- the command */

void open_row__put_identity(struct json *out, const struct open_row *row)
{
	const struct open_command *command = &row->command;
	const char *slug = command->slug[0] ? command->slug : "unnamed";

	json__raw(out, ",\"correlation_id\":");
	if (command->correlation_id[0])
		put_text(out, command->correlation_id);
	else
		put_id(out, command->execution_id);
	json__raw(out, ",\"execution_id\":");
	put_id(out, command->execution_id);
	json__raw(out, ",\"command_slug\":");
	json__text(out, slug, strlen(slug));
	json__raw(out, ",\"user_id\":");
	put_text(out, command->user_id);
}

/* Events do not say it before the end. */
static void put_suspended(struct json *out, const struct open_row *row,
			  const struct open_span *span)
{
	json__raw(out, ",\"suspended\":");
	if (row->is_seen)
		json__raw(out, "null");
	else
		json__bool(out, span->is_suspended);
}

static void put_command(struct json *out, const struct open_row *row)
{
	json__raw(out, ",\"request_source\":");
	put_text(out, row->command.request_source);
	put_suspended(out, row, &row->command.span);
	json__raw(out, ",\"steps_executed\":");
	json__u64(out, row->command.steps_count);
	json__raw(out, ",");
	put_age(out, &row->command_age);
}

/* ---- steps */

static void put_name(struct json *out, const char *type, const char *name)
{
	if (!type[0])
		type = "unnamed";
	json__raw(out, "\"step_type\":");
	json__text(out, type, strlen(type));
	json__raw(out, ",\"name\":");
	put_text(out, name);
}

static void put_step(struct json *out, const struct open_row *row)
{
	const struct open_step *step = &row->step;

	json__raw(out, ",\"step\":");
	if (!row->has_step) {
		json__raw(out, "null");
		return;
	}
	json__raw(out, "{");
	put_name(out, step->type, step->name);
	json__raw(out, ",\"step_id\":");
	put_id(out, step->step_id);
	json__raw(out, ",\"index\":");
	json__u64(out, step->index);
	put_suspended(out, row, &step->span);
	json__raw(out, ",");
	put_age(out, &row->step_age);
	json__raw(out, "}");
}

static void put_outer_steps(struct json *out, const struct open_row *row)
{
	json__raw(out, ",\"outer_steps\":[");
	for (size_t i = 0; i < row->outer_steps_count; i++) {
		json__word(out, i > 0 ? ",{" : "{");
		put_name(out, row->outer_steps[i].type, row->outer_steps[i].name);
		json__raw(out, "}");
	}
	json__raw(out, "]");
}

/* ---- threads */

static void put_wait(struct json *out, const struct open_row *row, const struct thread *thread)
{
	char name[SYSCALL_NAME_BYTES];

	syscall_name__write(thread->syscall, name);
	json__raw(out, ",\"syscall\":");
	put_text(out, name);
	json__raw(out, ",\"wait_channel\":");
	put_text(out, thread->wait_name);
	json__raw(out, ",\"cpu\":");
	if (thread->cpu >= 0)
		json__u64(out, (uint64_t)thread->cpu);
	else
		json__raw(out, "null");
	json__raw(out, ",\"off_cpu_ms\":");
	if (thread->off_cpu_since_ns && thread->off_cpu_since_ns <= row->now_ns)
		json__milliseconds(out, row->now_ns - thread->off_cpu_since_ns);
	else
		json__raw(out, "null");
}

static void put_thread_members(struct json *out, const struct open_row *row,
			       const struct thread *thread)
{
	json__raw(out, "{\"tid\":");
	json__u64(out, (uint64_t)thread->tid);
	json__raw(out, ",\"comm\":");
	put_text(out, thread->comm);
	json__raw(out, ",\"state\":\"");
	json__word(out, thread__state_name(thread));
	json__raw(out, "\"");
	put_wait(out, row, thread);
}

static void put_threads(struct json *out, const struct open_row *row)
{
	json__raw(out, ",\"threads\":[");
	for (size_t i = 0; i < row->threads_count; i++) {
		if (i > 0)
			json__raw(out, ",");
		put_thread_members(out, row, &row->threads[i]);
		json__raw(out, "}");
	}
	json__raw(out, "],\"threads_count\":");
	json__u64(out, row->threads_total);
}

/* ---- the process */

static void put_source(struct json *out, const struct open_row *row)
{
	json__raw(out, ",\"source\":{\"pid\":");
	json__u64(out, (uint64_t)row->pid);
	json__raw(out, ",\"uid\":");
	json__u64(out, row->uid);
	json__raw(out, ",\"comm\":");
	put_text(out, row->comm);
	json__raw(out, "}");
}

void open_row__put_facts(struct json *out, const struct open_row *row,
			 void (*put_more)(struct json *out, const struct open_row *row))
{
	put_command(out, row);
	put_step(out, row);
	put_outer_steps(out, row);
	json__raw(out, ",\"thread\":");
	if (row->has_thread) {
		put_thread_members(out, row, &row->thread);
		if (put_more)
			put_more(out, row);
		json__raw(out, "}");
	} else {
		json__raw(out, "null");
	}
	put_threads(out, row);
	put_source(out, row);
}
