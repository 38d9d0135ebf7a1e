// SPDX-License-Identifier: BSD-2-Clause
/* Steps on the rows of models, full text, validation and values. */
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
#include "runner/value/value.h"

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

static void expect(const char *path, const char *json)
{
	char *text = value__json(fixture__step(&fixture, path));

	if (strcmp(text, json) != 0)
		fail_msg("%s is %s, not %s", path, text, json);
	free(text);
}

static void expect_failure(const char *steps, enum steptrace_error category, const char *part)
{
	assert_int_not_equal(fixture__run(&fixture, steps, "{\"body\":\"b\"}"), 0);
	if (!fixture.has_run || fixture.execution.category != category ||
	    !strstr(fixture.err.text, part))
		fail_msg("%s: category %d, '%s' without '%s'", steps, fixture.execution.category,
			 fixture.err.text, part);
}

#define INVALID STEPTRACE_ERROR_VALIDATION

/* ---- models */

static void model_create(void **state)
{
	(void)state;
	run("- {id: a, type: model.create, with: {model: chat_session,"
	    " data: {title: null, is_active: true, metadata: {n: 1}}}}",
	    NULL);
	expect("a.output.id", "1");
	expect("a.output.short_code", "\"c1\""); /* a trigger of the database set it */
	expect("a.output.success", "true");
	expect("a.output.model", "\"chat_sessions\"");
	expect("a.output.record.metadata", "{\"n\":1}");
	expect("a.output.is_active", "true");
	expect_failure("- {id: x, type: model.create, with: {model: fragments, data: {id: 7}}}",
		       INVALID, "'id' cannot be set");
	expect_failure("- {id: x, type: model.create, with: {model: fragments,"
		       " data: {deleted_at: x}}}",
		       INVALID, "'deleted_at' cannot be set: use model.delete");
	expect_failure("- {id: x, type: model.create, with: {model: fragments, data: {}}}", INVALID,
		       "'data' is missing");
	expect_failure("- {id: x, type: model.create, with: {model: secrets, data: {a: 1}}}",
		       INVALID, "unknown model 'secrets'");
	expect_failure("- {id: x, type: model.create, with: {model: sprints, data: {code: 1}}}\n"
		       "- {id: y, type: model.create, with: {model: sprints, data: {code: 1}}}",
		       STEPTRACE_ERROR_DATABASE, "");
}

static const char three_sprints[] =
	"- {id: a, type: model.create, with: {model: sprints, data: {code: S1, title: one}}}\n"
	"- {id: b, type: model.create, with: {model: sprints, data: {code: S2, title: two,"
	" status: active, metadata: {n: 2}}}}\n"
	"- {id: c, type: model.create, with: {model: sprints, data: {code: S3, title: '100%'}}}\n";

static void add_sprints(void)
{
	run(three_sprints, NULL);
}

static void model_update(void **state)
{
	(void)state;
	add_sprints();
	run("- {id: u, type: model.update, with: {model: sprint, conditions: {status: planned},"
	    " data: {status: closed}}}",
	    NULL);
	expect("u.output.updated_count", "2");
	expect("u.output.records.1.code", "\"S3\"");
	expect("u.output.records.1.status", "\"closed\"");
	run("- {id: u, type: model.update, with: {model: sprint, id: 2, data: {title: new}}}",
	    NULL);
	expect("u.output.records.0.title", "\"new\"");
	expect_failure("- {id: u, type: model.update, with: {model: sprint, id: 9,"
		       " data: {title: x}}}",
		       STEPTRACE_ERROR_NOT_FOUND, "no row of model 'sprints' matches");
	expect_failure("- {id: u, type: model.update, with: {model: sprint, conditions: [],"
		       " data: {title: x}}}",
		       INVALID, "would match all rows");
	expect_failure("- {id: u, type: model.update, with: {model: sprint, id: 1,"
		       " data: {id: 7}}}",
		       INVALID, "'id' cannot be set");
}

/* The conditions are one group: with `or` they do not reach beyond the id. */
static void alternatives_do_not_leave_the_id(void **state)
{
	(void)state;
	add_sprints();
	run("- {id: u, type: model.update, with: {model: sprint, id: 1, conditions: ["
	    "{field: code, value: S1}, {field: code, value: S2, boolean: or}],"
	    " data: {title: x}}}",
	    NULL);
	expect("u.output.updated_count", "1");
	run("- {id: d, type: model.delete, with: {model: sprint, id: 1, conditions: ["
	    "{field: code, value: S9}, {field: code, value: S1, boolean: or}]}}",
	    NULL);
	expect("d.output.deleted_count", "1");
}

/* Text is no list, also where it looks like one. */
static void writes_need_real_lists(void **state)
{
	(void)state;
	add_sprints();
	expect_failure("- {id: d, type: model.delete, with: {model: sprint, conditions: ["
		       "{field: id, operator: NOT IN, value: '{{ ctx.body }}'}]}}",
		       INVALID, "needs a list");
	expect_failure("- {id: d, type: model.update, with: {model: sprint, data: {title: x},"
		       " conditions: [{field: id, operator: not in, value: ''}]}}",
		       INVALID, "needs a list");
	run("- {id: q, type: model.query, model: sprints}", NULL);
	expect("q.output.count", "3");
}

static void model_query(void **state)
{
	(void)state;
	add_sprints();
	run("- {id: all, type: model.query, model: sprints}\n"
	    "- {id: one, type: model.query, with: {model: sprints, conditions: {metadata.n: 2}}}\n"
	    "- {id: text, type: model.query, with: {model: sprints, conditions:"
	    " '\n [{\"field\": \"code\", \"operator\": \"IN\", \"value\": [\"S1\", \"S3\"]}] ',"
	    " order: code asc, limit: '1', offset: 1}}\n"
	    "- {id: or, type: model.query, with: {model: sprints, boolean: or,"
	    " filters: {code: S1, status: active}, order: {code: desc}}}\n"
	    "- {id: find, type: model.query, with: {model: sprints, search: '0%'}}\n"
	    "- {id: none, type: model.query, with: {model: sprints, conditions: {code: null}}}\n",
	    NULL);
	expect("all.output.count", "3");
	expect("one.output.results.0.code", "\"S2\"");
	expect("text.output.count", "1");
	expect("text.output.results.0.code", "\"S3\"");
	expect("or.output.count", "2");
	expect("or.output.results.0.code", "\"S2\"");
	expect("find.output.count", "1");
	expect("none.output.count", "0");
	expect_failure("- {id: x, type: model.query, with: {model: sprints, boolean: xor}}",
		       INVALID, "'boolean' must be");
	expect_failure("- {id: x, type: model.query, with: {model: sprints,"
		       " order: [{sql: CASE WHEN 1 THEN 1 END}]}}",
		       INVALID, "SQL text is refused");
	expect_failure("- {id: x, type: model.query, with: {model: sprints,"
		       " conditions: {'code; --': 1}}}",
		       INVALID, "no column");
	expect_failure("- {id: x, type: model.query, with: {model: sprints,"
		       " with_relations: [items.work_item.parent.parent.parent]}}",
		       STEPTRACE_ERROR_LIMIT, "more than 4 names");
	expect_failure("- {id: x, type: model.query, with: {model: sprints,"
		       " with_relations: [secrets]}}",
		       INVALID, "no relation 'secrets'");
}

static void relations(void **state)
{
	(void)state;
	run("- {id: g, type: model.create, with: {model: agent_profiles,"
	    " data: {slug: ana, name: Ana}}}\n"
	    "- {id: w, type: model.create, with: {model: work_items, data: {title: fix,"
	    " assignee_id: '{{ steps.g.output.id }}'}}}\n"
	    "- {id: v, type: model.create, with: {model: work_items, data: {title: free}}}\n"
	    "- {id: t, type: model.create, with: {model: task_assignments,"
	    " data: {work_item_id: 1, agent_id: 1}}}\n"
	    "- {id: q, type: model.query, with: {model: work_items, order: id,"
	    " with_relations: [assignments.agent, assignedAgent]}}\n",
	    NULL);
	expect("q.output.results.0.assignedAgent.name", "\"Ana\"");
	expect("q.output.results.0.assignments.0.agent.slug", "\"ana\"");
	expect("q.output.results.1.assignedAgent", "null");
	expect("q.output.results.1.assignments", "[]");
	run("- {id: f, type: fragment.create, message: m, with: {type: note}}\n"
	    "- {id: a, type: fragment.query, with_relations: [type]}\n"
	    "- {id: y, type: model.create, with: {model: types, data: {slug: note, name: N}}}\n"
	    "- {id: b, type: fragment.query, with_relations: type}\n",
	    NULL);
	expect("a.output.results.0.type", "\"note\"");
	expect("b.output.results.0.type.name", "\"N\"");
}

/* ---- full text */

static void search(const char *query, const char *count, const char *first)
{
	char steps[256];

	snprintf(steps, sizeof(steps), "- {id: s, type: search.query, with: {query: \"%s\"}}",
		 query);
	run(steps, NULL);
	expect("s.output.count", count);
	if (first)
		expect("s.output.results.0.title", first);
}

static void search_query(void **state)
{
	(void)state;
	run("- {id: a, type: fragment.create,"
	    " with: {title: Caf\xc3\xa9, message: roof roof roof}}\n"
	    "- {id: b, type: fragment.create, with: {title: second, message: the roof leaks and"
	    " much more is said here}}\n"
	    "- {id: c, type: fragment.create, with: {title: third, message: printer,"
	    " type: todo}}\n",
	    NULL);
	search("roof", "2", "\"Caf\xc3\xa9\""); /* the best match first */
	search("ROOF leak", "1", "\"second\"");
	search("cafe", "1", "\"Caf\xc3\xa9\"");
	search("printers", "0", NULL);
	search("", "0", NULL);
	search("!!! -- *", "0", NULL);
	search("roof OR printer", "0", NULL); /* OR is a word */
	search("title:roof", "0", NULL);
	search("NEAR(roof)", "0", NULL);
	search("'; DROP TABLE fragments; --", "0", NULL);
	run("- {id: s, type: search.query, with: {query: r p, types: [todo], limit: 5}}\n"
	    "- {id: t, type: search.query, with: {query: printer, types: [todo]}}\n"
	    "- {id: n, type: search.query, with: {query: printer, type: note}}\n",
	    NULL);
	expect("s.output.count", "0");
	expect("t.output.count", "1");
	expect("t.output.query", "\"printer\"");
	expect("n.output.count", "0");
	run("- {id: u, type: fragment.update, with: {id: 1, data: {message: floor}}}\n"
	    "- {id: d, type: model.delete, with: {model: fragments, id: 2}}\n"
	    "- {id: x, type: model.delete, with: {model: fragments, id: 3, soft: false}}\n",
	    NULL);
	search("roof", "0", NULL);
	search("floor", "1", NULL);
	run("- {id: u, type: fragment.update, with: {id: 1, data: {message: floor floor}}}", NULL);
	fixture.settings.dry_run = true; /* it must not write: the index stays behind */
	search("floor", "1", NULL);
	fixture.settings.dry_run = false;
	search("printer", "0", NULL);
}

/* ---- validation */

static void holds(const char *rules)
{
	char steps[256];

	snprintf(steps, sizeof(steps), "- {id: v, type: validate, with: {rules: %s}}", rules);
	run(steps, "{\"s\":\"abc\",\"n\":7,\"t\":\"7\",\"e\":\"\",\"l\":[1,2],\"z\":null}");
	expect("v.output", "{\"valid\":true,\"errors\":{}}");
}

static void breaks(const char *rules, const char *part)
{
	char steps[256];

	snprintf(steps, sizeof(steps), "- {id: v, type: validate, with: {rules: %s}}", rules);
	assert_int_not_equal(
		fixture__run(&fixture, steps,
			     "{\"s\":\"abc\",\"n\":7,\"t\":\"7\",\"e\":\"\",\"l\":[1,2],"
			     "\"z\":null}"),
		0);
	assert_int_equal(fixture.execution.category, INVALID);
	if (!strstr(fixture.err.text, part))
		fail_msg("%s: '%s' without '%s'", rules, fixture.err.text, part);
}

static void validate(void **state)
{
	(void)state;
	holds("{s: required|string|min:3|max:3|length:3, n: numeric|min:7|max:7, t: numeric}");
	holds("{e: min:3, z: string, missing: numeric}"); /* only `required` asks for a value */
	holds("{s: {in: [abc, d], not_starts_with: x}, l: [{length: 2}, max:2]}");
	holds("{s: 'in:abc,d', n: '{{ ctx.n > 6 }}'}");
	breaks("{e: required}", "'e' is missing");
	breaks("{z: required}", "'z' is missing");
	breaks("{missing: required}", "'missing' is missing");
	breaks("{n: string}", "'n' must be text");
	breaks("{s: numeric}", "'s' must be a number");
	breaks("{s: min:4}", "'s' must have a length of at least 4");
	breaks("{n: min:8}", "'n' must be at least 8");
	breaks("{n: max:6}", "'n' must be at most 6");
	breaks("{l: length:3}", "'l' must have the length 3");
	breaks("{s: 'in:a,b'}", "'s' is not one of the permitted values");
	breaks("{s: {not_starts_with: [x, ab]}}", "'s' begins with what is not permitted");
	breaks("{n: '{{ ctx.n > 7 }}'}", "'n' is not valid");
	breaks("{t: 'numeric|max:6'}", "'t' must be at most 6");
	breaks("{t: [numeric, {min: 8}]}", "'t' must be at least 8");
	breaks("{s: 'min:abc'}", "the value of the rule 'min' of 's' is no number");
	breaks("{l: 'min:3'}", "'l' must have a length of at least 3");
	breaks("{s: colour}", "unknown rule 'colour' for 's'");
	breaks("{s: min}", "the rule 'min' of 's' needs a value");
	expect_failure("- {id: v, type: validate, with: {rules: {a: required},"
		       " messages: {a: Give an a.}}}",
		       INVALID, "Give an a.");
	run("- {id: v, type: validate, with: {values: {a: '{{ ctx.b }}'}, rules: {a: required}}}",
	    "{\"b\":1}");
	expect("v.output.valid", "true");
}

/* ---- values */

static void utilities(void **state)
{
	(void)state;
	run("- {id: m, type: context.merge, with: {sources: ['{{ ctx }}', {a: {y: 2}, b: 3}, null],"
	    " data: {c: 4}}}\n"
	    "- {id: d, type: context.merge, with: {sources: ['{{ ctx }}', {a: {y: 2}}],"
	    " deep: true}}\n"
	    "- {id: f, type: string.format, with: {format: '{name} has {0} {} {', values:"
	    " {name: Ana, '0': 3}}}\n"
	    "- {id: g, type: string.format, with: {format: '{1}-{0}', values: [a, b]}}\n"
	    "- {id: t, type: data.transform, with: {input: '{{ ctx }}', omit: [b],"
	    " rename: {a: z}, defaults: {s: open, z: no}}}\n"
	    "- {id: u, type: data.transform, with: {input: [{a: 1, b: 2}, {b: 3}], pick: [a]}}\n",
	    "{\"a\":{\"x\":1},\"b\":2}");
	expect("m.output", "{\"a\":{\"y\":2},\"b\":3,\"c\":4}");
	expect("d.output", "{\"a\":{\"x\":1,\"y\":2},\"b\":2}");
	expect("f.output", "\"Ana has 3 {} {\"");
	expect("g.output", "\"b-a\"");
	expect("t.output", "{\"z\":{\"x\":1},\"s\":\"open\"}");
	expect("u.output", "[{\"a\":1},{}]");
	expect_failure("- {id: x, type: string.format, with: {format: '{gone}', values: {}}}",
		       INVALID, "no value for {gone}");
	expect_failure("- {id: x, type: context.merge, with: {sources: [7]}}", INVALID, "maps");
	expect_failure("- {id: x, type: data.transform, with: {input: text}}", INVALID, "map");
	expect_failure("- {id: x, type: data.transform, with: {input: {}, pick: a}}", INVALID,
		       "'pick' must be a list");
}

static void panels(void **state)
{
	(void)state;
	run("- {id: p, type: response.panel, with: {type: inbox, message: m,"
	    " panel_data: {n: '{{ 1 + 1 }}'}}}\n",
	    NULL);
	expect("p.output.panel_data", "{\"n\":2}");
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(fixture.execution.response, "type")),
		"inbox");
	expect_failure("- {id: p, type: response.panel, message: m}", INVALID, "'type' is missing");
}

/* ---- a dry run has the shape of a real one */

static const char every_shape[] =
	"- {id: fragment-create, type: fragment.create, with: {message: one, tags: [t]}}\n"
	"- {id: fragment-update, type: fragment.update, with: {id: 1, data: {title: T}}}\n"
	"- {id: fragment-query, type: fragment.query}\n"
	"- {id: search-query, type: search.query, query: one}\n"
	"- {id: model-create, type: model.create, with: {model: sprints,"
	" data: {code: '{{ uuid }}'}}}\n"
	"- {id: model-update, type: model.update, with: {model: sprints, id: 1,"
	" data: {title: T}}}\n"
	"- {id: model-query, type: model.query, model: sprints}\n"
	"- {id: database-update, type: database.update, with: {model: sprints, id: 1,"
	" data: {title: U}}}\n"
	"- {id: model-delete, type: model.delete, with: {model: sprints, id: 1}}\n"
	"- {id: list-map, type: list.map, with: {input: [1], template: '{{ item }}'}}\n"
	"- {id: validate, type: validate, rules: {}}\n"
	"- {id: condition, type: condition, condition: 'true', then: []}\n"
	"- {id: text-parse, type: text.parse, input: a}\n"
	"- {id: notify, type: notify, message: m}\n"
	"- {id: panel, type: response.panel, with: {type: t}}\n"
	"- {id: job, type: job.dispatch, with: {command: note, arguments: {a: 1}}}\n"
	"- {id: create, type: action, with: {action: create, name: new, command: note,"
	" recurrence: 'daily_at:08:30', payload: {a: 1}}}\n"
	"- {id: list, type: action, with: {action: list}}\n"
	"- {id: pause, type: action, with: {action: pause, id: active}}\n"
	"- {id: resume, type: action, with: {action: resume, id: paused}}\n"
	"- {id: detail, type: action, with: {action: detail, id: paused}}\n"
	"- {id: delete, type: action, with: {action: delete, id: active}}\n";

static void add_schedules(void)
{
	run("- {id: a, type: action, with: {action: create, name: active, command: note,"
	    " recurrence: 'daily_at:08:30', payload: {a: 1}}}\n"
	    "- {id: b, type: action, with: {action: create, name: paused, command: note,"
	    " recurrence: 'daily_at:08:30', payload: {a: 1}}}\n"
	    "- {id: p, type: action, with: {action: pause, id: paused}}\n",
	    NULL);
}

/* The paths of all members, also of inner objects and of the first item of lists. */
static void collect_keys(const cJSON *value, const char *path, cJSON *paths)
{
	const cJSON *each;

	if (cJSON_IsArray(value)) {
		collect_keys(value->child, path, paths);
		return;
	}
	if (!cJSON_IsObject(value))
		return;
	cJSON_ArrayForEach (each, value) {
		char longer[256];

		snprintf(longer, sizeof(longer), "%s.%s", path, each->string);
		cJSON_AddItemToArray(paths, cJSON_CreateString(longer));
		collect_keys(each, longer, paths);
	}
}

static int by_text(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static char *sorted(const cJSON *paths)
{
	const char *texts[512];
	size_t count = 0;
	const cJSON *each;
	struct strbuf out;

	cJSON_ArrayForEach (each, paths) {
		assert_true(count < 512);
		texts[count++] = each->valuestring;
	}
	qsort(texts, count, sizeof(texts[0]), by_text);
	strbuf__init(&out, SIZE_MAX);
	for (size_t i = 0; i < count; i++)
		strbuf__printf(&out, "%s\n", texts[i]);
	return strbuf__take(&out);
}

static char *keys_of_a_run(bool is_dry)
{
	cJSON *paths = cJSON_CreateArray();
	char *keys;

	fixture.settings.dry_run = is_dry;
	run(every_shape, NULL);
	collect_keys(fixture.execution.context.steps, "", paths);
	keys = sorted(paths);
	cJSON_Delete(paths);
	return keys;
}

static void dry_runs_have_the_same_keys(void **state)
{
	char *real, *dry;

	(void)state;
	run("- {id: a, type: fragment.create, message: one}\n"
	    "- {id: s, type: model.create, with: {model: sprints, data: {code: S1}}}\n",
	    NULL);
	add_schedules();
	dry = keys_of_a_run(true);
	real = keys_of_a_run(false);
	assert_string_equal(dry, real);
	free(real);
	free(dry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(model_create, set_up, tear_down),
		cmocka_unit_test_setup_teardown(model_update, set_up, tear_down),
		cmocka_unit_test_setup_teardown(alternatives_do_not_leave_the_id, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(writes_need_real_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(model_query, set_up, tear_down),
		cmocka_unit_test_setup_teardown(relations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(search_query, set_up, tear_down),
		cmocka_unit_test_setup_teardown(validate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(utilities, set_up, tear_down),
		cmocka_unit_test_setup_teardown(panels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dry_runs_have_the_same_keys, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
