/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random values and templates, for tests of what holds for all of them. The environment variables
 * PROPERTY_SEED and PROPERTY_ROUNDS choose the random numbers and how many rounds are run.
 */
#ifndef TESTS_TEMPLATE_DRAWS_H
#define TESTS_TEMPLATE_DRAWS_H

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "common/strbuf.h"
#include "foreign_text.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

enum { DEPTH = 3 };

struct draws {
	uint64_t seed, state;
};

static inline uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static inline struct draws draws_new(void)
{
	uint64_t seed = setting("PROPERTY_SEED", 20260131);

	return (struct draws){.seed = seed, .state = seed | 1};
}

/* A number below `limit`. */
static inline size_t draw(struct draws *draws, size_t limit)
{
	return (size_t)(random__next(&draws->state) >> 11) % limit;
}

#define PICK(draws, table) (table)[draw(draws, sizeof(table) / sizeof(*(table)))]

/* ---- random values */

static inline cJSON *draw_text(struct draws *draws)
{
	static const char *const words[] = {
		"",
		"a",
		"0",
		" 7 ",
		"\xc3\xa9t\xc3\xa9",
		"\"quoted\" \\",
		"line\nbreak",
		"\x01\x7f",
		"{{ x }}",
		"{% if %}",
		"\xf0\x9f\x98\x80",
		"</script>",
	};

	return cJSON_CreateString(PICK(draws, words));
}

/* Whole numbers of any number of bits, and fractions. */
static inline cJSON *draw_number(struct draws *draws)
{
	int64_t whole = (int64_t)random__next(&draws->state) >> draw(draws, 64);
	double fraction = (double)whole / 1024 * (double)(1 + draw(draws, 1000));

	return draw(draws, 4) ? integer__new(whole) : cJSON_CreateNumber(fraction);
}

static inline cJSON *draw_value(struct draws *draws, int depth)
{
	size_t kind = draw(draws, depth > 0 ? 7 : 5);
	cJSON *value;

	switch (kind) {
	case 0: return cJSON_CreateNull();
	case 1: return cJSON_CreateBool((cJSON_bool)draw(draws, 2));
	case 2: return draw_text(draws);
	case 3:
	case 4: return draw_number(draws);
	}
	value = kind == 5 ? cJSON_CreateArray() : cJSON_CreateObject();
	for (size_t count = draw(draws, 5); count > 0; count--) {
		char name[] = {(char)('a' + count), 0};

		if (kind == 5)
			cJSON_AddItemToArray(value, draw_value(draws, depth - 1));
		else
			cJSON_AddItemToObject(value, name, draw_value(draws, depth - 1));
	}
	return value;
}

/* An object with the members x, y and l; l is a list. */
static inline cJSON *draw_root(struct draws *draws)
{
	cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "l");

	cJSON_AddItemToObject(root, "x", draw_value(draws, DEPTH));
	cJSON_AddItemToObject(root, "y", draw_value(draws, DEPTH));
	for (size_t count = draw(draws, 4); count > 0; count--)
		cJSON_AddItemToArray(list, draw_value(draws, 1));
	return root;
}

/* ---- random templates */

static inline void write_statements(struct draws *draws, struct strbuf *out, int depth);

static inline void write_expression(struct draws *draws, struct strbuf *out)
{
	static const char *const values[] = {"x", "y.b", "l.0",    "l",  "i",
					     "7", "'a'", "{a: x}", "[y]"};
	static const char *const rests[] = {
		"",
		"",
		"",
		" | json",
		" | default: y",
		" | append: x",
		" | merge: y",
		" + l",
		" | take: 2",
		" ? x : y",
		" == y",
		" in l",
		" is defined",
		" | first",
		" | join: '-'",
		" | length * 2",
		" | from_json",
		" | upper",
		" | split: 'a'",
		" | sprintf: l",
	};

	strbuf__text(out, PICK(draws, values));
	strbuf__text(out, PICK(draws, rests));
}

static inline void write_tag(struct draws *draws, struct strbuf *out, const char *before,
			     const char *after)
{
	strbuf__text(out, before);
	write_expression(draws, out);
	strbuf__text(out, after);
}

static inline void write_block(struct draws *draws, struct strbuf *out, int depth,
			       const char *before, const char *end)
{
	write_tag(draws, out, before, " %}");
	write_statements(draws, out, depth - 1);
	strbuf__text(out, end);
}

static inline void write_statements(struct draws *draws, struct strbuf *out, int depth)
{
	for (size_t count = draw(draws, 4); count > 0; count--)
		switch (draw(draws, depth > 0 ? 7 : 4)) {
		case 0: strbuf__text(out, "text\n"); break;
		case 1:
		case 2: write_tag(draws, out, "{{ ", " }}"); break;
		case 3: write_tag(draws, out, "{% set x = ", " %}"); break;
		case 4: write_block(draws, out, depth, "{% if ", "{% endif %}\n"); break;
		default: write_block(draws, out, depth, "{% for i in ", "{% endfor %}"); break;
		}
}

static inline char *draw_template(struct draws *draws)
{
	struct strbuf out;

	strbuf__init(&out, SIZE_MAX);
	strbuf__text(&out, "");
	write_statements(draws, &out, DEPTH);
	if (!out.text)
		strbuf__text(&out, "{{ x }}");
	return strbuf__take(&out);
}

#endif
