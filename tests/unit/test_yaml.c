// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/yaml.h"
#include "runner/value/value.h"

static void expect_json(const char *yaml, const char *json)
{
	struct yaml_document document;
	struct error err = {0};
	char *text;

	if (yaml__parse(&document, "t.yaml", yaml, strlen(yaml), &err))
		fail_msg("'%s': %s", yaml, err.text);
	text = value__json(document.root);
	assert_string_equal(text, json);
	free(text);
	yaml__free(&document);
}

static void expect_error(const char *yaml, int code, const char *where, const char *part)
{
	struct yaml_document document;
	struct error err = {0};

	assert_int_equal(yaml__parse(&document, "t.yaml", yaml, strlen(yaml), &err), code);
	assert_null(document.root);
	if (strncmp(err.text, where, strlen(where)) != 0 || !strstr(err.text, part))
		fail_msg("'%s' instead of '%s...%s'", err.text, where, part);
}

static void scalars_are_typed(void **state)
{
	(void)state;
	expect_json("[~, null, Null, NULL, ]", "[null,null,null,null]");
	expect_json("[true, True, FALSE, false]", "[true,true,false,false]");
	expect_json("[1, -2, +3, 0x1f, 0o17, 007]", "[1,-2,3,31,15,7]");
	expect_json("[1.5, .5, 2., 1e3, -1.5E-1]", "[1.5,0.5,2,1000,-0.15]");
	expect_json("[1.0.0, yes, no, on, 1e, '-', 0x, 2025-03-01]",
		    "[\"1.0.0\",\"yes\",\"no\",\"on\",\"1e\",\"-\",\"0x\",\"2025-03-01\"]");
	expect_json("['1', \"true\", 'null']", "[\"1\",\"true\",\"null\"]");
	expect_json("[9007199254740993, -9223372036854775808, 0x7fffffffffffffff]",
		    "[9007199254740993,-9223372036854775808,9223372036854775807]");
	expect_json("['9223372036854775808', 1e30]", "[\"9223372036854775808\",1e+30]");
}

static void collections_and_blocks(void **state)
{
	(void)state;
	expect_json("a: {b: [1, {c: d}], e: f}\n", "{\"a\":{\"b\":[1,{\"c\":\"d\"}],\"e\":\"f\"}}");
	expect_json("a: |\n  one\n   two\n\nb: >\n  x\n  y\n",
		    "{\"a\":\"one\\n two\\n\",\"b\":\"x y\\n\"}");
	expect_json("a: \"tab\\t\\u00e9\\n\" # comment\nb: 'it''s'",
		    "{\"a\":\"tab\\té\\n\",\"b\":\"it's\"}");
	expect_json("- id: x\n  then:\n  - y\n- z", "[{\"id\":\"x\",\"then\":[\"y\"]},\"z\"]");
	expect_json("", "null");
	expect_json("# nothing\n", "null");
	expect_json("k: \"{{ a|b: 'x' }}\"\nm: ✅", "{\"k\":\"{{ a|b: 'x' }}\",\"m\":\"✅\"}");
}

static void refusals_say_where(void **state)
{
	(void)state;
	expect_error("a: 9223372036854775808", -EINVAL, "t.yaml:1:4: ", "more than 64 bits");
	expect_error("[1,\n0x8000000000000000]", -EINVAL, "t.yaml:2:1: ", "more than 64 bits");
	expect_error("a: &x 1", -EINVAL, "t.yaml:1:4: ", "anchor");
	expect_error("a: *x", -EINVAL, "t.yaml:1:4: ", "alias");
	expect_error("a: !!str 1", -EINVAL, "t.yaml:1:4: ", "tag");
	expect_error("a: !mine {}", -EINVAL, "t.yaml:1:4: ", "tag");
	expect_error("a: 1\n---\nb: 2", -EINVAL, "t.yaml:2:1: ", "second document");
	expect_error("a: 1\nb: 2\na: 3", -EINVAL, "t.yaml:3:1: ", "twice");
	expect_error("[a]: 1", -EINVAL, "t.yaml:1:1: ", "key must be");
	expect_error("a: .inf", -EINVAL, "t.yaml:1:4: ", "finite");
	expect_error("a: -.INF", -EINVAL, "t.yaml:1:4: ", "finite");
	expect_error("a: \"x\\0y\"", -EINVAL, "t.yaml:1:4: ", "NUL");
	expect_error("a: \"x", -EINVAL, "t.yaml:1:", "quoted scalar");
	expect_error("a: b: c", -EINVAL, "t.yaml:1:", "mapping values");
	expect_error("a:\n\t- b", -EINVAL, "t.yaml:2:", "");
	expect_error("a: \xff", -EINVAL, "t.yaml:", "");
	expect_error("a: [1", -EINVAL, "t.yaml:", "");
}

static void limits_hold(void **state)
{
	struct yaml_document document;
	struct error err;
	size_t bytes = YAML_BYTES_MAX + 1;
	char *text = malloc(bytes + 1);

	(void)state;
	memset(text, '[', 40);
	memset(text + 40, ']', 40);
	text[80] = 0;
	expect_error(text, -E2BIG, "t.yaml:1:33: ", "deeper than 32");
	text[72] = 0;
	expect_json(text + 8, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	free(text);
	text = malloc(bytes + 1);
	memset(text, '#', bytes);
	text[bytes] = 0;
	assert_int_equal(yaml__parse(&document, "big", text, bytes, &err), -E2BIG);
	assert_int_equal(yaml__parse(&document, "big", text, bytes - 1, &err), 0);
	yaml__free(&document);
	free(text);
}

static void many_keys_are_refused(void **state)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	for (int i = 0; i <= YAML_KEYS_MAX; i++)
		fprintf(out, "k%d: 1\n", i);
	fclose(out);
	expect_error(text, -E2BIG, "t.yaml:4097:1: ", "more than 4096 keys");
	free(text);
}

static void marks_find_values(void **state)
{
	const char *yaml = "a: 1\nb:\n  - x\n  - {c: d}\n";
	struct yaml_document document;
	struct error err;
	cJSON *list;

	(void)state;
	assert_int_equal(yaml__parse(&document, "t.yaml", yaml, strlen(yaml), &err), 0);
	list = cJSON_GetObjectItem(document.root, "b");
	yaml__complain(&document, cJSON_GetArrayItem(list, 1), &err, 0, "here");
	assert_string_equal(err.text, "t.yaml:4:5: here");
	yaml__complain(&document, NULL, &err, 0, "there");
	assert_string_equal(err.text, "t.yaml: there");
	yaml__free(&document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scalars_are_typed),     cmocka_unit_test(collections_and_blocks),
		cmocka_unit_test(refusals_say_where),    cmocka_unit_test(limits_hold),
		cmocka_unit_test(many_keys_are_refused), cmocka_unit_test(marks_find_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
