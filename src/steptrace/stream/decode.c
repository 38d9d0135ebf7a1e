// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/decode.h"

#include <errno.h>
#include <string.h>

#include "steptrace/stream/event.h"

struct shape {
	size_t bytes;
	size_t min_bytes;
	size_t outcome_at;
};

#define SHAPE(kind, no, type, ...)                                                                 \
	[no] = {sizeof(struct type), kind##_SPAN_MIN_BYTES, kind##_SPAN_OUTCOME_AT},

static const struct shape shapes[] = {STEPTRACE_SPANS(SHAPE)};

/* Points *whole to the span with all of our members: to `span`, or if that is shorter, to a copy of
 * it in `room`. */
static int whole_span(const void *span, enum span_kind kind, void *room, const void **whole)
{
	const struct shape *shape = &shapes[kind];
	const struct span_head *head = span;

	if (head->kind != kind)
		return -EBADMSG;
	if (head->layout != SPAN_LAYOUT)
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

static int check_values(const struct decoded *decoded, const struct probe_info *probe)
{
	const uint8_t *span = (const uint8_t *)decoded->head;

	if (probe->phase == PHASE_ENDS &&
	    !outcome__is_from_runner(span[shapes[probe->span].outcome_at]))
		return -EBADMSG;
	if (probe->span == SPAN_FRAGMENT && !operation__name(decoded->fragment->operation))
		return -EBADMSG;
	return 0;
}

int decode__record(const void *bytes, size_t size_bytes, struct decoded *decoded)
{
	const struct steptrace_record *record = bytes;
	const char *at = (const char *)bytes + sizeof(*record);
	const struct steptrace_context *context;
	const struct probe_info *probe;
	const void *whole;
	size_t need;
	int err;

	if (size_bytes < sizeof(*record) || record->probe >= PROBES_COUNT)
		return -EBADMSG;
	probe = &probes[record->probe];
	need = sizeof(*record) + shapes[probe->span].bytes;
	if (probe->form == FORM_PROCESS)
		need += sizeof(*decoded->process);
	if (record->flags & RECORD_HAS_CONTEXT)
		need += sizeof(*context);
	decoded->cpu = NULL;
	if (record->flags & RECORD_HAS_CPU) {
		decoded->cpu = (const struct steptrace_cpu *)((const char *)bytes + need);
		need += sizeof(*decoded->cpu);
	}
	if (size_bytes < need)
		return -EBADMSG;

	decoded->record = record;
	decoded->process = NULL;
	decoded->context = NULL;
	if (probe->form == FORM_PROCESS) {
		decoded->process = (const struct steptrace_process *)at;
		at += sizeof(*decoded->process);
	}
	err = whole_span(at, probe->span, &decoded->span_room, &whole);
	if (err)
		return err;
	decoded->head = whole;
	if (record->probe == PROBE_COMMAND_START)
		decoded->context = decoded->command;
	if (record->flags & RECORD_HAS_CONTEXT) {
		context = (const struct steptrace_context *)(at + shapes[probe->span].bytes);
		err = whole_span(&context->command, SPAN_COMMAND, &decoded->context_room, &whole);
		if (err)
			return err;
		decoded->process = &context->process;
		decoded->context = whole;
	}
	return check_values(decoded, probe);
}
