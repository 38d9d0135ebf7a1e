// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <string.h>

#include "steptrace/otlp/otlp_ids.h"

static struct recorded_text text_of(const char *text)
{
	return (struct recorded_text){text, strlen(text)};
}

static struct otlp_trace trace_of(const char *correlation)
{
	struct otlp_trace trace;

	otlp_ids__trace(text_of(correlation), &trace);
	return trace;
}

static void check(const char *correlation, uint64_t high, uint64_t low, uint64_t parent)
{
	struct otlp_trace trace = trace_of(correlation);

	assert_int_equal(trace.high, high);
	assert_int_equal(trace.low, low);
	assert_int_equal(trace.parent, parent);
}

static void known_forms_are_taken_as_they_are(void **state)
{
	(void)state;
	check("7d6c3db9-581a-443c-8afb-08954f67cc4b", 0x7d6c3db9581a443c, 0x8afb08954f67cc4b, 0);
	check("7D6C3DB9-581A-443C-8AFB-08954F67CC4B", 0x7d6c3db9581a443c, 0x8afb08954f67cc4b, 0);
	check("4bf92f3577b34da6a3ce929d0e0e4736", 0x4bf92f3577b34da6, 0xa3ce929d0e0e4736, 0);
	check("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", 0x4bf92f3577b34da6,
	      0xa3ce929d0e0e4736, 0x00f067aa0ba902b7);
	check("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", 0x4bf92f3577b34da6,
	      0xa3ce929d0e0e4736, 0x00f067aa0ba902b7);
}

/* Each differs from a known form in one place. */
static void other_texts_are_hashed(void **state)
{
	static const char *const texts[] = {
		"",
		"req-12345678",
		"00000000-0000-0000-0000-000000000000",
		"00000000000000000000000000000000",
		"7d6c3db9-581a-443c-8afb_08954f67cc4b",
		"7d6c3db9-581a-443c-8afb-08954f67cc4g",
		"7d6c3db9-581a-443c-8afb-08954f67cc4b0",
		"4bf92f3577b34da6a3ce929d0e0e473",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
		"00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct otlp_trace trace = trace_of(texts[i]);

		assert_int_not_equal(trace.high, 0);
		assert_int_not_equal(trace.low, 0);
		assert_int_not_equal(trace.high, trace.low);
		assert_int_not_equal(trace.high, 0x4bf92f3577b34da6);
		assert_int_not_equal(trace.high, 0x7d6c3db9581a443c);
		assert_int_equal(trace.parent, 0);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(trace.high, trace_of(texts[j]).high);
	}
}

/* docs/otlp.md promises these: a new version must not change them. */
static void hashes_are_stable(void **state)
{
	uint64_t command = otlp_ids__command(text_of("7d6c3db9-581a-443c-8afb-08954f67cc4b"));

	(void)state;
	check("req-12345678", UINT64_C(0xdceaf86a9ac9acf8), UINT64_C(0x9832270a8d873398), 0);
	assert_int_equal(command, UINT64_C(0x03941a69c8e737d1));
	assert_int_equal(otlp_ids__inner(command, OTLP_STEP,
					 text_of("ee5d7f5e-3647-4776-896a-21fa5ec56f77")),
			 UINT64_C(0x20398d70fb1a3960));
}

static void steps_and_tools_have_ids_of_their_own(void **state)
{
	struct recorded_text id = text_of("ee5d7f5e-3647-4776-896a-21fa5ec56f77");
	uint64_t step = otlp_ids__inner(1, OTLP_STEP, id);

	(void)state;
	assert_int_not_equal(step, otlp_ids__inner(1, OTLP_TOOL, id));
	assert_int_not_equal(step, otlp_ids__inner(2, OTLP_STEP, id));
	assert_int_not_equal(step, otlp_ids__inner(UINT64_C(1) << 63, OTLP_STEP, id));
	assert_int_equal(step, otlp_ids__inner(1, OTLP_STEP, id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_forms_are_taken_as_they_are),
		cmocka_unit_test(other_texts_are_hashed),
		cmocka_unit_test(hashes_are_stable),
		cmocka_unit_test(steps_and_tools_have_ids_of_their_own),
	};

	return cmocka_run_group_tests_name("otlp ids", tests, NULL, NULL);
}
