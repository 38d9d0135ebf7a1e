// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/event_text_body.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/stream/executions.h"
#include "steptrace/stream/termination.h"

/* ---- pieces of text */

void event_text_words__add(struct event_text_words *words, const char *format, ...)
{
	size_t room = sizeof(words->text) - words->bytes;
	va_list arguments;
	int bytes;

	va_start(arguments, format);
	bytes = vsnprintf(words->text + words->bytes, room, format, arguments);
	va_end(arguments);
	if (bytes > 0)
		words->bytes += (size_t)bytes < room ? (size_t)bytes : room - 1;
}

/* For "%.*s": a text field of a span, which has no NUL if it is full. */
#define FIELD(field) (int)sizeof(field), field

static void add_count(struct event_text_words *words, const char *before, uint64_t count,
		      const char *noun)
{
	event_text_words__add(words, "%s%" PRIu64 " %s%s", before, count, noun,
			      count == 1 ? "" : "s");
}

/* ---- ids */

void event_text_words__add_uuid(struct event_text_words *words, const uint8_t id[16])
{
	char text[JSON_UUID_BYTES + 1] = "";
	struct json json = {.base = text, .at = text, .limit = text + JSON_UUID_BYTES};

	json__uuid(&json, id);
	event_text_words__add(words, "%s", text);
}

/* Where the caller has given no correlation id, the execution's id names the request. */
static const char *request_of(const struct event *event)
{
	return event->execution ? event->execution->command.correlation_id
				: event->rejected->correlation_id;
}

enum { REQUEST_BYTES = sizeof(((struct command_span *)0)->correlation_id), REQUEST_SHOWN = 24 };

/* A UUID is shortened to its last digits, like the execution's id. */
static bool is_uuid(const char *text)
{
	for (int i = 0; i < JSON_UUID_BYTES; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23
			    ? text[i] != '-'
			    : !strchr("0123456789abcdefABCDEF", text[i]) || !text[i])
			return false;
	return !text[JSON_UUID_BYTES];
}

/* How many bytes are shown of a longer text: it is not cut within a character. */
static int whole_characters(const char *text)
{
	int bytes = REQUEST_SHOWN - 1;

	while (bytes > 0 && ((uint8_t)text[bytes] & 0xc0) == 0x80)
		bytes--;
	return bytes;
}

static void add_request(struct event_text_words *words, const struct event *event)
{
	const char *request = request_of(event);
	size_t bytes = strnlen(request, REQUEST_BYTES);

	if (bytes == JSON_UUID_BYTES && is_uuid(request))
		event_text_words__add(words, "  req %s", request + bytes - EVENT_TEXT_ID_COLUMNS);
	else if (bytes > REQUEST_SHOWN)
		event_text_words__add(words, "  req %.*s…", whole_characters(request), request);
	else if (bytes)
		event_text_words__add(words, "  req %.*s", (int)bytes, request);
}

static void add_whole_ids(struct event_text_words *words, const struct event *event)
{
	const char *request = request_of(event);

	event_text_words__add(words, "  execution ");
	event_text_words__add_uuid(words, event->execution ? event->execution->id
							   : event->head->execution_id);
	if (request[0])
		event_text_words__add(words, "  req %.*s", REQUEST_BYTES, request);
	event_text_words__add(words, "  thread %u", event->record->tid);
}

/* ---- what each event says */

static void write_duration(struct event_text_body *body, const struct event *event)
{
	uint64_t ns;

	if (event__duration_ns(event, &ns))
		duration_text__write(ns, body->duration);
	else
		snprintf(body->duration, sizeof(body->duration), "?");
}

/* "  queued 4.00 s"; nothing where it is 0. */
static void add_time(struct event_text_words *words, const char *before, uint64_t ns)
{
	char text[DURATION_TEXT_BYTES];

	if (ns == 0)
		return;
	duration_text__write(ns, text);
	event_text_words__add(words, "  %s %s", before, text);
}

static void add_queued(struct event_text_words *words, const struct event *event)
{
	uint64_t ns;

	if (event__queued_ns(event, &ns))
		add_time(words, "queued", ns);
}

/* The duration in front of it is without this time. */
static void add_suspended(struct event_text_words *words, const struct event *event)
{
	uint64_t ns;

	if (event__duration_ns(event, &ns))
		add_time(words, "suspended", event__suspended_ns(event));
}

static unsigned int percent(uint64_t part, uint64_t whole)
{
	return whole ? (unsigned int)(100.0 * (double)part / (double)whole + 0.5) : 0;
}

/* "  cpu 12 %, lock 85 %": the part on a CPU, and the largest other part if it is 1 % or more. */
static void add_cpu(struct event_text_words *words, const struct event *event)
{
	const struct steptrace_cpu *cpu = event__cpu(event);
	const char *name = "runnable";
	uint64_t largest_ns;

	if (!event->has_breakdown || event->termination)
		return;
	if (!cpu) {
		event_text_words__add(words, "  cpu ?");
		return;
	}
	largest_ns = cpu->runnable_ns;
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++)
		if (cpu->blocked_ns[kind] > largest_ns) {
			largest_ns = cpu->blocked_ns[kind];
			name = blocked_names[kind];
		}
	event_text_words__add(words, "  cpu %u %%", percent(cpu->on_cpu_ns, cpu->threads_ns));
	if (percent(largest_ns, cpu->threads_ns))
		event_text_words__add(words, ", %s %u %%", name,
				      percent(largest_ns, cpu->threads_ns));
}

static bool is_trouble(unsigned int outcome)
{
	return outcome != OUTCOME_SUCCESS && outcome != OUTCOME_SKIPPED;
}

static void add_outcome(struct event_text_body *body, unsigned int outcome, unsigned int category)
{
	const char *name = error_category__name(category);

	if (outcome == OUTCOME_SUCCESS)
		return;
	event_text_words__add(&body->details, "  %s%s%s", outcome__name(outcome), name ? ": " : "",
			      name ? name : "");
	body->essential_bytes = body->details.bytes;
	body->colour = is_trouble(outcome) ? TEXT_RED : TEXT_YELLOW;
}

static void add_indent(struct event_text_body *body, unsigned int depth)
{
	event_text_words__add(&body->what, "%*s", 2 + 2 * (int)(depth < 8 ? depth : 8), "");
}

/* How deep something of this step is. A step whose beginning was not seen is taken for an outer
 * one. */
static unsigned int depth_within(const struct event *event, const uint8_t step_id[16])
{
	static const uint8_t of_the_command[16];

	for (const struct begun_step *step = event->execution->open.newest; step;
	     step = step->older)
		if (memcmp(step->span.step_id, step_id, 16) == 0)
			return step->span.depth + 1u;
	return memcmp(step_id, of_the_command, 16) != 0;
}

static void started_text(struct event_text_body *body, const struct event *event)
{
	const struct command_span *command = event->command;

	event_text_words__add(&body->what, "started");
	if (command->request_source[0])
		event_text_words__add(&body->details, "  %.*s", FIELD(command->request_source));
	add_queued(&body->details, event);
	add_request(&body->details, event);
	if (command->user_id[0])
		event_text_words__add(&body->details, "  by %.*s", FIELD(command->user_id));
	if (event->head->flags & SPAN_DRY_RUN)
		event_text_words__add(&body->details, "  (dry run)");
}

static void step_text(struct event_text_body *body, const struct event *event)
{
	const struct step_span *step = event->step;
	const char *cache = ai_cache__name(step->ai_cache);

	write_duration(body, event);
	add_indent(body, step->depth);
	if (step->name[0])
		event_text_words__add(&body->what, "%.*s ", FIELD(step->name));
	event_text_words__add(&body->what, "%.*s", FIELD(step->type));
	add_outcome(body, step->outcome, step->error_category);
	add_suspended(&body->details, event);
	add_cpu(&body->details, event);
	if (step->mutations_count)
		add_count(&body->details, "  ", step->mutations_count, "row");
	if (event->head->flags & SPAN_ITEMS) {
		add_count(&body->details, "  ", step->items_in, "item");
		event_text_words__add(&body->details, " to %u", step->items_out);
	}
	if (cache) {
		event_text_words__add(&body->details, "  cache %s", cache);
		add_count(&body->details, ", ",
			  (uint64_t)step->prompt_tokens + step->completion_tokens, "token");
	}
	if (is_trouble(step->outcome))
		add_request(&body->details, event);
}

static void add_termination(struct event_text_words *details, const struct event *event)
{
	char text[TERMINATION_TEXT_BYTES];

	termination__text(event->termination, text);
	event_text_words__add(details, "  %s", text);
	if (event->innermost && event->innermost->name[0])
		event_text_words__add(details, " in %.*s", FIELD(event->innermost->name));
	else if (event->innermost)
		event_text_words__add(details, " in %.*s", FIELD(event->innermost->type));
}

static void add_unseen(struct event_text_words *details, const struct event *event)
{
	bool start_seen = event->execution->start_seen;

	if (event->complete)
		return;
	if (!event->steps_lost_known)
		event_text_words__add(details, "  (some steps may be missing)");
	else if (event->steps_lost == 0)
		event_text_words__add(details,
				      start_seen ? "  (not complete)" : "  (beginning not seen)");
	else
		add_count(details, start_seen ? "  (" : "  (beginning and ", event->steps_lost,
			  "step");
	if (event->steps_lost_known && event->steps_lost)
		event_text_words__add(details, " not seen)");
}

static void completed_text(struct event_text_body *body, const struct event *event)
{
	const struct command_span *command = event->command;

	write_duration(body, event);
	event_text_words__add(&body->what, "done  %s", outcome__name(command->outcome));
	if (event->termination)
		add_termination(&body->details, event);
	if (command->outcome != OUTCOME_SUCCESS) {
		add_request(&body->details, event);
		body->essential_bytes = body->details.bytes;
		body->colour = TEXT_RED;
	}
	add_count(&body->details, "  ", event__steps_executed(event), "step");
	if (command->steps_failed)
		event_text_words__add(&body->details, ", %" PRIu64 " failed",
				      (uint64_t)command->steps_failed);
	add_suspended(&body->details, event);
	add_cpu(&body->details, event);
	add_unseen(&body->details, event);
}

static void rejected_text(struct event_text_body *body, const struct event *event)
{
	const struct rejected_span *rejected = event->rejected;

	event_text_words__add(&body->what, "rejected");
	event_text_words__add(&body->details, "  %.*s", FIELD(rejected->reason));
	if (rejected->invalid_fields[0])
		event_text_words__add(&body->details, ": %.*s", FIELD(rejected->invalid_fields));
	add_request(&body->details, event);
	if (rejected->user_id[0])
		event_text_words__add(&body->details, "  by %.*s", FIELD(rejected->user_id));
	body->colour = TEXT_YELLOW;
}

static void tool_text(struct event_text_body *body, const struct event *event)
{
	const struct tool_span *tool = event->tool;

	write_duration(body, event);
	add_indent(body, depth_within(event, tool->step_id));
	event_text_words__add(&body->what, "tool %.*s", FIELD(tool->slug));
	add_outcome(body, tool->outcome, 0);
	if (event->head->flags & SPAN_EXIT_STATUS)
		event_text_words__add(&body->details, "  exit %d", tool->exit_status);
	if (is_trouble(tool->outcome))
		add_request(&body->details, event);
}

static void fragment_text(struct event_text_body *body, const struct event *event)
{
	const struct fragment_span *fragment = event->fragment;

	add_indent(body, depth_within(event, fragment->step_id));
	event_text_words__add(&body->what, "fragment %" PRId64 " %s",
			      (int64_t)fragment->fragment_id, operation__name(fragment->operation));
}

typedef void make_body(struct event_text_body *body, const struct event *event);

#define FORM(kind, writer, name) [EVENT_##kind] = writer##_text,

static make_body *const forms[] = {STEPTRACE_EVENT_KINDS(FORM)};

void event_text_body__make(struct event_text_body *body, const struct event *event, bool has_ids)
{
	*body = (struct event_text_body){.colour = TEXT_PLAIN};
	forms[event->kind](body, event);
	if (has_ids)
		add_whole_ids(&body->details, event);
}
