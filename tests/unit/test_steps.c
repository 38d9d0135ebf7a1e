// SPDX-License-Identifier: BSD-2-Clause
/* Every step type: its output, what it writes, and each of its errors. */
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

#include "../support/runner_fixture.h"
#include "runner/pack/step_type.h"
#include "runner/store/store_query.h"

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return 0;
}

static void run(const char *steps, const char *input)
{
	if (fixture__run(&fixture, steps, input))
		fail_msg("%s", fixture.err.text);
}

static void expect_text(const char *path, const char *text)
{
	assert_string_equal(fixture__step_text(&fixture, path), text);
}

static void expect_number(const char *path, double number)
{
	assert_true(fixture__step_number(&fixture, path) == number);
}

static int64_t count_rows(const char *model)
{
	struct store_query query;
	int64_t count = -1;

	store_query__init(&query, store__table(fixture.store, model));
	assert_int_equal(store__count(fixture.store, &query, &count, NULL), 0);
	store_query__free(&query);
	return count;
}

static int64_t count_with_deleted(const char *model)
{
	struct store_query query;
	int64_t count = -1;

	store_query__init(&query, store__table(fixture.store, model));
	query.with_deleted = true;
	assert_int_equal(store__count(fixture.store, &query, &count, NULL), 0);
	store_query__free(&query);
	return count;
}

/* The step must fail with this category and with this part in its message. */
static void expect_failure(const char *step, enum steptrace_error category, const char *part)
{
	int64_t before = count_rows("fragments");

	assert_int_not_equal(fixture__run(&fixture, step, NULL), 0);
	if (!fixture.has_run || fixture.execution.category != category ||
	    !strstr(fixture.err.text, part))
		fail_msg("%s: category %d, '%s' without '%s'", step, fixture.execution.category,
			 fixture.err.text, part);
	assert_int_equal(count_rows("fragments"), before);
	assert_null(fixture__step(&fixture, "x"));
}

#define INVALID STEPTRACE_ERROR_VALIDATION

/* ------------------------------------------------------------------ the table */

static void every_row_of_the_table_is_valid(void **state)
{
	(void)state;
	for (size_t i = 0; i < STEP_TYPE_COUNT; i++) {
		const struct step_type *type = step_types[i];

		assert_ptr_equal(step_type__find(type->name), type);
		assert_non_null(type->run);
		assert_true(type->keys[0] != NULL);
		assert_true(step_type__knows(type, type->keys[0]));
		assert_false(step_type__knows(type, "no-such-key"));
		assert_true(strlen(type->event_name) < 48);
		assert_string_equal(type->event_name + strlen(type->event_name) - 4, "Step");
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(step_types[j]->name, type->name);
			assert_string_not_equal(step_types[j]->event_name, type->event_name);
		}
	}
	assert_null(step_type__find("no.such.type"));
}

/* A step of any type without its keys fails with the category "validation" and writes nothing. */
static void steps_without_keys_fail(void **state)
{
	char step[128];

	(void)state;
	for (size_t i = 0; i < STEP_TYPE_COUNT; i++) {
		if (strcmp(step_types[i]->name, "fragment.query") == 0)
			continue; /* without keys it selects all fragments, which is valid */
		snprintf(step, sizeof(step), "- {id: x, type: %s}", step_types[i]->name);
		expect_failure(step, INVALID, "");
	}
}

/* ------------------------------------------------------------------ text and control */

static void transform(void **state)
{
	(void)state;
	run("- {id: a, type: transform, template: '  <{{ ctx.body }}>  '}\n"
	    "- {id: b, type: transform, template: '{{ ctx.list }}'}\n"
	    "- {id: c, type: transform, with: {template: '[1, {{ ctx.n }}]', output: json}}\n"
	    "- {id: d, type: transform, template: '{{ steps.c.output.1 }}'}\n"
	    "- {id: e, type: transform, template: '\"a\"', output: json}\n",
	    "{\"body\":\"x y\",\"list\":[\"p\"],\"n\":2}");
	expect_text("a.output", "<x y>");
	expect_text("b.output.0", "p");
	expect_number("c.output.1", 2);
	expect_number("d.output", 2);
	expect_text("e.output", "a");
	expect_failure("- {id: x, type: transform, template: 'no json', output: json}", INVALID,
		       "not JSON");
	expect_failure("- {id: x, type: transform, template: 'x', output: xml}", INVALID, "xml");
	expect_failure("- {id: x, type: transform, template: '{{ ctx.body | '}", INVALID, "");
}

static void condition(void **state)
{
	(void)state;
	run("- id: a\n  type: condition\n  condition: '{{ ctx.yes }}'\n"
	    "  then: [{id: t, type: transform, template: then}]\n"
	    "  else: [{id: t, type: transform, template: else}]\n"
	    "- id: b\n  type: condition\n  with:\n    condition: false\n"
	    "    then: [{id: u, type: transform, template: then}]\n"
	    "    else:\n"
	    "    - {id: u, type: transform, template: else}\n"
	    "    - {id: v, type: transform, template: 'saw {{ steps.u.output }}'}\n"
	    "- {id: c, type: condition, condition: 0}\n"
	    "- {id: d, type: condition, condition: ctx.yes}\n",
	    "{\"yes\":true}");
	expect_text("t.output", "then");
	expect_text("a.output.executed_branch", "then");
	expect_text("u.output", "else");
	expect_text("v.output", "saw else");
	assert_true(cJSON_IsFalse(fixture__step(&fixture, "b.output.condition_result")));
	assert_true(cJSON_IsNull(fixture__step(&fixture, "c.output.executed_branch")));
	assert_true(cJSON_IsTrue(fixture__step(&fixture, "d.output.condition_result")));
}

/* A transform of one expression keeps its type, also in a literal block. Text is trimmed. */
static void transforms_in_literal_blocks(void **state)
{
	(void)state;
	run("- id: a\n  type: transform\n  template: |\n    {{ ctx.list }}\n"
	    "- id: b\n  type: transform\n  template: |\n\n    {{ ctx.list | length }}\n\n"
	    "- id: c\n  type: transform\n  template: |\n    {{ ctx.text }}\n"
	    "- id: d\n  type: transform\n  template: |\n    {{ ctx.list }}.\n"
	    "- id: e\n  type: transform\n  template: |\n    {{ ctx.list }}\n    {{ 1 }}\n",
	    "{\"list\":[1,2],\"text\":\" x \"}");
	expect_number("a.output.1", 2);
	expect_number("b.output", 2);
	expect_text("c.output", "x");
	expect_text("d.output", "[1,2].");
	expect_text("e.output", "[1,2]\n1");
}

/* What is larger than its limit has a category of its own. */
static void limits(void **state)
{
	(void)state;
	expect_failure("- {id: x, type: transform, template: \"{{"
		       " 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | regex_test: '^(a+)+$' }}\"}",
		       STEPTRACE_ERROR_LIMIT, "match limit");
	expect_failure(
		"- {id: x, type: transform, template: \"{% set l = [1, 2, 3, 4, 5, 6, 7, 8] %}"
		"{% set x = l %}{% for a in l %}{% for b in l %}{% set x = [x, x] %}"
		"{% endfor %}{% endfor %}\"}",
		STEPTRACE_ERROR_LIMIT, "steps");
}

/* In a literal block, a line break follows the rendered value. */
static void conditions_in_literal_blocks(void **state)
{
	(void)state;
	run("- id: a\n  type: condition\n  condition: |\n    {{ ctx.missing }}\n"
	    "- id: b\n  type: condition\n  condition: |\n    {{ 0 }}\n\n"
	    "- id: c\n  type: condition\n  condition: |\n\n    {{ ctx.yes }}\n"
	    "- id: d\n  type: condition\n  condition: |\n    ctx.missing\n"
	    "- id: e\n  type: list.map\n  input: [1, 0, 2]\n  template: '{{ item }}'\n"
	    "  filter: |\n    {{ item > 1 }}\n",
	    "{\"yes\":true}");
	assert_true(cJSON_IsFalse(fixture__step(&fixture, "a.output.condition_result")));
	assert_true(cJSON_IsFalse(fixture__step(&fixture, "b.output.condition_result")));
	assert_true(cJSON_IsTrue(fixture__step(&fixture, "c.output.condition_result")));
	assert_true(cJSON_IsFalse(fixture__step(&fixture, "d.output.condition_result")));
	expect_number("e.output.output_count", 1);
}

static void failures_inside_go_up(void **state)
{
	(void)state;
	assert_int_equal(fixture__run(&fixture,
				      "- id: a\n  type: condition\n  condition: true\n  then:\n"
				      "  - id: b\n    type: condition\n    condition: true\n"
				      "    then:\n"
				      "    - {id: c, type: transform}\n"
				      "    - {id: d, type: transform, template: d}\n"
				      "- {id: e, type: transform, template: e}\n",
				      NULL),
			 -EINVAL);
	assert_string_equal(fixture.execution.failed_step->id, "c");
	assert_int_equal(fixture.execution.span.steps_count[STEPTRACE_FAILURE], 3);
	assert_int_equal(fixture.execution.span.steps_count[STEPTRACE_SUCCESS], 0);
	assert_null(fixture.execution.context.steps->child);
}

static void notify(void **state)
{
	char *response;

	(void)state;
	run("- {id: a, type: notify, with: {message: one, level: warning, panel_data: {k: 1}}}\n"
	    "- {id: b, type: notify, with: {message: '{{ ctx.m }}', response_data: [2]}}\n",
	    "{\"m\":\"two\"}");
	expect_text("a.output.level", "warning");
	expect_text("b.output.level", "info");
	response = cJSON_PrintUnformatted(fixture.execution.response);
	assert_string_equal(response, "{\"panel_data\":{\"k\":1},\"message\":\"two\","
				      "\"response_data\":[2],\"level\":\"info\"}");
	cJSON_free(response);
}

static void list_map(void **state)
{
	(void)state;
	run("- {id: a, type: list.map, input: '{{ ctx.l }}',\n"
	    "   template: '{{ index }}:{{ item.n }}'}\n"
	    "- {id: b, type: list.map, input: '{{ ctx.l }}', filter: '{{ item.ok }}', limit: 1}\n"
	    "- id: c\n  type: list.map\n"
	    "  with: {input: '[1, 2, 3]', template: {v: '{{ item }}', k: x}}\n"
	    "- {id: d, type: list.map, input: word, template: '<{{ item }}>'}\n"
	    "- {id: e, type: list.map, input: '{{ ctx.none }}'}\n"
	    "- {id: f, type: list.map, input: '{{ ctx.l }}', filter: item.ok}\n"
	    "- {id: g, type: list.map, input: [' a ', 'b'], transforms: [trim]}\n",
	    "{\"l\":[{\"n\":\"p\",\"ok\":false},{\"n\":\"q\",\"ok\":true},"
	    "{\"n\":\"r\",\"ok\":1}]}");
	expect_text("a.output.output.2", "2:r");
	expect_number("a.output.input_count", 3);
	expect_text("b.output.output.0.n", "q");
	expect_number("b.output.output_count", 1);
	expect_number("b.output.filtered_count", 1);
	expect_number("c.output.output.1.v", 2);
	expect_text("c.output.output.1.k", "x");
	expect_text("d.output.output.0", "<word>");
	expect_number("e.output.input_count", 0);
	expect_number("f.output.output_count", 2);
	expect_number("g.output.output_count", 2);
	expect_failure("- {id: x, type: list.map, input: [1], limit: few}", INVALID, "limit");
	expect_failure("- {id: x, type: list.map, input: [1], transforms: [1]}", INVALID,
		       "transforms");
	expect_failure("- {id: x, type: list.map, input: [1], template: '{{ item | '}", INVALID,
		       "template");
}

/* Filters of the pack were parsed with it; those that a template makes are parsed when they run. */
static void list_map_transforms(void **state)
{
	(void)state;
	run("- {id: a, type: list.map, input: [' ab ', 'cd'],"
	    " transforms: [trim, 'take: 1', upper]}\n"
	    "- {id: b, type: list.map, input: [abc], transforms: 'take: 2'}\n"
	    "- {id: c, type: list.map, input: [abc], transforms: [\"take: {{ ctx.n }}\", upper]}\n"
	    "- {id: d, type: list.map, input: [abc], transforms: '[\"upper\"]'}\n"
	    "- {id: e, type: list.map, input: [abc], transforms: '{{ ctx.filters }}'}\n"
	    "- {id: f, type: list.map, input: [abc], transforms: ''}\n"
	    "- {id: g, type: list.map, input: [''],"
	    " transforms: ['default: steps.a.output.output']}\n"
	    "- {id: h, type: list.map, input: [], transforms: [wrong]}\n"
	    "- {id: i, type: list.map, input: [], transforms: '{{ ctx.braces }}'}\n"
	    "- {id: j, type: list.map, input: [abc], transforms: null}\n",
	    "{\"n\":2,\"filters\":[\"upper\",\"take: 1\"],\"braces\":\"{{ 1 }}\"}");
	expect_text("a.output.output.0", "A");
	expect_text("a.output.output.1", "C");
	expect_text("b.output.output.0", "ab");
	expect_text("c.output.output.0", "AB");
	expect_text("d.output.output.0", "ABC");
	expect_text("e.output.output.0", "A");
	expect_text("f.output.output.0", "abc");
	expect_text("g.output.output.0.1", "C");
	expect_number("h.output.output_count", 0);
	expect_number("i.output.output_count", 0);
	expect_text("j.output.output.0", "abc");
	expect_failure("- {id: x, type: list.map, input: [1], transforms: [trim, wrong]}", INVALID,
		       "transforms: line 1, column 8: unknown filter 'wrong'");
	expect_failure("- {id: x, type: list.map, input: [1], transforms: [\"{{ 'wrong' }}\"]}",
		       INVALID, "transforms: line 1, column 8: unknown filter 'wrong'");
	/* What a template made is a filter, and no template again. */
	expect_failure("- {id: x, type: list.map, input: [1], transforms: [\"{{ '{' }}{ ctx }}\"]}",
		       INVALID, "transforms: line 1, column 8: expected a filter");
	expect_failure("- {id: x, type: list.map, input: [1], filter: item |}", INVALID,
		       "filter: line 1, column 7: a filter is missing");
	expect_failure("- {id: x, type: condition, condition: ctx.x ==}", INVALID,
		       "condition: line 1, column 9: a value is missing");
}

/* ------------------------------------------------------------------ fragments */

static void fragment_create(void **state)
{
	(void)state;
	run("- id: a\n  type: fragment.create\n"
	    "  with: {type: todo, title: T, content: C, tags: 'x, y', state: {s: 1},\n"
	    "         metadata: {}}\n"
	    "- {id: b, type: fragment.create, message: M, tags: [p], vault: home, source: null}\n"
	    "- {id: c, type: fragment.create, message: M, content: ignored, state: '{\"a\": 2}'}\n",
	    NULL);
	expect_number("a.output.fragment_id", 1);
	expect_text("a.output.type", "todo");
	expect_text("a.output.message", "C");
	expect_text("a.output.tags.1", "y");
	expect_text("a.output.created_at", "2025-03-01T08:30:00.000000Z");
	expect_text("b.output.type", "log");
	expect_text("b.output.vault", "home");
	expect_text("c.output.message", "M");
	expect_number("c.output.state.a", 2);
	assert_int_equal(count_rows("fragments"), 3);
	expect_failure("- {id: x, type: fragment.create, type_: x}", INVALID, "message or a title");
	expect_failure("- {id: x, type: fragment.create, message: M, state: [1]}", INVALID, "map");
	expect_failure("- {id: x, type: fragment.create, message: M, tags: 3}", INVALID, "list");
	expect_failure("- {id: x, type: fragment.create, message: M, project_id: 99}",
		       STEPTRACE_ERROR_DATABASE, "FOREIGN KEY");
}

static void fragment_update(void **state)
{
	(void)state;
	run("- {id: a, type: fragment.create, message: M, state: {keep: 1, s: old}}\n"
	    "- id: b\n  type: fragment.update\n  with:\n    id: '{{ steps.a.output.id }}'\n"
	    "    data: {title: T, state.s: new, state: {more: 2}, tags: [t]}\n"
	    "- id: c\n  type: fragment.update\n  with: {id: '1', data: {message: N}}\n",
	    NULL);
	assert_true(cJSON_IsTrue(fixture__step(&fixture, "b.output.success")));
	expect_number("b.output.fragment_id", 1);
	expect_text("b.output.updated_fields.1", "state.s");
	expect_number("b.output.fragment.state.keep", 1);
	expect_text("b.output.fragment.state.s", "new");
	expect_number("b.output.fragment.state.more", 2);
	expect_text("c.output.fragment.message", "N");
	expect_text("c.output.fragment.title", "T");
	expect_failure("- {id: x, type: fragment.update, with: {id: 1, data: {type: y}}}", INVALID,
		       "the field 'type' cannot be updated");
	expect_failure("- {id: x, type: fragment.update, with: {id: 1, data: {}}}", INVALID,
		       "'data' is missing or empty");
	expect_failure("- {id: x, type: fragment.update, with: {id: 1, data: 3}}", INVALID, "map");
	expect_failure("- {id: x, type: fragment.update, with: {id: 99, data: {title: y}}}",
		       STEPTRACE_ERROR_NOT_FOUND, "no fragment");
	expect_failure("- {id: x, type: fragment.update, with: {id: one, data: {title: y}}}",
		       INVALID, "not the id");
	expect_failure("- {id: x, type: fragment.update, with: {id: 1, data: {state: 3}}}", INVALID,
		       "map");
	expect_failure("- {id: x, type: fragment.update, data: {title: y}}", INVALID, "not the id");
}

static void fragment_query(void **state)
{
	static const char make[] =
		"- {id: a, type: fragment.create, title: Apple pie, tags: [food, sweet]}\n"
		"- {id: b, type: fragment.create, with: {type: todo, message: eat an apple,"
		" state: {status: open}}}\n"
		"- {id: c, type: fragment.create, with: {type: todo, title: pear, tags: [food]}}\n";

	(void)state;
	run(make, NULL);
	run("- {id: all, type: fragment.query}\n"
	    "- {id: todo, type: fragment.query, with: {type: todo, order: latest}}\n"
	    "- {id: open, type: fragment.query, with: {filters: {state.status: open}}}\n"
	    "- {id: ids, type: fragment.query, with: {filters: {id: [1, 3]}, order: id desc}}\n"
	    "- {id: apple, type: fragment.query, search: APPLE}\n"
	    "- {id: tags, type: fragment.query, tags: [food, sweet]}\n"
	    "- {id: some, type: fragment.query, limit: 1, offset: '1'}\n"
	    "- {id: none, type: fragment.query, with: {type: nothing}}\n",
	    NULL);
	expect_number("all.output.count", 3);
	expect_text("todo.output.results.0.title", "pear");
	expect_number("open.output.fragments.0.id", 2);
	expect_number("ids.output.results.0.id", 3);
	expect_number("apple.output.count", 2);
	expect_number("tags.output.count", 1);
	expect_number("some.output.results.0.id", 2);
	expect_number("none.output.count", 0);
	expect_number("all.output.results.0.id", 3);
	run("- {id: first, type: fragment.query, order: {id: asc}}\n"
	    "- {id: two, type: fragment.query, order: {type: asc, id: desc}}\n"
	    "- {id: made, type: fragment.query, order: created}\n"
	    "- {id: changed, type: fragment.query, order: 'updated asc'}\n"
	    "- {id: part, type: fragment.query, tags: [foo]}\n"
	    "- {id: large, type: fragment.query, tags: Food}\n"
	    "- {id: odd, type: fragment.query, tags: ['food\"', '%']}\n",
	    NULL);
	expect_number("first.output.results.0.id", 1);
	expect_number("two.output.results.0.id", 1);
	expect_number("two.output.results.1.id", 3);
	expect_number("made.output.count", 3);
	expect_number("changed.output.count", 3);
	expect_number("part.output.count", 0);
	expect_number("large.output.count", 0);
	expect_number("odd.output.count", 0);
	expect_failure("- {id: x, type: fragment.query, order: {id: sideways}}", INVALID, "asc");
	expect_failure("- {id: x, type: fragment.query, order: {}}", INVALID, "column");
	expect_failure("- {id: x, type: fragment.query, filters: {colour: 1}}", INVALID, "colour");
	expect_failure("- {id: x, type: fragment.query, filters: [1]}", INVALID, "map");
	expect_failure("- {id: x, type: fragment.query, order: colour}", INVALID, "colour");
	expect_failure("- {id: x, type: fragment.query, limit: -1}", INVALID, "limit");
}

/* ------------------------------------------------------------------ rows */

static void database_update(void **state)
{
	(void)state;
	run("- {id: a, type: fragment.create, message: one}\n"
	    "- {id: b, type: fragment.create, message: two}\n"
	    "- id: c\n  type: database.update\n"
	    "  with: {model: fragments, conditions: {type: log}, data: {title: first}}\n"
	    "- id: d\n  type: database.update\n"
	    "  with: {model: fragment, id: 2, data: {title: second, metadata: {k: v}}}\n",
	    NULL);
	expect_number("c.output.id", 1);
	expect_text("c.output.model", "fragments");
	expect_text("c.output.record.title", "first");
	expect_text("d.output.record.metadata.k", "v");
	expect_failure("- {id: x, type: database.update, with: {model: fragments, id: 9,"
		       " data: {title: y}}}",
		       STEPTRACE_ERROR_NOT_FOUND, "no row");
	expect_failure("- {id: x, type: database.update, model: tea, data: {a: b}}", INVALID,
		       "unknown model 'tea'");
	expect_failure("- {id: x, type: database.update, with: {model: fragments, id: 1,"
		       " data: {colour: y}}}",
		       INVALID, "no column 'colour'");
	expect_failure("- {id: x, type: database.update, model: fragments, data: {title: y}}",
		       INVALID, "'id' or 'conditions'");
	expect_failure("- {id: x, type: database.update, model: fragments, conditions: {},"
		       " data: {title: y}}",
		       INVALID, "all rows");
	expect_failure("- {id: x, type: database.update, with: {model: fragments, id: null,"
		       " data: {title: y}}}",
		       INVALID, "not the id");
	expect_failure("- {id: x, type: database.update, with: {model: fragments, id: 1,"
		       " data: {id: 7}}}",
		       INVALID, "'id' cannot be set");
	expect_failure("- {id: x, type: database.update, with: {model: fragments, id: 1,"
		       " data: {title: y, deleted_at: null}}}",
		       INVALID, "'deleted_at' cannot be set");
	expect_failure("- {id: x, type: database.update, with: {model: fragments, id: 1,"
		       " data: {project_id: 77}}}",
		       STEPTRACE_ERROR_DATABASE, "FOREIGN KEY");
}

static void model_delete(void **state)
{
	(void)state;
	run("- {id: a, type: fragment.create, message: one}\n"
	    "- {id: b, type: fragment.create, message: two}\n"
	    "- {id: c, type: fragment.create, message: three}\n"
	    "- {id: d, type: model.delete, with: {model: fragment, id: 1}}\n"
	    "- id: e\n  type: model.delete\n  with:\n    model: fragments\n    soft: false\n"
	    "    conditions: [{field: message, operator: like, value: 'tw%'}]\n",
	    NULL);
	expect_number("d.output.deleted_count", 1);
	expect_text("d.output.deleted_records.0.message", "one");
	expect_number("e.output.deleted_count", 1);
	assert_int_equal(count_rows("fragments"), 1);
	expect_failure("- {id: x, type: model.delete, with: {model: fragment, id: 1}}",
		       STEPTRACE_ERROR_NOT_FOUND, "no row");
	expect_failure("- {id: x, type: model.delete, model: fragment}", INVALID, "is needed");
	expect_failure("- {id: x, type: model.delete, model: fragment, conditions: []}", INVALID,
		       "all rows");
	expect_failure("- {id: x, type: model.delete, model: tea, conditions: {a: b}}", INVALID,
		       "unknown model");
	expect_failure("- {id: x, type: model.delete, model: fragment,"
		       " conditions: [{field: id, operator: '~', value: 1}]}",
		       INVALID, "unknown operator");
	expect_failure("- {id: x, type: model.delete, model: fragment,"
		       " conditions: [{field: tea, value: 1}]}",
		       INVALID, "no column");
}

static void both_spellings_of_soft(void **state)
{
	static const char *const hard[] = {"soft: false", "soft_delete: false",
					   "soft_delete: 'false'"};
	char steps[256];

	(void)state;
	for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
		snprintf(steps, sizeof(steps),
			 "- {id: a, type: fragment.create, message: one}\n"
			 "- {id: b, type: model.delete, model: fragment,"
			 " with: {id: '{{ steps.a.output.id }}', %s}}",
			 hard[i]);
		run(steps, NULL);
		assert_int_equal(count_with_deleted("fragments"), 0);
	}
	run("- {id: a, type: fragment.create, message: one}\n"
	    "- {id: b, type: model.delete, model: fragment,"
	    " with: {id: '{{ steps.a.output.id }}', soft_delete: true}}",
	    NULL);
	assert_int_equal(count_with_deleted("fragments"), 1);
}

/* Conditions whose value is missing, and those without values: nothing is written. */
static void conditions_that_match_too_much(void **state)
{
	static const char *const conditions[] = {
		"{type: '{{ ctx.missing }}'}",
		"[{field: type, operator: '!=', value: '{{ ctx.missing }}'}]",
		"[{field: id, operator: 'NOT IN', value: '{{ ctx.missing }}'}]",
		"[{field: id, operator: 'NOT IN', value: [1, '{{ ctx.missing }}']}]",
	};
	char step[256];

	(void)state;
	run("- {id: a, type: fragment.create, message: one}\n"
	    "- {id: b, type: fragment.create, message: two}\n"
	    "- {id: c, type: fragment.create, message: three}\n",
	    NULL);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		snprintf(step, sizeof(step),
			 "- {id: x, type: model.delete, model: fragment, conditions: %s}",
			 conditions[i]);
		expect_failure(step, STEPTRACE_ERROR_NOT_FOUND, "no row");
		snprintf(step, sizeof(step),
			 "- {id: x, type: database.update, model: fragment, conditions: %s,"
			 " data: {title: T}}",
			 conditions[i]);
		expect_failure(step, STEPTRACE_ERROR_NOT_FOUND, "no row");
	}
	expect_failure("- {id: x, type: model.delete, model: fragment,"
		       " conditions: [{field: id, operator: 'NOT IN', value: []}]}",
		       INVALID, "an empty list");
	expect_failure("- {id: x, type: model.delete, model: fragment, conditions: {id: []}}",
		       INVALID, "an empty list");
}

/* ------------------------------------------------------------------ the write lock */

static const char *const writing_steps[] = {
	"- {id: x, type: fragment.create, message: '%s'}",
	"- {id: x, type: fragment.update, with: {id: 1, data: {message: '%s'}}}",
	"- {id: x, type: fragment.update, with: {id: '%s', data: {message: y}}}",
	"- {id: x, type: database.update, with: {model: fragment, id: 1, data: {message: '%s'}}}",
	"- {id: x, type: database.update, with: {model: fragment, id: '%s', data: {message: y}}}",
	"- {id: x, type: model.delete, with: {model: fragment, id: '%s'}}",
	"- {id: x, type: model.delete, with: {model: fragment, id: 1, soft: '%s'}}",
};

/* While another runner writes: a step that writes waits for it only when its values are rendered,
 * which can take long; reads and dry runs do not wait at all. */
static void the_lock_is_taken_late(void **state)
{
	struct store *in_memory = fixture.store, *writer;
	char path[80], step[160];

	(void)state;
	snprintf(path, sizeof(path), "%s/notes.db", fixture.directory);
	assert_int_equal(store__open(path, &fixture.store, &fixture.err), 0);
	fixture.settings.store = fixture.store;
	run("- {id: a, type: fragment.create, message: one}", NULL);
	assert_int_equal(store__open(path, &writer, &fixture.err), 0);
	assert_int_equal(store__begin(writer, &fixture.err), 0);
	for (size_t i = 0; i < sizeof(writing_steps) / sizeof(writing_steps[0]); i++) {
		snprintf(step, sizeof(step), writing_steps[i], "{{ ctx.a | no_such_filter }}");
		expect_failure(step, INVALID, "no_such_filter");
	}
	run("- {id: a, type: fragment.query}", NULL);
	expect_number("a.output.count", 1);
	fixture.settings.dry_run = true;
	for (size_t i = 0; i < sizeof(writing_steps) / sizeof(writing_steps[0]); i++) {
		snprintf(step, sizeof(step), writing_steps[i], "1");
		run(step, NULL);
	}
	store__rollback(writer);
	store__close(writer);
	store__close(fixture.store);
	fixture.store = fixture.settings.store = in_memory;
}

/* ------------------------------------------------------------------ dry runs */

static void dry_runs_write_nothing(void **state)
{
	(void)state;
	fixture.settings.dry_run = true;
	run("- {id: a, type: fragment.create, message: one, tags: [t]}\n"
	    "- {id: b, type: fragment.update, with: {id: '{{ steps.a.output.id }}',"
	    " data: {title: T, state.s: new}}}\n"
	    "- {id: c, type: database.update, with: {model: fragments,"
	    " id: '{{ steps.a.output.id }}', data: {title: U}}}\n"
	    "- {id: d, type: model.delete, with: {model: fragments, conditions: {type: log}}}\n"
	    "- {id: e, type: fragment.query}\n",
	    NULL);
	assert_true(cJSON_IsNull(fixture__step(&fixture, "a.output.fragment_id")));
	expect_text("a.output.message", "one");
	expect_text("b.output.fragment.state.s", "new");
	expect_text("c.output.record.title", "U");
	expect_number("d.output.deleted_count", 0);
	expect_number("e.output.count", 0);
	expect_failure("- {id: x, type: database.update, with: {model: fragments, id: 1,"
		       " data: {colour: y}}}",
		       INVALID, "no column 'colour'");
	fixture.settings.dry_run = false;
	run("- {id: a, type: fragment.create, message: one}", NULL);
	fixture.settings.dry_run = true;
	run("- {id: a, type: fragment.update, with: {id: 1, data: {title: T}}}\n"
	    "- {id: b, type: model.delete, with: {model: fragments, id: 1}}\n",
	    NULL);
	expect_text("a.output.fragment.message", "one");
	expect_text("a.output.fragment.title", "T");
	expect_number("b.output.deleted_count", 1);
	assert_int_equal(count_rows("fragments"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table_is_valid),
		cmocka_unit_test_setup_teardown(steps_without_keys_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(transform, set_up, tear_down),
		cmocka_unit_test_setup_teardown(condition, set_up, tear_down),
		cmocka_unit_test_setup_teardown(transforms_in_literal_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(conditions_in_literal_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(both_spellings_of_soft, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_lock_is_taken_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(conditions_that_match_too_much, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failures_inside_go_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(notify, set_up, tear_down),
		cmocka_unit_test_setup_teardown(list_map, set_up, tear_down),
		cmocka_unit_test_setup_teardown(list_map_transforms, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fragment_create, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fragment_update, set_up, tear_down),
		cmocka_unit_test_setup_teardown(fragment_query, set_up, tear_down),
		cmocka_unit_test_setup_teardown(database_update, set_up, tear_down),
		cmocka_unit_test_setup_teardown(model_delete, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dry_runs_write_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
