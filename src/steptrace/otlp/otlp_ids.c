// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_ids.h"

#include "steptrace/stream/text_hash.h"

enum { UUID_BYTES = 36, TRACE_ID_BYTES = 32, SPAN_ID_BYTES = 16, TRACEPARENT_BYTES = 55 };

/* Documented in docs/otlp.md: other programs can compute the same ids. */
static const struct text_hash high_key = {"steptrace/otlp/h"}, low_key = {"steptrace/otlp/l"},
			      command_key = {"steptrace/otlp/c"};

static uint64_t hash(const struct text_hash *key, struct recorded_text text)
{
	uint64_t value = text_hash__of(key, text.text ? text.text : "", text.bytes);

	return value ? value : 1;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 16 digits. `dashes` has a bit for each digit that follows a dash. Moves *at. */
static bool take_digits(const char **at, unsigned int dashes, uint64_t *value)
{
	*value = 0;
	for (unsigned int i = 0; i < 16; i++) {
		int digit;

		if (dashes >> i & 1 && *(*at)++ != '-')
			return false;
		digit = digit_of(*(*at)++);
		if (digit < 0)
			return false;
		*value = *value << 4 | (unsigned int)digit;
	}
	return true;
}

static bool take_trace_id(const char *at, unsigned int high_dashes, unsigned int low_dashes,
			  struct otlp_trace *trace)
{
	return take_digits(&at, high_dashes, &trace->high) &&
	       take_digits(&at, low_dashes, &trace->low) && (trace->high || trace->low);
}

/* 5e0c1a2b-1111-4222-8333-444455556666: dashes before the digits 8 and 12, and 0 and 4. */
static bool is_uuid(struct recorded_text id, struct otlp_trace *trace)
{
	return id.bytes == UUID_BYTES &&
	       take_trace_id(id.text, 1 << 8 | 1 << 12, 1 << 0 | 1 << 4, trace);
}

static bool is_trace_id(struct recorded_text id, struct otlp_trace *trace)
{
	return id.bytes == TRACE_ID_BYTES && take_trace_id(id.text, 0, 0, trace);
}

/* VERSION-TRACE-PARENT-FLAGS: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01". A later
 * version may append more, behind a dash. The version ff is invalid. */
static bool is_traceparent(struct recorded_text id, struct otlp_trace *trace)
{
	const char *text = id.text, *parent = text + 36;
	bool is_later;

	if (id.bytes < TRACEPARENT_BYTES || digit_of(text[0]) < 0 || digit_of(text[1]) < 0 ||
	    text[2] != '-' || text[35] != '-' || text[52] != '-' || digit_of(text[53]) < 0 ||
	    digit_of(text[54]) < 0)
		return false;
	is_later = text[0] != '0' || text[1] != '0';
	if (digit_of(text[0]) == 15 && digit_of(text[1]) == 15)
		return false;
	if (id.bytes > TRACEPARENT_BYTES && (!is_later || text[TRACEPARENT_BYTES] != '-'))
		return false;
	return take_trace_id(text + 3, 0, 0, trace) && take_digits(&parent, 0, &trace->parent) &&
	       trace->parent;
}

void otlp_ids__trace(struct recorded_text correlation_id, struct otlp_trace *trace)
{
	*trace = (struct otlp_trace){.parent = 0};
	if (is_uuid(correlation_id, trace) || is_trace_id(correlation_id, trace) ||
	    is_traceparent(correlation_id, trace))
		return;
	*trace = (struct otlp_trace){.high = hash(&high_key, correlation_id),
				     .low = hash(&low_key, correlation_id)};
}

uint64_t otlp_ids__command(struct recorded_text execution_id)
{
	return hash(&command_key, execution_id);
}

uint64_t otlp_ids__inner(uint64_t command, enum otlp_inner kind, struct recorded_text id)
{
	static const unsigned char letters[] = {
		[OTLP_STEP] = 's', [OTLP_TOOL] = 't', [OTLP_REJECTION] = 'r'};
	struct text_hash key = {"........steptrac"};

	for (int i = 0; i < 8; i++)
		key.key[i] = (unsigned char)(command >> (56 - 8 * i));
	key.key[15] = letters[kind];
	return hash(&key, id);
}
