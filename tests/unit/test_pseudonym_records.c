// SPDX-License-Identifier: BSD-2-Clause
/* Which texts of a record are replaced by pseudonyms: in every kind of record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <string.h>

#include "records.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/pseudonym.h"

enum { TEXTS_MAX = 16 };

static const char key[] = "0123456789abcdef";

/* A text of a record that --pseudonymize can replace. */
struct text {
	enum pseudonym_field field;
	const char *at;
	size_t bytes;
};

struct texts {
	struct text list[TEXTS_MAX];
	size_t count;
};

#define ADD(texts, no, member)                                                                     \
	((texts)->list[(texts)->count++] = (struct text){PSEUDONYM_##no, member, sizeof(member)})

#define ADD_COMMAND(texts, span)                                                                   \
	do {                                                                                       \
		ADD(texts, USER_ID, (span)->user_id);                                              \
		ADD(texts, CORRELATION_ID, (span)->correlation_id);                                \
		ADD(texts, COMMAND_SLUG, (span)->slug);                                            \
		ADD(texts, REQUEST_SOURCE, (span)->request_source);                                \
	} while (0)

static struct texts texts_of(const struct decoded *decoded)
{
	struct texts texts = {.count = 0};

	switch (probes[decoded->record->probe].span) {
	case SPAN_COMMAND: ADD_COMMAND(&texts, decoded->command); break;
	case SPAN_REJECTED: ADD_COMMAND(&texts, decoded->rejected); break;
	case SPAN_STEP: ADD(&texts, STEP_NAME, decoded->step->name); break;
	case SPAN_TOOL: ADD(&texts, TOOL_SLUG, decoded->tool->slug); break;
	case SPAN_FRAGMENT: break;
	}
	if (decoded->context)
		ADD_COMMAND(&texts, decoded->context);
	if (decoded->process)
		ADD(&texts, COMM, decoded->process->comm);
	return texts;
}

/* ---- records of every probe, with and without the context, from this header and the first one */

static struct record_bytes make(unsigned int probe, bool with_context, void *span, size_t bytes,
				bool is_older, size_t older_bytes)
{
	struct command_span command = records__command();
	struct span_head *head = span;

	if (is_older) {
		head->size_bytes = (uint16_t)older_bytes;
		command.head.size_bytes = COMMAND_SPAN_MIN_BYTES;
	}
	if (with_context)
		return records__with_context(probe, span, bytes, &command);
	if (probes[probe].form == FORM_PROCESS)
		return records__introducing(probe, span, bytes);
	return records__plain(probe, span, bytes);
}

#define MAKE(kind, span)                                                                           \
	make(probe, with_context, &(span), sizeof(span), is_older, kind##_SPAN_MIN_BYTES)

static struct record_bytes record_of(unsigned int probe, bool with_context, bool is_older)
{
	struct command_span command = records__command_done(1);
	struct rejected_span rejected = records__rejected();
	struct step_span step = records__step();
	struct tool_span tool = records__tool();
	struct fragment_span fragment = records__fragment();

	switch (probes[probe].span) {
	case SPAN_COMMAND: return MAKE(COMMAND, command);
	case SPAN_REJECTED: return MAKE(REJECTED, rejected);
	case SPAN_STEP: return MAKE(STEP, step);
	case SPAN_TOOL: return MAKE(TOOL, tool);
	case SPAN_FRAGMENT: break;
	}
	return MAKE(FRAGMENT, fragment);
}

/* ---- the texts before and after */

static void compare(unsigned int mask, const struct texts *before, const struct texts *after)
{
	assert_int_equal(before->count, after->count);
	for (size_t i = 0; i < before->count; i++) {
		const struct text *old = &before->list[i], *new = &after->list[i];

		if (!(mask & 1u << old->field) || !old->at[0])
			assert_memory_equal(old->at, new->at, old->bytes);
		else if (strncmp(new->at, "p:", 2) != 0)
			fail_msg("%s is not replaced: %.64s", pseudonym_fields[old->field],
				 new->at);
	}
}

/* The bytes of the record stay as they are: they lie in the ring buffer, which is read-only. */
static void check(unsigned int mask, const struct record_bytes *record)
{
	const struct record_bytes copy = *record;
	struct pseudonyms *pseudonyms = NULL;
	struct decoded before, after;
	struct texts old, new;

	assert_int_equal(pseudonyms__new(mask, key, sizeof(key), &pseudonyms, NULL), 0);
	assert_int_equal(decode__record(record->bytes, record->size_bytes, &before), 0);
	assert_int_equal(decode__record(record->bytes, record->size_bytes, &after), 0);
	pseudonyms__apply(pseudonyms, &after);
	assert_memory_equal(record->bytes, copy.bytes, sizeof(copy.bytes));
	old = texts_of(&before);
	new = texts_of(&after);
	compare(mask, &old, &new);
	if (before.process)
		assert_int_equal(after.process->uid, before.process->uid);
	pseudonyms__free(pseudonyms);
}

static void check_every_mask(const struct record_bytes *record)
{
	check(0, record);
	check((1u << PSEUDONYM_FIELDS_COUNT) - 1, record);
	for (int field = 0; field < PSEUDONYM_FIELDS_COUNT; field++)
		check(1u << field, record);
}

static void every_text_of_every_record(void **state)
{
	(void)state;
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++)
		for (int is_older = 0; is_older < 2; is_older++)
			for (int with_context = 0; with_context < 2; with_context++) {
				struct record_bytes record;

				if (with_context && probes[probe].form == FORM_PROCESS)
					continue;
				record = record_of(probe, with_context, is_older);
				check_every_mask(&record);
			}
}

/* What no option names stays as it is. */
static void the_type_of_a_step_stays(void **state)
{
	struct record_bytes record = record_of(PROBE_STEP_DONE, true, false);
	struct pseudonyms *pseudonyms = NULL;
	struct decoded decoded;

	(void)state;
	assert_int_equal(pseudonyms__new(~0u, key, sizeof(key), &pseudonyms, NULL), 0);
	assert_int_equal(decode__record(record.bytes, record.size_bytes, &decoded), 0);
	pseudonyms__apply(pseudonyms, &decoded);
	assert_string_equal(decoded.step->type, "DatabaseUpdateStep");
	pseudonyms__free(pseudonyms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_of_every_record),
		cmocka_unit_test(the_type_of_a_step_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
