// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/decode.h"

#include <errno.h>
#include <string.h>

#include "steptrace/stream/event.h"

enum { KNOWN_LAYOUT = 1 };

enum span_kind {
	SPAN_COMMAND = 1,
	SPAN_STEP = 2,
	SPAN_TOOL = 3,
	SPAN_FRAGMENT = 4,
	SPAN_REJECTED = 5,
};

/* How a probe's record is laid out. */
struct shape {
	enum span_kind kind;
	size_t bytes;
	size_t min_bytes;
	int introduces; /* the process lies in front of the span */
};

#define COMMAND_SHAPE  .kind = SPAN_COMMAND, sizeof(struct command_span), COMMAND_SPAN_MIN_BYTES
#define STEP_SHAPE     .kind = SPAN_STEP, sizeof(struct step_span), STEP_SPAN_MIN_BYTES
#define TOOL_SHAPE     .kind = SPAN_TOOL, sizeof(struct tool_span), TOOL_SPAN_MIN_BYTES
#define FRAGMENT_SHAPE .kind = SPAN_FRAGMENT, sizeof(struct fragment_span), FRAGMENT_SPAN_MIN_BYTES
#define REJECTED_SHAPE .kind = SPAN_REJECTED, sizeof(struct rejected_span), REJECTED_SPAN_MIN_BYTES

static const struct shape shapes[] = {
	[PROBE_COMMAND_START] = {COMMAND_SHAPE, .introduces = 1},
	[PROBE_COMMAND_DONE] = {COMMAND_SHAPE},
	[PROBE_COMMAND_REJECTED] = {REJECTED_SHAPE, .introduces = 1},
	[PROBE_STEP_START] = {STEP_SHAPE},
	[PROBE_STEP_DONE] = {STEP_SHAPE},
	[PROBE_TOOL_START] = {TOOL_SHAPE},
	[PROBE_TOOL_DONE] = {TOOL_SHAPE},
	[PROBE_FRAGMENT_CHANGED] = {FRAGMENT_SHAPE},
};

_Static_assert(sizeof(shapes) / sizeof(shapes[0]) == PROBES_COUNT, "a probe has no shape");

/* The span with all of our fields, in place or in `room`. */
static int whole_span(const void *span, const struct shape *shape, void *room, const void **whole)
{
	const struct span_head *head = span;

	if (head->kind != shape->kind)
		return -EBADMSG;
	if (head->layout != KNOWN_LAYOUT)
		return -EPROTONOSUPPORT;
	if (head->size_bytes < shape->min_bytes)
		return -EBADMSG;
	*whole = span;
	if (head->size_bytes < shape->bytes) {
		memcpy(room, span, head->size_bytes);
		memset((char *)room + head->size_bytes, 0, shape->bytes - head->size_bytes);
		*whole = room;
	}
	return 0;
}

static int check_values(const struct decoded *decoded)
{
	switch (decoded->record->probe) {
	case PROBE_COMMAND_DONE:
		return outcome__is_from_runner(decoded->command->outcome) ? 0 : -EBADMSG;
	case PROBE_STEP_DONE: return outcome__is_from_runner(decoded->step->outcome) ? 0 : -EBADMSG;
	case PROBE_TOOL_DONE: return outcome__is_from_runner(decoded->tool->outcome) ? 0 : -EBADMSG;
	case PROBE_FRAGMENT_CHANGED:
		return operation__name(decoded->fragment->operation) ? 0 : -EBADMSG;
	default: return 0;
	}
}

int decode__record(const void *bytes, size_t size_bytes, struct decoded *decoded)
{
	static const struct shape context_shape = {COMMAND_SHAPE};
	const struct steptrace_record *record = bytes;
	const char *at = (const char *)bytes + sizeof(*record);
	const struct steptrace_context *context;
	const struct shape *shape;
	const void *whole;
	size_t need;
	int err;

	if (size_bytes < sizeof(*record) || record->probe >= PROBES_COUNT)
		return -EBADMSG;
	shape = &shapes[record->probe];
	need = sizeof(*record) + shape->bytes + (shape->introduces ? sizeof(*decoded->process) : 0);
	if (record->flags & RECORD_HAS_CONTEXT)
		need += sizeof(*context);
	if (size_bytes < need)
		return -EBADMSG;

	decoded->record = record;
	decoded->process = NULL;
	decoded->context = NULL;
	if (shape->introduces) {
		decoded->process = (const struct steptrace_process *)at;
		at += sizeof(*decoded->process);
	}
	err = whole_span(at, shape, &decoded->span_room, &whole);
	if (err)
		return err;
	decoded->head = whole;
	if (record->probe == PROBE_COMMAND_START)
		decoded->context = decoded->command;
	if (record->flags & RECORD_HAS_CONTEXT) {
		context = (const struct steptrace_context *)(at + shape->bytes);
		err = whole_span(&context->command, &context_shape, &decoded->context_room, &whole);
		if (err)
			return err;
		decoded->process = &context->process;
		decoded->context = whole;
	}
	return check_values(decoded);
}
