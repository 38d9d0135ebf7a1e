// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <string.h>

#include "steptrace/otlp/otlp_response.h"

static void statuses(void **state)
{
	static const long accepted[] = {200, 202, 204, 299}, later[] = {429, 502, 503, 504},
			  refused[] = {0,   100, 199, 300, 301, 307, 400, 401, 403, 404, 405,
				       408, 413, 415, 418, 428, 430, 500, 501, 505, 599, 999};

	(void)state;
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
		assert_int_equal(otlp_response__verdict(accepted[i]), OTLP_ACCEPTED);
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		assert_int_equal(otlp_response__verdict(later[i]), OTLP_RETRY);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(otlp_response__verdict(refused[i]), OTLP_REFUSED);
}

static struct otlp_partial read_text(const char *body)
{
	struct otlp_partial partial;

	otlp_response__read(body, strlen(body), 10, &partial);
	return partial;
}

static void rejected_items(void **state)
{
	struct otlp_partial partial = read_text(
		"{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"too old\"}}");

	(void)state;
	assert_int_equal(partial.rejected, 3);
	assert_string_equal(partial.message, "too old");
	assert_int_equal(read_text("{\"partialSuccess\":{\"rejectedSpans\":4}}").rejected, 4);
	assert_int_equal(read_text("{\"partialSuccess\":{\"rejectedLogRecords\":\"2\"}}").rejected,
			 2);
	assert_int_equal(read_text("{}").rejected, 0);
	assert_int_equal(read_text("{\"partialSuccess\":{}}").rejected, 0);
}

/* A receiver that lies, or is none. */
static void nonsense(void **state)
{
	static const char *const none[] = {
		"",
		"<html>",
		"[]",
		"null",
		"{\"partialSuccess\":[]}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"-1\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":-5}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"nan\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"3 spans\"}}",
		"{\"partialSuccess\":{\"rejectedSpans\":true}}",
		"{\"partialSuccess\":{\"errorMessage\":7}}",
		"{\"partialSuccess\":{\"rejectedSpans\":\"3\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(read_text(none[i]).rejected, 0);
	assert_int_equal(read_text("{\"partialSuccess\":{\"rejectedSpans\":\"99999999999999999999"
				   "\"}}")
				 .rejected,
			 10);
	assert_int_equal(read_text("{\"partialSuccess\":{\"rejectedSpans\":1e300}}").rejected, 10);
}

static void a_long_message_is_cut(void **state)
{
	char body[600] = "{\"partialSuccess\":{\"errorMessage\":\"";
	struct otlp_partial partial;

	(void)state;
	memset(body + strlen(body), 'x', 400);
	strcat(body, "\"}}");
	partial = read_text(body);
	assert_int_equal(strlen(partial.message), OTLP_MESSAGE_BYTES - 1);
}

static void pauses_grow(void **state)
{
	uint64_t last_ns = 0;

	(void)state;
	for (unsigned int attempts = 1; attempts < 100; attempts++) {
		uint64_t least = otlp_retry__pause_ns(attempts, 0, 0);
		uint64_t most = otlp_retry__pause_ns(attempts, 0, 1023);

		assert_true(least >= last_ns && least <= most && most <= OTLP_LONGEST_PAUSE_NS);
		last_ns = least;
	}
	assert_int_equal(otlp_retry__pause_ns(1, 0, 0), OTLP_FIRST_PAUSE_NS / 2);
	assert_int_equal(otlp_retry__pause_ns(3, 0, 0), OTLP_FIRST_PAUSE_NS * 2);
	assert_int_equal(last_ns, OTLP_LONGEST_PAUSE_NS / 2);
	assert_int_equal(otlp_retry__pause_ns(UINT32_MAX, 0, 0), OTLP_LONGEST_PAUSE_NS / 2);
}

static void the_receiver_can_ask_for_more(void **state)
{
	(void)state;
	assert_int_equal(otlp_retry__pause_ns(1, 7, 0), 7000000000);
	assert_int_equal(otlp_retry__pause_ns(99, 1, 0), OTLP_LONGEST_PAUSE_NS / 2);
	assert_int_equal(otlp_retry__pause_ns(1, UINT64_MAX, 0), OTLP_LONGEST_ASKED_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statuses),    cmocka_unit_test(rejected_items),
		cmocka_unit_test(nonsense),    cmocka_unit_test(a_long_message_is_cut),
		cmocka_unit_test(pauses_grow), cmocka_unit_test(the_receiver_can_ask_for_more),
	};

	return cmocka_run_group_tests_name("otlp response", tests, NULL, NULL);
}
