// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "steptrace/inflight/inflight_report.h"
#include "steptrace/inflight/syscall_name.h"

enum {
	OUTER_STEPS_MAX = 64,
	THREADS_SHOWN_MAX = 64,
	STEP_BYTES = JSON_TEXT_BYTES(49) + JSON_TEXT_BYTES(65) + 256,
	THREAD_BYTES = JSON_TEXT_BYTES(17) + JSON_TEXT_BYTES(WAIT_NAME_BYTES) +
		       JSON_TEXT_BYTES(SYSCALL_NAME_BYTES) + 4 * STACK_TEXT_BYTES + 512,
	ROW_BYTES = JSON_TEXT_BYTES(65 + 65 + 17 + 129 + 17) + 1024 +
		    (OUTER_STEPS_MAX + 1) * STEP_BYTES + (THREADS_SHOWN_MAX + 1) * THREAD_BYTES,
};

struct writing {
	struct json *out;
	const struct inflight *inflight;
	const struct inflight_options *options;
	struct clock_anchor *clock;
};

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

/* ---- steps */

static void put_name(struct json *out, const struct open_step *step)
{
	const char *type = step->type[0] ? step->type : "unnamed";

	json__raw(out, "\"step_type\":");
	json__text(out, type, strlen(type));
	json__raw(out, ",\"name\":");
	put_text(out, step->name);
}

static void put_step(const struct writing *writing, const struct inflight_row *row)
{
	struct json *out = writing->out;
	const struct open_step *step = row->step;

	json__raw(out, ",\"step\":");
	if (!step) {
		json__raw(out, "null");
		return;
	}
	json__raw(out, "{");
	put_name(out, step);
	json__raw(out, ",\"step_id\":");
	put_id(out, step->step_id);
	json__raw(out, ",\"index\":");
	json__u64(out, step->index);
	json__raw(out, ",\"suspended\":");
	json__bool(out, step->span.is_suspended);
	json__raw(out, ",");
	put_age(out, &row->step_age);
	json__raw(out, "}");
}

/* The steps that contain the row's step, the innermost first. Forged ones may form a cycle. */
static void put_outer_steps(const struct writing *writing, const struct inflight_row *row)
{
	const struct open_step *steps = row->process->spans.steps;
	int at = row->step ? row->step->parent : OPEN_NONE;

	json__raw(writing->out, ",\"outer_steps\":[");
	for (int i = 0; at != OPEN_NONE && i < OUTER_STEPS_MAX; i++, at = steps[at].parent) {
		if (i > 0)
			json__raw(writing->out, ",");
		json__raw(writing->out, "{");
		put_name(writing->out, &steps[at]);
		json__raw(writing->out, "}");
	}
	json__raw(writing->out, "]");
}

/* ---- threads */

static void put_stack(const struct writing *writing, const struct inflight_row *row)
{
	char stack[STACK_TEXT_BYTES], *rest = stack;
	const char *separator = "";

	json__raw(writing->out, ",\"stack\":[");
	thread__kernel_stack(row->process->pid, row->thread, stack);
	for (char *name = strsep(&rest, "\n"); name; name = strsep(&rest, "\n")) {
		if (!name[0])
			continue;
		json__word(writing->out, separator);
		json__text(writing->out, name, strlen(name));
		separator = ",";
	}
	json__raw(writing->out, "]");
}

static void put_wait(const struct writing *writing, const struct thread *thread)
{
	struct json *out = writing->out;
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
	if (thread->off_cpu_since_ns && thread->off_cpu_since_ns <= writing->inflight->now_ns)
		json__milliseconds(out, writing->inflight->now_ns - thread->off_cpu_since_ns);
	else
		json__raw(out, "null");
}

static void put_thread_members(const struct writing *writing, const struct thread *thread)
{
	struct json *out = writing->out;

	json__raw(out, "{\"tid\":");
	json__u64(out, (uint64_t)thread->tid);
	json__raw(out, ",\"comm\":");
	put_text(out, thread->comm);
	json__raw(out, ",\"state\":\"");
	json__word(out, thread__state_name(thread));
	json__raw(out, "\"");
	put_wait(writing, thread);
}

static void put_thread(const struct writing *writing, const struct inflight_row *row)
{
	json__raw(writing->out, ",\"thread\":");
	if (!row->thread) {
		json__raw(writing->out, "null");
		return;
	}
	put_thread_members(writing, row->thread);
	if (writing->options->has_stacks)
		put_stack(writing, row);
	json__raw(writing->out, "}");
}

/* Where the thread of the row is not known: all threads of the process. */
static void put_threads(const struct writing *writing, const struct inflight_row *row)
{
	const struct threads *threads = &row->process->threads;

	json__raw(writing->out, ",\"threads\":[");
	for (size_t i = 0; !row->thread && i < threads->count && i < THREADS_SHOWN_MAX; i++) {
		if (i > 0)
			json__raw(writing->out, ",");
		put_thread_members(writing, &threads->items[i]);
		json__raw(writing->out, "}");
	}
	json__raw(writing->out, "],\"threads_count\":");
	json__u64(writing->out, threads->count + threads->left_out);
}

/* ---- a row */

static void put_time(const struct writing *writing, const char *event)
{
	struct json *out = writing->out;

	json__raw(out, "{\"event\":\"");
	json__word(out, event);
	json__raw(out, "\",\"timestamp\":\"");
	clock_anchor__timestamp(writing->clock, out, writing->inflight->now_ns);
	json__raw(out, "\",\"monotonic_ns\":");
	json__u64(out, writing->inflight->now_ns);
}

static void put_command(const struct writing *writing, const struct inflight_row *row)
{
	const struct open_command *command = row->command;
	const char *slug = command->slug[0] ? command->slug : "unnamed";
	struct json *out = writing->out;

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
	json__raw(out, ",\"request_source\":");
	put_text(out, command->request_source);
	json__raw(out, ",\"suspended\":");
	json__bool(out, command->span.is_suspended);
	json__raw(out, ",\"steps_executed\":");
	json__u64(out, command->steps_count);
	json__raw(out, ",");
	put_age(out, &row->command_age);
}

static void put_source(const struct writing *writing, const struct inflight_row *row)
{
	struct json *out = writing->out;

	json__raw(out, ",\"source\":{\"pid\":");
	json__u64(out, (uint64_t)row->process->pid);
	json__raw(out, ",\"uid\":");
	json__u64(out, row->process->uid);
	json__raw(out, ",\"comm\":");
	put_text(out, row->process->comm);
	json__raw(out, "}");
}

static void put_row(const struct writing *writing, const struct inflight_row *row)
{
	put_time(writing, "inflight.row");
	put_command(writing, row);
	put_step(writing, row);
	put_outer_steps(writing, row);
	put_thread(writing, row);
	put_threads(writing, row);
	put_source(writing, row);
	json__raw(writing->out, "}\n");
}

/* ---- the summary */

static void put_summary(const struct writing *writing)
{
	const struct inflight *inflight = writing->inflight;
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"rows", inflight->rows_count},
		{"runners", inflight->runners},
		{"older_headers", inflight->older_headers},
		{"unreadable", inflight->unreadable},
		{"partial", inflight->partial},
		{"unseen_processes", inflight->unseen},
		{"copies", inflight->copies},
		{"invalid", inflight->invalid},
		{"left_out", inflight->left_out},
		{"searched_bytes", inflight->searched_bytes},
	};

	put_time(writing, "inflight.summary");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		json__raw(writing->out, ",\"");
		json__word(writing->out, counts[i].name);
		json__raw(writing->out, "\":");
		json__u64(writing->out, counts[i].count);
	}
	json__raw(writing->out, "}\n");
}

int inflight__json(struct json *out, const struct inflight *inflight,
		   const struct inflight_options *options, struct clock_anchor *clock)
{
	const struct writing writing = {out, inflight, options, clock};

	for (size_t i = 0; i < inflight->rows_count; i++) {
		if (json__reserve(out, ROW_BYTES))
			return -ENOMEM;
		put_row(&writing, &inflight->rows[i]);
	}
	if (json__reserve(out, 1024))
		return -ENOMEM;
	put_summary(&writing);
	return 0;
}
