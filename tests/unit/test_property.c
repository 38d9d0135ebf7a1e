// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sends random spans through decoder and writer, reads the JSON with cJSON, and checks that each
 * event agrees with its span. The environment variables PROPERTY_SEED and PROPERTY_ROUNDS choose
 * the random numbers and how many rounds are run. A failure prints the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foreign_text.h"
#include "records.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/stream.h"

enum { ROUNDS = 20000, WALL_AHEAD_NS = 1000000000 };

struct walk {
	uint64_t seed, state;
	struct stream *stream;
	uint64_t time_ns;
	struct command_span command; /* the open command */
	struct steptrace_process process;
	uint64_t steps_seen, steps_lost; /* of the open command */
	char line[EVENT_LINE_BYTES + 1];
	cJSON *event;
};

static uint64_t draw(struct walk *walk)
{
	return random__next(&walk->state);
}

/* A random number; every number of bits is equally likely. */
static uint64_t draw_number(struct walk *walk)
{
	uint64_t value = draw(walk);

	return value >> draw(walk) % 64;
}

#define DRAW_TEXT(walk, field) random__text(&(walk)->state, field, sizeof(field))

static void draw_id(struct walk *walk, uint8_t id[16])
{
	for (int i = 0; i < 16; i++)
		id[i] = (uint8_t)draw(walk);
	if (draw(walk) % 8 == 0)
		memset(id, 0, 16);
}

static struct span_head draw_head(struct walk *walk, size_t bytes, uint8_t kind)
{
	struct span_head head = {.size_bytes = (uint16_t)(bytes + draw(walk) % 3 * 8),
				 .layout = 1,
				 .kind = kind,
				 .flags = (uint32_t)draw(walk),
				 .start_ns = draw_number(walk)};

	head.end_ns = draw(walk) % 4 ? head.start_ns + draw_number(walk) : draw_number(walk);
	if (head.end_ns < head.start_ns && draw(walk) % 2)
		head.start_ns = 0;
	memcpy(head.execution_id, walk->command.head.execution_id, 16);
	return head;
}

/* ---- checks of one event */

static _Noreturn void fail_at(struct walk *walk, const char *what, const char *expected)
{
	fail_msg("seed %" PRIu64 ": %s is not %s in %s", walk->seed, what, expected, walk->line);
	abort();
}

static const cJSON *find(const struct walk *walk, const char *path)
{
	const char *dot = strchr(path, '.');
	char outer[64];

	if (!dot)
		return cJSON_GetObjectItemCaseSensitive(walk->event, path);
	snprintf(outer, sizeof(outer), "%.*s", (int)(dot - path), path);
	return cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(walk->event, outer), dot + 1);
}

static void check_string(struct walk *walk, const char *path, const char *expected)
{
	const cJSON *item = find(walk, path);

	if (!cJSON_IsString(item) || strcmp(item->valuestring, expected) != 0)
		fail_at(walk, path, expected);
}

static void check_text(struct walk *walk, const char *path, const char *field, size_t bytes)
{
	char expected[3 * 128 + 1];

	foreign_text__expected(field, bytes, expected);
	check_string(walk, path, expected);
}

#define CHECK_TEXT(walk, path, field) check_text(walk, path, field, sizeof(field))

/* Searches the text of the line, because cJSON would turn the number into a double. */
static void check_bare(struct walk *walk, const char *name, const char *expected)
{
	char start[64];
	const char *at;

	snprintf(start, sizeof(start), "\"%s\":", name);
	at = strstr(walk->line, start);
	if (!at || strncmp(at + strlen(start), expected, strlen(expected)) != 0 ||
	    !strchr(",}", at[strlen(start) + strlen(expected)]))
		fail_at(walk, name, expected);
}

static void check_u64(struct walk *walk, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	check_bare(walk, name, text);
}

static void check_i64(struct walk *walk, const char *name, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	check_bare(walk, name, text);
}

static void check_i64_or_null(struct walk *walk, const char *name, int64_t value)
{
	if (value)
		check_i64(walk, name, value);
	else
		check_bare(walk, name, "null");
}

static void check_bool(struct walk *walk, const char *name, bool value)
{
	check_bare(walk, name, value ? "true" : "false");
}

static void check_absent(struct walk *walk, const char *path, bool absent)
{
	if (absent != (find(walk, path) == NULL))
		fail_at(walk, path, absent ? "absent" : "there");
}

static void id_text(const uint8_t id[16], char text[37])
{
	snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10],
		 id[11], id[12], id[13], id[14], id[15]);
}

static void check_id(struct walk *walk, const char *path, const uint8_t id[16])
{
	char text[37];

	id_text(id, text);
	check_string(walk, path, text);
}

static bool is_no_id(const uint8_t id[16])
{
	static const uint8_t none[16];

	return memcmp(id, none, 16) == 0;
}

static void check_id_or_null(struct walk *walk, const char *path, const uint8_t id[16])
{
	if (!is_no_id(id))
		check_id(walk, path, id);
	else if (!cJSON_IsNull(find(walk, path)))
		fail_at(walk, path, "null");
}

static void check_milliseconds(struct walk *walk, const char *name, uint64_t ns)
{
	char text[48];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06" PRIu64, ns / 1000000, ns % 1000000);
	while (text[strlen(text) - 1] == '0')
		text[strlen(text) - 1] = 0;
	if (text[strlen(text) - 1] == '.')
		text[strlen(text) - 1] = 0;
	check_bare(walk, name, text);
}

static bool takes_time(struct walk *walk, const struct span_head *head, uint64_t suspended_ns)
{
	uint64_t ns = head->end_ns - head->start_ns;

	return head->start_ns != 0 && head->end_ns >= head->start_ns && ns <= walk->time_ns &&
	       suspended_ns <= ns;
}

static void check_duration(struct walk *walk, const char *name, const struct span_head *head,
			   uint64_t suspended_ns)
{
	if (takes_time(walk, head, suspended_ns))
		check_milliseconds(walk, name, head->end_ns - head->start_ns - suspended_ns);
	else
		check_bare(walk, name, "null");
}

/* A step or a command: its duration, and how long it was suspended. */
static void check_times(struct walk *walk, const char *name, const struct span_head *head,
			uint64_t suspended_ns)
{
	bool was_suspended = head->flags & SPAN_SUSPENDED;

	check_duration(walk, name, head, was_suspended ? suspended_ns : 0);
	check_absent(walk, "suspended_ms", !was_suspended);
	if (was_suspended && takes_time(walk, head, suspended_ns))
		check_milliseconds(walk, "suspended_ms", suspended_ns);
	else if (was_suspended)
		check_bare(walk, "suspended_ms", "null");
}

static void check_ids(struct walk *walk, const char *correlation_id, size_t bytes,
		      const uint8_t execution_id[16])
{
	if (correlation_id[0])
		check_text(walk, "correlation_id", correlation_id, bytes);
	else
		check_id(walk, "correlation_id", execution_id);
	check_id(walk, "execution_id", execution_id);
}

static void check_source(struct walk *walk)
{
	const struct steptrace_process *process = &walk->process;
	uint64_t wall = walk->time_ns + WALL_AHEAD_NS;
	char seconds[32];

	check_u64(walk, "monotonic_ns", walk->time_ns);
	check_u64(walk, "pid", RECORD_PID);
	check_u64(walk, "tid", RECORD_TID);
	check_u64(walk, "cpu", RECORD_CPU);
	check_u64(walk, "uid", process->uid);
	check_u64(walk, "cgroup_id", process->cgroup_id);
	CHECK_TEXT(walk, "source.comm", process->comm);
	check_absent(walk, "source.inner_pid",
		     process->inner_pid == 0 || process->inner_pid == RECORD_PID);
	snprintf(seconds, sizeof(seconds), "%02u.%09" PRIu64 "Z",
		 (unsigned int)(wall / 1000000000 % 60), wall % 1000000000);
	if (!strstr(cJSON_GetStringValue(find(walk, "timestamp")), seconds))
		fail_at(walk, "timestamp", seconds);
}

static void check_of_execution(struct walk *walk)
{
	const struct command_span *command = &walk->command;

	check_ids(walk, command->correlation_id, sizeof(command->correlation_id),
		  command->head.execution_id);
	CHECK_TEXT(walk, "command_slug", command->slug);
	CHECK_TEXT(walk, "user_id", command->user_id);
	check_source(walk);
}

static void check_category(struct walk *walk, unsigned int outcome, unsigned int category)
{
	static const char *const names[] = {"general",    "general",   "timeout",    "memory",
					    "permission", "not_found", "validation", "network",
					    "database",   "cancelled", "limit"};
	bool known = category > 0 && category < 11;
	bool there = outcome == 2 || (outcome >= 4 && known);

	check_absent(walk, "error_category", !there);
	if (there)
		check_string(walk, "error_category", names[known ? category : 0]);
}

static const char *outcome_of(unsigned int outcome)
{
	static const char *const names[] = {NULL,      "success", "failure",
					    "skipped", "aborted", "cancelled"};

	return names[outcome];
}

/* ---- one record, one event */

/* Feeds a record and parses the line that it makes; false: it made no event. */
static bool feed(struct walk *walk, struct record_bytes record)
{
	struct json *lines = &stream__lines(walk->stream)->text;
	size_t bytes;

	record = records__at(record, walk->time_ns);
	assert_int_equal(stream__record(walk->stream, record.bytes, record.size_bytes), 0);
	cJSON_Delete(walk->event);
	walk->event = NULL;
	bytes = json__length(lines);
	if (bytes == 0)
		return false;
	memcpy(walk->line, lines->base, bytes);
	walk->line[bytes] = 0;
	lines__clear(stream__lines(walk->stream));
	if (strchr(walk->line, '\n') != walk->line + bytes - 1)
		fail_at(walk, "the line", "one line");
	walk->event = cJSON_Parse(walk->line);
	if (!walk->event)
		fail_at(walk, "the line", "JSON");
	return true;
}

static struct record_bytes introduced(struct walk *walk, unsigned int probe, const void *span,
				      size_t bytes)
{
	struct record_bytes record = records__introducing(probe, span, bytes);

	memcpy(record.bytes + sizeof(struct steptrace_record), &walk->process,
	       sizeof(walk->process));
	return record;
}

static void begin(struct walk *walk)
{
	struct command_span *command = &walk->command;

	walk->time_ns = 1000000000 + (draw(walk) >> 12);
	walk->steps_seen = walk->steps_lost = 0;
	*command = (struct command_span){
		.announced_ns = draw_number(walk),
		.schedule_id = (int64_t)draw(walk),
		.schedule_run_id = -(int64_t)draw_number(walk),
		.planned_run_at_s = (int64_t)(draw(walk) % 4000000000),
		.arguments_count = (uint32_t)draw(walk),
	};
	command->head = draw_head(walk, sizeof(*command), 1);
	draw_id(walk, command->head.execution_id);
	draw_id(walk, command->parent_execution_id);
	DRAW_TEXT(walk, command->slug);
	DRAW_TEXT(walk, command->user_id);
	DRAW_TEXT(walk, command->request_source);
	DRAW_TEXT(walk, command->correlation_id);
	walk->process = (struct steptrace_process){
		.cgroup_id = draw_number(walk),
		.uid = (uint32_t)draw_number(walk),
		.gid = (uint32_t)draw_number(walk),
		.inner_pid = (uint32_t)(draw(walk) % 3 * RECORD_PID / 2)};
	DRAW_TEXT(walk, walk->process.comm);
	assert_true(feed(walk, introduced(walk, PROBE_COMMAND_START, command, sizeof(*command))));
	check_string(walk, "event", "command.execution.started");
	check_of_execution(walk);
	check_bool(walk, "dry_run", command->head.flags & SPAN_DRY_RUN);
	CHECK_TEXT(walk, "request_source", command->request_source);
	check_u64(walk, "arguments_count", command->arguments_count);
	check_absent(walk, "schedule", !(command->head.flags & SPAN_SCHEDULED));
	if (command->head.flags & SPAN_SCHEDULED) {
		check_i64_or_null(walk, "schedule_id", command->schedule_id);
		check_i64_or_null(walk, "schedule_run_id", command->schedule_run_id);
	}
	check_absent(walk, "parent_execution_id", is_no_id(command->parent_execution_id));
	if (!is_no_id(command->parent_execution_id))
		check_id(walk, "parent_execution_id", command->parent_execution_id);
}

static struct step_span draw_step(struct walk *walk)
{
	struct step_span step = {
		.fragment_id = (int64_t)draw(walk),
		.mutations_count = draw_number(walk),
		.items_in = (uint32_t)draw_number(walk),
		.items_out = (uint32_t)draw_number(walk),
		.prompt_tokens = (uint32_t)draw_number(walk),
		.completion_tokens = (uint32_t)draw_number(walk),
		.index = (uint16_t)draw(walk),
		.depth = (uint16_t)draw(walk),
		.outcome = (uint8_t)(1 + draw(walk) % 5),
		.error_category = (uint8_t)(draw(walk) % 14),
		.ai_cache = (uint8_t)(draw(walk) % 6),
		.suspended_ns = draw_number(walk),
	};

	step.child.head = draw_head(walk, sizeof(step), 2);
	draw_id(walk, step.step_id);
	draw_id(walk, step.parent_step_id);
	DRAW_TEXT(walk, step.type);
	DRAW_TEXT(walk, step.name);
	return step;
}

static void check_step(struct walk *walk, const struct step_span *step)
{
	static const char *const caches[] = {NULL, "off", "miss", "hit", NULL, NULL};
	uint32_t flags = step->child.head.flags;

	check_string(walk, "event", "dsl.step.executed");
	check_of_execution(walk);
	check_id(walk, "step_id", step->step_id);
	CHECK_TEXT(walk, "step_type", step->type);
	CHECK_TEXT(walk, "step.name", step->name);
	check_u64(walk, "index", step->index);
	check_u64(walk, "depth", step->depth);
	check_id_or_null(walk, "step.parent_step_id", step->parent_step_id);
	if (flags & SPAN_FRAGMENT_ID)
		check_i64(walk, "fragment_id", step->fragment_id);
	else
		check_bare(walk, "fragment_id", "null");
	check_times(walk, "duration_ms", &step->child.head, step->suspended_ns);
	check_u64(walk, "mutations_count", step->mutations_count);
	check_bool(walk, "dry_run", flags & SPAN_DRY_RUN);
	check_string(walk, "outcome", outcome_of(step->outcome));
	check_category(walk, step->outcome, step->error_category);
	check_absent(walk, "items", !(flags & SPAN_ITEMS));
	if (flags & SPAN_ITEMS) {
		check_u64(walk, "in", step->items_in);
		check_u64(walk, "out", step->items_out);
	}
	check_absent(walk, "ai", !caches[step->ai_cache]);
	if (caches[step->ai_cache]) {
		check_string(walk, "ai.cache", caches[step->ai_cache]);
		check_u64(walk, "prompt_tokens", step->prompt_tokens);
		check_u64(walk, "completion_tokens", step->completion_tokens);
	}
}

/* Some of the steps have an unknown layout; these are lost. */
static void run_step(struct walk *walk)
{
	struct step_span step = draw_step(walk);
	bool known = draw(walk) % 8 != 0;

	if (!known)
		step.child.head.layout = (uint8_t)(2 + draw(walk) % 254);
	if (feed(walk, records__plain(PROBE_STEP_DONE, &step, sizeof(step))) != known)
		fail_at(walk, "a step of a layout", known ? "written" : "left out");
	walk->steps_seen += known;
	walk->steps_lost += !known;
	if (known)
		check_step(walk, &step);
}

static void run_tool(struct walk *walk)
{
	struct tool_span tool = {.exit_status = (int32_t)draw(walk),
				 .outcome = (uint8_t)(1 + draw(walk) % 5)};

	tool.child.head = draw_head(walk, sizeof(tool), 3);
	draw_id(walk, tool.step_id);
	draw_id(walk, tool.invocation_id);
	DRAW_TEXT(walk, tool.slug);
	assert_true(feed(walk, records__plain(PROBE_TOOL_DONE, &tool, sizeof(tool))));
	check_string(walk, "event", "tool.invocation.completed");
	check_of_execution(walk);
	check_id_or_null(walk, "step_id", tool.step_id);
	check_id(walk, "invocation_id", tool.invocation_id);
	CHECK_TEXT(walk, "tool_slug", tool.slug);
	check_duration(walk, "duration_ms", &tool.child.head, 0);
	check_string(walk, "outcome", outcome_of(tool.outcome));
	if (tool.child.head.flags & SPAN_EXIT_STATUS)
		check_i64(walk, "exit_status", tool.exit_status);
	else
		check_bare(walk, "exit_status", "null");
}

static void run_fragment(struct walk *walk)
{
	static const char *const operations[] = {"created", "updated", "deleted"};
	struct fragment_span fragment = {.fragment_id = (int64_t)draw(walk),
					 .operation = (uint8_t)(1 + draw(walk) % 3)};

	fragment.child.head = draw_head(walk, sizeof(fragment), 4);
	draw_id(walk, fragment.step_id);
	assert_true(
		feed(walk, records__plain(PROBE_FRAGMENT_CHANGED, &fragment, sizeof(fragment))));
	check_string(walk, "event", "fragment.changed");
	check_of_execution(walk);
	check_id_or_null(walk, "step_id", fragment.step_id);
	check_i64(walk, "fragment_id", fragment.fragment_id);
	check_string(walk, "operation", operations[fragment.operation - 1]);
}

static void finish(struct walk *walk)
{
	struct command_span done = walk->command;
	uint64_t executed = walk->steps_seen + walk->steps_lost;

	done.steps_failed = executed ? draw(walk) % (executed + 1) : 0;
	done.steps_skipped = draw(walk) % (executed - done.steps_failed + 1);
	done.steps_aborted = draw(walk) % (executed - done.steps_failed - done.steps_skipped + 1);
	done.steps_successful =
		executed - done.steps_failed - done.steps_skipped - done.steps_aborted;
	done.outcome = (uint8_t)(1 + draw(walk) % 5);
	done.error_category = (uint8_t)(draw(walk) % 14);
	done.head.start_ns = draw_number(walk);
	done.head.end_ns = done.head.start_ns + draw_number(walk);
	done.suspended_ns = draw_number(walk);
	assert_true(feed(walk, records__plain(PROBE_COMMAND_DONE, &done, sizeof(done))));
	check_string(walk, "event", "command.execution.completed");
	check_of_execution(walk);
	check_times(walk, "total_duration_ms", &done.head, done.suspended_ns);
	check_u64(walk, "steps_executed", executed);
	check_u64(walk, "steps_successful", done.steps_successful);
	check_u64(walk, "steps_failed", done.steps_failed);
	check_bool(walk, "dry_run", done.head.flags & SPAN_DRY_RUN);
	check_string(walk, "outcome", outcome_of(done.outcome));
	check_category(walk, done.outcome, done.error_category);
	check_bool(walk, "complete", walk->steps_lost == 0);
	check_u64(walk, "steps_lost", walk->steps_lost);
}

/* The text "a,b" becomes a list in the event. */
static void check_names(struct walk *walk, const char *names, size_t bytes)
{
	const cJSON *list = find(walk, "invalid_fields"), *item = list ? list->child : NULL;
	size_t length = strnlen(names, bytes), from = 0;

	for (size_t at = 0; at <= length; at++) {
		char expected[3 * 128 + 1];

		if (at < length && names[at] != ',')
			continue;
		if (at > from) {
			foreign_text__expected(names + from, at - from, expected);
			if (!item || strcmp(item->valuestring, expected) != 0)
				fail_at(walk, "invalid_fields", expected);
			item = item->next;
		}
		from = at + 1;
	}
	if (item)
		fail_at(walk, "invalid_fields", "no longer");
}

static void reject(struct walk *walk)
{
	struct rejected_span rejected = {.head = draw_head(walk, sizeof(rejected), 5)};

	draw_id(walk, rejected.head.execution_id);
	DRAW_TEXT(walk, rejected.slug);
	DRAW_TEXT(walk, rejected.user_id);
	DRAW_TEXT(walk, rejected.request_source);
	DRAW_TEXT(walk, rejected.correlation_id);
	DRAW_TEXT(walk, rejected.reason);
	DRAW_TEXT(walk, rejected.invalid_fields);
	for (size_t i = 0; i < sizeof(rejected.invalid_fields) && rejected.invalid_fields[i]; i++)
		if (draw(walk) % 8 == 0)
			rejected.invalid_fields[i] = ',';
	assert_true(
		feed(walk, introduced(walk, PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected))));
	check_string(walk, "event", "command.validation.failed");
	check_ids(walk, rejected.correlation_id, sizeof(rejected.correlation_id),
		  rejected.head.execution_id);
	CHECK_TEXT(walk, "command_slug", rejected.slug);
	CHECK_TEXT(walk, "user_id", rejected.user_id);
	CHECK_TEXT(walk, "request_source", rejected.request_source);
	CHECK_TEXT(walk, "reason", rejected.reason);
	check_names(walk, rejected.invalid_fields, sizeof(rejected.invalid_fields));
	check_source(walk);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void events_agree_with_their_spans(void **state)
{
	uint64_t seed = setting("PROPERTY_SEED", 20260131);
	struct walk walk = {.seed = seed, .state = seed | 1};
	const struct stream_options options = {.clock = {.realtime_ns = WALL_AHEAD_NS}};

	(void)state;
	assert_int_equal(stream__new(&options, &walk.stream), 0);
	for (uint64_t round = setting("PROPERTY_ROUNDS", ROUNDS); round > 0; round--) {
		begin(&walk);
		for (uint64_t records = draw(&walk) % 4; records > 0; records--) {
			run_step(&walk);
			if (draw(&walk) % 2)
				run_tool(&walk);
			if (draw(&walk) % 2)
				run_fragment(&walk);
		}
		if (draw(&walk) % 4 == 0)
			reject(&walk);
		finish(&walk);
	}
	cJSON_Delete(walk.event);
	stream__free(walk.stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(events_agree_with_their_spans)};

	return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
