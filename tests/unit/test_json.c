// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/json.h"

static char *done(struct json *json)
{
	assert_int_equal(json__reserve(json, 1), 0);
	*json->at = 0;
	return json->base;
}

static struct json fresh(void)
{
	struct json json;

	assert_int_equal(json__init(&json, 16), 0);
	assert_int_equal(json__reserve(&json, 65536), 0);
	return json;
}

static void numbers(void **state)
{
	static const uint64_t values[] = {
		0,     9,          10,         99,         100,        101,        999,       1000,
		12345, UINT32_MAX, 1ULL << 53, 1ULL << 63, UINT64_MAX, 1000000000, 9999999999};
	char expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct json json = fresh();

		json__u64(&json, values[i]);
		snprintf(expected, sizeof(expected), "%llu", (unsigned long long)values[i]);
		assert_string_equal(done(&json), expected);
		json.at = json.base;
		json__i64(&json, -(int64_t)(values[i] & INT64_MAX));
		snprintf(expected, sizeof(expected), "%lld",
			 -(long long)(values[i] & (uint64_t)INT64_MAX));
		assert_string_equal(done(&json), expected);
		json__free(&json);
	}
}

static void smallest_number(void **state)
{
	struct json json = fresh();

	(void)state;
	json__i64(&json, INT64_MIN);
	assert_string_equal(done(&json), "-9223372036854775808");
	json__free(&json);
}

static void milliseconds(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
		{0, "0"},
		{1, "0.000001"},
		{10, "0.00001"},
		{999999, "0.999999"},
		{1000000, "1"},
		{45200000, "45.2"},
		{1250800000, "1250.8"},
		{20000100, "20.0001"},
		{UINT64_MAX, "18446744073709.551615"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json json = fresh();

		json__milliseconds(&json, rows[i].ns);
		assert_string_equal(done(&json), rows[i].text);
		assert_true(json__length(&json) <= JSON_MILLISECONDS_BYTES);
		json__free(&json);
	}
}

static void uuid(void **state)
{
	static const uint8_t id[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
				       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct json json = fresh();

	(void)state;
	json__uuid(&json, id);
	assert_string_equal(done(&json), "00112233-4455-6677-8899-aabbccddeeff");
	json__free(&json);
}

/* What cJSON reads back from our string. */
static void reads_back(const char *field, size_t bytes, const char *expected)
{
	struct json json = fresh();
	cJSON *parsed;

	json__text(&json, field, bytes);
	parsed = cJSON_Parse(done(&json));
	assert_non_null(parsed);
	assert_string_equal(parsed->valuestring, expected);
	cJSON_Delete(parsed);
	json__free(&json);
}

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static void text(void **state)
{
	static const struct {
		const char *field, *expected;
	} rows[] = {
		{"", ""},
		{"plain", "plain"},
		{"a \"q\" \\ / b", "a \"q\" \\ / b"},
		{"\b\f\n\r\t\x01\x1f\x7f", "\b\f\n\r\t\x01\x1f\x7f"},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		 "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf",
		 "\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf"},
		{"\x80", BAD},
		{"\xc0\x80", BAD BAD},                 /* overlong NUL */
		{"\xc1\xbf", BAD BAD},                 /* overlong */
		{"\xe0\x9f\xbf", BAD BAD BAD},         /* overlong */
		{"\xed\xa0\x80", BAD BAD BAD},         /* a surrogate */
		{"\xf0\x8f\xbf\xbf", BAD BAD BAD BAD}, /* overlong */
		{"\xf4\x90\x80\x80", BAD BAD BAD BAD}, /* beyond U+10FFFF */
		{"\xf5\xbf\xbf\xbf", BAD BAD BAD BAD},
		{"\xff", BAD},
		{"a\xc3", "a" BAD},
		{"a\xe2\x82", "a" BAD BAD},
		{"a\xf0\x9f\x98", "a" BAD BAD BAD},
		{"\xc3(", BAD "("},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		reads_back(rows[i].field, strlen(rows[i].field) + 1, rows[i].expected);
}

static void every_byte(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		const char field[] = {'<', (char)byte, '>', 0};
		char expected[16];

		if (byte < 0x80)
			snprintf(expected, sizeof(expected), "<%c>", byte);
		else
			snprintf(expected, sizeof(expected), "<" BAD ">");
		reads_back(field, sizeof(field), expected);
	}
}

/* A field that is full has no NUL, and what lies behind it is not ours. */
static void a_full_field(void **state)
{
	(void)state;
	reads_back("abcdXX", 4, "abcd");
	reads_back("ab\xc3\xa9", 3, "ab" BAD);
	reads_back("ab\0cd", 5, "ab");
}

static void grows(void **state)
{
	struct json json;

	(void)state;
	assert_int_equal(json__init(&json, 8), 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(json__reserve(&json, JSON_TEXT_BYTES(8)), 0);
		json__text(&json, "\x01\x02\x03\x04\x05\x06\x07\x0e", 8);
	}
	assert_int_equal(json__length(&json), 1000 * JSON_TEXT_BYTES(8));
	json__free(&json);
	json__free(&json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),      cmocka_unit_test(smallest_number),
		cmocka_unit_test(milliseconds), cmocka_unit_test(uuid),
		cmocka_unit_test(text),         cmocka_unit_test(every_byte),
		cmocka_unit_test(a_full_field), cmocka_unit_test(grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
