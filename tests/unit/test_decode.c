// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "steptrace/stream/decode.h"

static const struct row {
	const char *name;
	unsigned int probe;
	uint8_t kind;
	size_t bytes, min_bytes;
	bool introduces;
	size_t value_at; /* offset of the outcome or operation that decode checks; 0: none */
} rows[] = {
	{"command start", PROBE_COMMAND_START, 1, sizeof(struct command_span),
	 COMMAND_SPAN_MIN_BYTES, true, 0},
	{"command done", PROBE_COMMAND_DONE, 1, sizeof(struct command_span), COMMAND_SPAN_MIN_BYTES,
	 false, offsetof(struct command_span, outcome)},
	{"rejected", PROBE_COMMAND_REJECTED, 5, sizeof(struct rejected_span),
	 REJECTED_SPAN_MIN_BYTES, true, 0},
	{"step start", PROBE_STEP_START, 2, sizeof(struct step_span), STEP_SPAN_MIN_BYTES, false,
	 0},
	{"step done", PROBE_STEP_DONE, 2, sizeof(struct step_span), STEP_SPAN_MIN_BYTES, false,
	 offsetof(struct step_span, outcome)},
	{"tool start", PROBE_TOOL_START, 3, sizeof(struct tool_span), TOOL_SPAN_MIN_BYTES, false,
	 0},
	{"tool done", PROBE_TOOL_DONE, 3, sizeof(struct tool_span), TOOL_SPAN_MIN_BYTES, false,
	 offsetof(struct tool_span, outcome)},
	{"fragment", PROBE_FRAGMENT_CHANGED, 4, sizeof(struct fragment_span),
	 FRAGMENT_SPAN_MIN_BYTES, false, offsetof(struct fragment_span, operation)},
};

enum { ROWS_COUNT = sizeof(rows) / sizeof(*rows) };

_Static_assert((int)ROWS_COUNT == (int)PROBES_COUNT, "a probe has no row");

/* A record of that shape. All bits of the span are 1, except for its head and its outcome. */
static struct record_bytes record_of(const struct row *row)
{
	uint8_t span[512];
	struct span_head head = records__head(row->bytes, row->kind);

	memset(span, 0xff, sizeof(span));
	memcpy(span, &head, sizeof(head));
	if (row->value_at)
		span[row->value_at] = 1;
	return row->introduces ? records__introducing(row->probe, span, row->bytes)
			       : records__plain(row->probe, span, row->bytes);
}

static size_t span_at(const struct row *row)
{
	return sizeof(struct steptrace_record) +
	       (row->introduces ? sizeof(struct steptrace_process) : 0);
}

static struct span_head *head_in(struct record_bytes *bytes, const struct row *row)
{
	return (struct span_head *)(void *)(bytes->bytes + span_at(row));
}

/* Decodes a copy at the end of its memory, so that AddressSanitizer sees a read beyond it. */
static int decode_copy(const struct record_bytes *bytes, size_t size_bytes)
{
	void *copy = malloc(size_bytes ? size_bytes : 1);
	struct decoded decoded;
	int result;

	memcpy(copy, bytes->bytes, size_bytes);
	result = decode__record(copy, size_bytes, &decoded);
	free(copy);
	return result;
}

static void every_probe_in_place(void **state)
{
	struct decoded decoded;

	(void)state;
	for (int i = 0; i < ROWS_COUNT; i++) {
		struct record_bytes bytes = record_of(&rows[i]);

		print_message("%s\n", rows[i].name);
		assert_int_equal(decode__record(bytes.bytes, bytes.size_bytes, &decoded), 0);
		assert_ptr_equal(decoded.record, bytes.bytes);
		assert_ptr_equal(decoded.head, head_in(&bytes, &rows[i]));
		if (rows[i].introduces)
			assert_string_equal(decoded.process->comm, "runner");
		else
			assert_null(decoded.process);
		if (rows[i].probe == PROBE_COMMAND_START)
			assert_ptr_equal(decoded.context, decoded.command);
		else
			assert_null(decoded.context);
	}
}

static void truncated_records_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS_COUNT; i++) {
		struct record_bytes bytes = record_of(&rows[i]);

		for (size_t size = 0; size < bytes.size_bytes; size++)
			assert_int_equal(decode_copy(&bytes, size), -EBADMSG);
		assert_int_equal(decode_copy(&bytes, bytes.size_bytes), 0);
		assert_int_equal(decode_copy(&bytes, bytes.size_bytes + 8), 0); /* padding */
	}
}

static void unknown_probes_are_refused(void **state)
{
	(void)state;
	for (int probe = 0; probe < 256; probe++) {
		struct record_bytes bytes = record_of(&rows[0]);

		((struct steptrace_record *)(void *)bytes.bytes)->probe = (uint8_t)probe;
		bytes.size_bytes = sizeof(bytes.bytes);
		assert_int_equal(decode_copy(&bytes, bytes.size_bytes),
				 probe == PROBE_COMMAND_START ? 0 : -EBADMSG);
	}
}

static void other_kinds_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS_COUNT; i++) {
		for (int kind = 0; kind < 256; kind++) {
			struct record_bytes bytes = record_of(&rows[i]);

			head_in(&bytes, &rows[i])->kind = (uint8_t)kind;
			assert_int_equal(decode_copy(&bytes, bytes.size_bytes),
					 kind == rows[i].kind ? 0 : -EBADMSG);
		}
	}
}

static void unknown_layouts_have_an_error_of_their_own(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS_COUNT; i++) {
		for (int layout = 0; layout < 256; layout++) {
			struct record_bytes bytes = record_of(&rows[i]);

			head_in(&bytes, &rows[i])->layout = (uint8_t)layout;
			head_in(&bytes, &rows[i])->size_bytes = (uint16_t)(layout * 3);
			if (layout == 1)
				head_in(&bytes, &rows[i])->size_bytes = (uint16_t)rows[i].bytes;
			assert_int_equal(decode_copy(&bytes, bytes.size_bytes),
					 layout == 1 ? 0 : -EPROTONOSUPPORT);
		}
	}
}

static bool all_bytes_are(const void *bytes, size_t count, uint8_t value)
{
	for (size_t i = 0; i < count; i++)
		if (((const uint8_t *)bytes)[i] != value)
			return false;
	return true;
}

/* A span of an older runner is shorter. The missing bytes are read as zeros, whatever follows the
 * span in memory. */
static void shorter_spans_end_in_zeros(void **state)
{
	struct decoded decoded;

	(void)state;
	for (int i = 0; i < ROWS_COUNT; i++) {
		const struct row *row = &rows[i];

		for (size_t said = sizeof(struct span_head); said < row->bytes; said++) {
			struct record_bytes bytes = record_of(row);
			int result;

			head_in(&bytes, row)->size_bytes = (uint16_t)said;
			result = decode__record(bytes.bytes, bytes.size_bytes, &decoded);
			assert_int_equal(result, said < row->min_bytes ? -EBADMSG : 0);
			if (result)
				continue;
			assert_memory_equal(decoded.head, head_in(&bytes, row), said);
			assert_true(all_bytes_are((const uint8_t *)decoded.head + said,
						  row->bytes - said, 0));
			assert_true(all_bytes_are(&bytes.bytes[span_at(row) + said],
						  row->bytes - said, 0xff)); /* unchanged */
		}
	}
}

static void unknown_bytes_of_longer_spans_are_ignored(void **state)
{
	struct decoded decoded;

	(void)state;
	for (int i = 0; i < ROWS_COUNT; i++) {
		struct record_bytes bytes = record_of(&rows[i]);

		head_in(&bytes, &rows[i])->size_bytes = UINT16_MAX;
		assert_int_equal(decode__record(bytes.bytes, bytes.size_bytes, &decoded), 0);
		assert_ptr_equal(decoded.head, head_in(&bytes, &rows[i]));
	}
}

static void unknown_outcomes_and_operations_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < ROWS_COUNT; i++) {
		int last = rows[i].probe == PROBE_FRAGMENT_CHANGED ? 3 : 5;

		for (int value = 0; value < 256 && rows[i].value_at; value++) {
			struct record_bytes bytes = record_of(&rows[i]);
			bool known = value >= 1 && value <= last;

			bytes.bytes[span_at(&rows[i]) + rows[i].value_at] = (uint8_t)value;
			assert_int_equal(decode_copy(&bytes, bytes.size_bytes),
					 known ? 0 : -EBADMSG);
		}
	}
}

static struct record_bytes step_with(const struct command_span *command)
{
	struct step_span step = records__step();

	return records__with_context(PROBE_STEP_DONE, &step, sizeof(step), command);
}

static void context_comes_with_its_process(void **state)
{
	struct command_span command = records__command();
	struct record_bytes bytes = step_with(&command);
	struct decoded decoded;

	(void)state;
	assert_int_equal(decode__record(bytes.bytes, bytes.size_bytes, &decoded), 0);
	assert_string_equal(decoded.step->name, "set-title");
	assert_string_equal(decoded.context->slug, "fragment.update");
	assert_int_equal(decoded.process->uid, 1000);
	for (size_t size = 0; size < bytes.size_bytes; size++)
		assert_int_equal(decode_copy(&bytes, size), -EBADMSG);
}

static void context_is_checked_like_any_span(void **state)
{
	static const struct {
		uint16_t size_bytes;
		uint8_t layout, kind;
		int result;
	} heads[] = {
		{sizeof(struct command_span), 1, 1, 0},
		{UINT16_MAX, 1, 1, 0},
		{COMMAND_SPAN_MIN_BYTES, 1, 1, 0},
		{COMMAND_SPAN_MIN_BYTES - 1, 1, 1, -EBADMSG},
		{sizeof(struct command_span), 2, 1, -EPROTONOSUPPORT},
		{sizeof(struct command_span), 1, 2, -EBADMSG},
		{0, 0, 0, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		struct command_span command = records__command();
		struct record_bytes bytes;

		command.head.size_bytes = heads[i].size_bytes;
		command.head.layout = heads[i].layout;
		command.head.kind = heads[i].kind;
		bytes = step_with(&command);
		assert_int_equal(decode_copy(&bytes, bytes.size_bytes), heads[i].result);
	}
}

/* An older step with the context of an older command: both are completed with zeros. */
static void older_span_and_older_context(void **state)
{
	struct command_span command = records__command();
	struct step_span step = records__step();
	struct record_bytes bytes;
	struct decoded decoded;

	(void)state;
	command.head.size_bytes = COMMAND_SPAN_MIN_BYTES;
	step.child.head.size_bytes = STEP_SPAN_MIN_BYTES;
	bytes = records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command);
	assert_int_equal(decode__record(bytes.bytes, bytes.size_bytes, &decoded), 0);
	assert_string_equal(decoded.step->type, "DatabaseUpdateStep");
	assert_string_equal(decoded.step->name, "");
	assert_string_equal(decoded.context->user_id, "local-default");
	assert_string_equal(decoded.context->correlation_id, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_probe_in_place),
		cmocka_unit_test(truncated_records_are_refused),
		cmocka_unit_test(unknown_probes_are_refused),
		cmocka_unit_test(other_kinds_are_refused),
		cmocka_unit_test(unknown_layouts_have_an_error_of_their_own),
		cmocka_unit_test(shorter_spans_end_in_zeros),
		cmocka_unit_test(unknown_bytes_of_longer_spans_are_ignored),
		cmocka_unit_test(unknown_outcomes_and_operations_are_refused),
		cmocka_unit_test(context_comes_with_its_process),
		cmocka_unit_test(context_is_checked_like_any_span),
		cmocka_unit_test(older_span_and_older_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
