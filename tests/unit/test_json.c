// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "foreign_text.h"
#include "refused_memory.h"
#include "steptrace/stream/json.h"

enum { ROOM_BYTES = 4096 };

static struct json json;

static int set_up(void **state)
{
	(void)state;
	return json__init(&json, ROOM_BYTES);
}

static int tear_down(void **state)
{
	(void)state;
	json__free(&json);
	return 0;
}

/* The text written since the last call, as a string. */
static const char *taken(void)
{
	assert_true(json__length(&json) < ROOM_BYTES);
	*json.at = 0;
	json.at = json.base;
	return json.base;
}

static void unsigned_numbers(void **state)
{
	uint64_t power = 1;
	char expected[32];

	(void)state;
	for (int digits = 1; digits <= 20; digits++, power *= 10) {
		const uint64_t values[] = {power - 1, power, power + 1, power * 9, 0 - power};

		for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
			json__u64(&json, values[i]);
			snprintf(expected, sizeof(expected), "%" PRIu64, values[i]);
			assert_string_equal(taken(), expected);
		}
	}
	json__u64(&json, UINT64_MAX);
	assert_string_equal(taken(), "18446744073709551615");
}

/* What a double cannot hold is a string, and nothing else is. */
static void safe_integers(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} rows[] = {{0, "0"},
		    {9, "9"},
		    {-10, "-10"},
		    {9007199254740991, "9007199254740991"},
		    {9007199254740992, "\"9007199254740992\""},
		    {-9007199254740991, "-9007199254740991"},
		    {-9007199254740992, "\"-9007199254740992\""},
		    {INT64_MAX, "\"9223372036854775807\""},
		    {INT64_MIN, "\"-9223372036854775808\""}};

	(void)state;
	json.safe_integers = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json__i64(&json, rows[i].value);
		assert_string_equal(taken(), rows[i].text);
		if (rows[i].value < 0)
			continue;
		json__u64(&json, (uint64_t)rows[i].value);
		assert_string_equal(taken(), rows[i].text);
	}
	json__u64(&json, UINT64_MAX);
	assert_int_equal(json__length(&json), JSON_U64_BYTES);
	assert_string_equal(taken(), "\"18446744073709551615\"");
	json__milliseconds(&json, UINT64_MAX); /* a duration stays a number */
	assert_string_equal(taken(), "18446744073709.551615");
	json.safe_integers = false;
}

static void signed_numbers(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} rows[] = {{0, "0"},
		    {-1, "-1"},
		    {42, "42"},
		    {-100, "-100"},
		    {INT64_MAX, "9223372036854775807"},
		    {INT64_MIN, "-9223372036854775808"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json__i64(&json, rows[i].value);
		assert_string_equal(taken(), rows[i].text);
	}
}

static void milliseconds_are_exact(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {{0, "0"},
		    {1, "0.000001"},
		    {10, "0.00001"},
		    {100, "0.0001"},
		    {999999, "0.999999"},
		    {1000000, "1"},
		    {1000001, "1.000001"},
		    {45200000, "45.2"},
		    {1250800000, "1250.8"},
		    {100000000, "100"},
		    {9007199254740993, "9007199254.740993"}, /* not exact as a double */
		    {UINT64_MAX, "18446744073709.551615"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json__milliseconds(&json, rows[i].ns);
		assert_true(json__length(&json) <= JSON_MILLISECONDS_BYTES);
		assert_string_equal(taken(), rows[i].text);
	}
}

/* Converts milliseconds back to nanoseconds. `places` is the number of decimals. */
static uint64_t nanoseconds_of(const char *text, int *places)
{
	char *point;
	uint64_t ns = strtoull(text, &point, 10) * 1000000;
	uint64_t unit = 100000;

	*places = 0;
	if (*point == 0)
		return ns;
	assert_int_equal(*point, '.');
	for (point++; *point; point++, unit /= 10) {
		assert_in_range(*point, '0', '9');
		ns += (uint64_t)(*point - '0') * unit;
		(*places)++;
	}
	return ns;
}

static void milliseconds_lose_no_digit_and_end_in_none(void **state)
{
	uint64_t seed = 11;
	int places;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t ns = random__next(&seed) >> (random__next(&seed) % 64);
		const char *text;

		json__milliseconds(&json, ns);
		text = taken();
		assert_true(nanoseconds_of(text, &places) == ns);
		assert_in_range(places, 0, 6);
		if (strchr(text, '.'))
			assert_int_not_equal(text[strlen(text) - 1], '0');
	}
}

static void uuids(void **state)
{
	const uint8_t id[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x4d, 0xef,
				0x80, 0x00, 0xff, 0x10, 0x0a, 0xa0, 0x99, 0xf0};

	(void)state;
	json__uuid(&json, id);
	assert_int_equal(json__length(&json), JSON_UUID_BYTES);
	assert_string_equal(taken(), "01234567-89ab-4def-8000-ff100aa099f0");
}

static void literals_words_and_truth(void **state)
{
	(void)state;
	json__raw(&json, "{\"a\":");
	json__bool(&json, 4); /* any nonzero value is true */
	json__raw(&json, ",");
	json__bool(&json, 0);
	json__word(&json, "}x");
	json__bytes(&json, "yz", 1);
	assert_string_equal(taken(), "{\"a\":true,false}xy");
}

/* The field is at the end of its memory, and the output has no room to spare. So AddressSanitizer
 * sees a read or a write of one byte too many. */
static void expect_text(const void *bytes, size_t count)
{
	char *expected = malloc(3 * count + 1), *field = malloc(count ? count : 1);
	struct json exact;
	cJSON *parsed;

	memcpy(field, bytes, count);
	foreign_text__expected(field, count, expected);
	assert_int_equal(json__init(&exact, JSON_TEXT_BYTES(count)), 0);
	json__text(&exact, field, count);
	assert_true(json__length(&exact) <= JSON_TEXT_BYTES(count));
	for (const char *at = exact.base; at < exact.at; at++) {
		assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
		assert_false((uint8_t)at[0] == 0xc2 && (uint8_t)at[1] < 0xa0);
	}
	parsed = cJSON_ParseWithLength(exact.base, json__length(&exact));
	assert_non_null(parsed);
	assert_string_equal(cJSON_GetStringValue(parsed), expected);
	cJSON_Delete(parsed);
	json__free(&exact);
	free(field);
	free(expected);
}

static void every_byte_alone_and_between_others(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		const uint8_t company[] = {'a', (uint8_t)byte, 'b', 0xc3, 0xa9, (uint8_t)byte};

		expect_text(&company[1], 1);
		for (size_t count = 1; count <= sizeof(company); count++)
			expect_text(company, count);
	}
}

static void every_pair_of_bytes(void **state)
{
	(void)state;
	for (int first = 0; first < 256; first++)
		for (int second = 0; second < 256; second++)
			expect_text((const uint8_t[]){(uint8_t)first, (uint8_t)second}, 2);
}

/* Every first byte, followed by the smallest and largest valid and invalid bytes. */
static void edges_of_longer_sequences(void **state)
{
	static const uint8_t edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
					0x9f, 0xa0, 0xbf, 0xc0, 0xe2, 0xff};
	enum { COUNT = sizeof(edges) };

	(void)state;
	for (int first = 0xc0; first < 256; first++) {
		for (int i = 0; i < COUNT * COUNT * COUNT; i++) {
			const uint8_t bytes[] = {(uint8_t)first, edges[i % COUNT],
						 edges[i / COUNT % COUNT],
						 edges[i / COUNT / COUNT]};

			expect_text(bytes, 4);
		}
	}
}

/* Sequences with a known result, because the expected results above are computed. */
static void known_sequences(void **state)
{
	static const struct {
		const char *field, *written;
	} rows[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{"\x01\x1f\x7f\xc2\x9b\xc2\xa0", "\"\\u0001\\u001f\\u007f\\u009b\xc2\xa0\""},
		{"\xc2\x80\xdf\xbf", "\"\\u0080\xdf\xbf\""},
		{"\xe0\xa0\x80\xef\xbf\xbf", "\"\xe0\xa0\x80\xef\xbf\xbf\""},
		{"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""},
		{"\xed\x9f\xbf\xee\x80\x80", "\"\xed\x9f\xbf\xee\x80\x80\""},
		{"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
		{"\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* overlong */
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* U+D800 */
		{"\xf4\x90\x80\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""},
		{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* truncated */
		{"\xe2\x82\xc3\xa9", "\"\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json__text(&json, rows[i].field, strlen(rows[i].field));
		assert_string_equal(taken(), rows[i].written);
	}
}

static void characters_cut_by_the_field(void **state)
{
	static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};

	(void)state;
	for (size_t i = 0; i < sizeof(characters) / sizeof(*characters); i++) {
		char field[8] = "abcd";

		memcpy(field + 4, characters[i], strlen(characters[i]));
		for (size_t count = 4; count <= 4 + strlen(characters[i]); count++)
			expect_text(field, count);
	}
}

static void longest_text_fits_its_limit(void **state)
{
	char field[128];

	(void)state;
	memset(field, 1, sizeof(field));
	json__text(&json, field, sizeof(field));
	assert_int_equal(json__length(&json), JSON_TEXT_BYTES(sizeof(field)));
	expect_text(field, sizeof(field));
}

static void random_fields(void **state)
{
	uint64_t seed = 2;
	char field[64];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		random__text(&seed, field, sizeof(field));
		expect_text(field, sizeof(field));
	}
}

static void the_buffer_grows_and_keeps_what_it_has(void **state)
{
	struct json small;

	(void)state;
	assert_int_equal(json__init(&small, 1), 0);
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(json__reserve(&small, JSON_U64_BYTES), 0);
		assert_true(small.limit - small.at >= JSON_U64_BYTES);
		json__u64(&small, (uint64_t)i % 10);
	}
	assert_int_equal(json__length(&small), 10000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(small.base[i], '0' + i % 10);
	json__free(&small);
	json__free(&small); /* a second free does nothing */
}

static void without_memory_nothing_is_lost(void **state)
{
	(void)state;
	json__raw(&json, "kept");
	assert_int_equal(json__reserve(&json, SIZE_MAX / 4), -ENOMEM);
	json__raw(&json, ".");
	assert_string_equal(taken(), "kept.");
}

static void free_takes_zeroed_memory(void **state)
{
	struct json zeroed = {0};

	(void)state;
	json__free(&zeroed);
	assert_int_equal(json__reserve(&zeroed, 1), 0); /* it can be used again */
	json__free(&zeroed);
	assert_null(zeroed.base);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(unsigned_numbers),
		TEST(safe_integers),
		TEST(signed_numbers),
		TEST(milliseconds_are_exact),
		TEST(milliseconds_lose_no_digit_and_end_in_none),
		TEST(uuids),
		TEST(literals_words_and_truth),
		TEST(every_byte_alone_and_between_others),
		TEST(every_pair_of_bytes),
		TEST(edges_of_longer_sequences),
		TEST(known_sequences),
		TEST(characters_cut_by_the_field),
		TEST(longest_text_fits_its_limit),
		TEST(random_fields),
		TEST(the_buffer_grows_and_keeps_what_it_has),
		TEST(without_memory_nothing_is_lost),
		TEST(free_takes_zeroed_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
