// SPDX-License-Identifier: BSD-2-Clause
/*
 * What holds for all templates and values, with random ones (template_draws.h). tests/oracle
 * compares results with a second implementation; this test compares the engine with itself. A
 * failure prints the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/template/template.h"
#include "runner/value/foreign_text.h"
#include "template_draws.h"

enum { ROUNDS = 3000, HOSTILE_ROUNDS = 12 };

/* ---- what a template gives */

typedef int render_function(const struct template *template, const struct scope *scope,
			    cJSON **value, struct error *err);

/* The value as JSON, or the message of the failure. The caller frees it. */
static char *outcome(render_function *render, const char *text, const cJSON *root)
{
	const struct scope scope = {.root = root};
	struct template *template;
	struct error err = {{0}};
	cJSON *value = NULL;
	char *shown;
	int code = template__parse(text, &template, &err);

	if (!code)
		code = render(template, &scope, &value, &err);
	template__free(template);
	assert_int_equal(code != 0, value == NULL);
	assert_int_equal(code != 0, err.text[0] != 0);
	shown = code ? strdup(err.text) : value__json(value);
	cJSON_Delete(value);
	assert_non_null(shown);
	return shown;
}

/* Frees both. */
static void expect_equal(const struct draws *draws, const char *text, char *got, char *expected)
{
	if (strcmp(got, expected) != 0)
		fail_msg("seed %" PRIu64 ": %s\n  gives  %s\n  not    %s", draws->seed, text, got,
			 expected);
	free(got);
	free(expected);
}

static void same_template_same_result(void **state)
{
	struct draws draws = draws_new();

	(void)state;
	for (uint64_t round = setting("PROPERTY_ROUNDS", ROUNDS); round > 0; round--) {
		cJSON *root = draw_root(&draws);
		char *text = draw_template(&draws), *before = value__json(root);

		expect_equal(&draws, text, outcome(template__render, text, root),
			     outcome(template__render, text, root));
		expect_equal(&draws, text, value__json(root), before);
		cJSON_Delete(root);
		free(text);
	}
}

static void text_without_tags_is_its_own_result(void **state)
{
	struct draws draws = draws_new();
	char text[200];

	(void)state;
	for (uint64_t round = setting("PROPERTY_ROUNDS", ROUNDS); round > 0; round--) {
		cJSON value = {.type = cJSON_String, .valuestring = text};

		random__text(&draws.state, text, sizeof(text));
		text[sizeof(text) - 1] = 0;
		for (char *brace = text; (brace = strchr(brace, '{')); brace++)
			if (brace[1] && strchr("{%#", brace[1]))
				*brace = '}';
		expect_equal(&draws, text, outcome(template__render, text, NULL),
			     value__json(&value));
	}
}

static void json_and_back_is_the_same(void **state)
{
	static const char *const texts[] = {
		"{{ v | json_encode | from_json }}",
		"{{ v | json_encode | json_encode | from_json | from_json }}",
		"{% set r = [] %}{% set r = r | append: v %}{{ r.0 | json }}",
	};
	struct draws draws = draws_new();

	(void)state;
	for (uint64_t round = setting("PROPERTY_ROUNDS", ROUNDS); round > 0; round--) {
		cJSON *root = cJSON_CreateObject(), *text;
		cJSON *value = draw_value(&draws, DEPTH);

		cJSON_AddItemToObject(root, "v", value);
		text = value__from_text(value__json(value));
		for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
			expect_equal(&draws, texts[i], outcome(template__render, texts[i], root),
				     value__json(i == 2 ? text : value));
		cJSON_Delete(text);
		cJSON_Delete(root);
	}
}

static void whole_numbers_stay_exact(void **state)
{
	static const char *const texts[] = {"{{ v }}",
					    "{{ v | json | from_json }}",
					    "{{ v + 0 }}",
					    "{{ 1 * v }}",
					    "{{ missing - (0 - v) }}",
					    "{{ [v, 'x'] | first }}",
					    "{{ (t | from_json).0 }}"};
	struct draws draws = draws_new();

	(void)state;
	for (uint64_t round = setting("PROPERTY_ROUNDS", ROUNDS); round > 0; round--) {
		int64_t whole = (int64_t)random__next(&draws.state) >> draw(&draws, 64);
		char number[24], json[80];
		cJSON *root;

		whole += whole == INT64_MIN; /* which cannot be subtracted from 0 */
		snprintf(number, sizeof(number), "%" PRId64, whole);
		snprintf(json, sizeof(json), "{\"v\": %s, \"t\": \"[%s]\"}", number, number);
		root = foreign_json__whole(json);
		assert_non_null(root);
		for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
			expect_equal(&draws, texts[i], outcome(template__render, texts[i], root),
				     strdup(number));
		cJSON_Delete(root);
	}
}

/* Alone it keeps its type; beside text it is text. */
static void one_expression_keeps_its_type(void **state)
{
	struct draws draws = draws_new();

	(void)state;
	for (uint64_t round = setting("PROPERTY_ROUNDS", ROUNDS); round > 0; round--) {
		cJSON *root = cJSON_CreateObject(), *text;
		cJSON *value = draw_value(&draws, DEPTH);

		cJSON_AddItemToObject(root, "v", value);
		text = value__from_text(value__text(value));
		expect_equal(&draws, "{{ v }}", outcome(template__render, "{{ v }}", root),
			     value__json(value));
		expect_equal(&draws, " {{ v }} \\n",
			     outcome(template__render_trimmed, " {{ v }} \n", root),
			     value__json(value));
		expect_equal(&draws, "{{ v }}{{ '' }}",
			     outcome(template__render, "{{ v }}{{ '' }}", root), value__json(text));
		cJSON_Delete(text);
		cJSON_Delete(root);
	}
}

/* ---- where a template ends */

/* The page after the text cannot be read. */
struct guarded {
	char *pages;
	size_t page_bytes;
};

static struct guarded guarded_new(void)
{
	struct guarded guarded = {.page_bytes = (size_t)sysconf(_SC_PAGESIZE)};

	guarded.pages = mmap(NULL, 2 * guarded.page_bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(guarded.pages, MAP_FAILED);
	assert_int_equal(
		mprotect(guarded.pages + guarded.page_bytes, guarded.page_bytes, PROT_NONE), 0);
	return guarded;
}

static const char *guarded_copy(const struct guarded *guarded, const char *text, size_t bytes)
{
	char *copy = guarded->pages + guarded->page_bytes - bytes - 1;

	assert_true(bytes < guarded->page_bytes);
	memcpy(copy, text, bytes);
	copy[bytes] = 0;
	return copy;
}

/* A template that ends anywhere, also inside a token or a character. */
static void nothing_is_read_after_the_end(void **state)
{
	struct draws draws = draws_new();
	struct guarded guarded = guarded_new();

	(void)state;
	for (uint64_t round = setting("PROPERTY_ROUNDS", ROUNDS); round > 0; round--) {
		cJSON *root = draw_root(&draws);
		char *text = draw_template(&draws);
		size_t bytes = strnlen(text, guarded.page_bytes - 1);

		free(outcome(template__render,
			     guarded_copy(&guarded, text, draw(&draws, bytes + 1)), root));
		cJSON_Delete(root);
		free(text);
	}
	munmap(guarded.pages, 2 * guarded.page_bytes);
}

/* ---- the budget */

/* Three to six loops, one in the other, over a hundred items. */
static char *draw_hostile(struct draws *draws)
{
	static const char *const bodies[] = {
		"x",
		"{{ i }}",
		"{% set n = n + 1 %}",
		"{% if i in l %}{% endif %}",
		"{% set n = l | append: i %}",
		"{% set n = l | json | from_json %}",
		"{% set n = {a: l, b: n} %}{% set n = n.a %}",
		"{% set n = l | join | upper | length %}",
	};
	size_t depth = 3 + draw(draws, 4);
	struct strbuf out;

	strbuf__init(&out, SIZE_MAX);
	strbuf__repeat(&out, "{% for i in l %}", depth);
	strbuf__text(&out, PICK(draws, bodies));
	strbuf__repeat(&out, "{% endfor %}", depth);
	return strbuf__take(&out);
}

static void hostile_loops_end_with_an_error(void **state)
{
	struct draws draws = draws_new();
	cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "l");

	(void)state;
	for (int i = 0; i < 100; i++)
		cJSON_AddItemToArray(list, cJSON_CreateNumber(i));
	for (int round = 0; round < HOSTILE_ROUNDS; round++) {
		char *text = draw_hostile(&draws), *got = outcome(template__render, text, root);

		if (!strstr(got, "the template takes more than 1000000 steps") &&
		    !strstr(got, "the output is longer than 1048576 bytes"))
			fail_msg("seed %" PRIu64 ": %s gives %.200s", draws.seed, text, got);
		free(got);
		free(text);
	}
	cJSON_Delete(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_template_same_result),
		cmocka_unit_test(text_without_tags_is_its_own_result),
		cmocka_unit_test(json_and_back_is_the_same),
		cmocka_unit_test(whole_numbers_stay_exact),
		cmocka_unit_test(one_expression_keeps_its_type),
		cmocka_unit_test(nothing_is_read_after_the_end),
		cmocka_unit_test(hostile_loops_end_with_an_error),
	};

	return cmocka_run_group_tests_name("template_property", tests, NULL, NULL);
}
