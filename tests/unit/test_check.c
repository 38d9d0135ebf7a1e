// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/runner_fixture.h"
#include "runner/check/check.h"

#define HEAD  "name: T\nslug: t\nversion: 1.0.0\n"
#define STEPS HEAD "steps:\n" /* the first step is in line 5 */

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	return chdir(fixture.directory);
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return chdir("/");
}

/* ---- helpers */

#define MANIFEST "p/t/command.yaml"

/* One line for each problem: "p/x/command.yaml:1:2 rule: sentence". Most tests have one manifest,
 * whose name is left out. */
static void note(void *data, const struct pack_entry *entry, const struct pack_problem *problem)
{
	(void)entry;
	if (strcmp(problem->file, MANIFEST) != 0)
		fprintf(data, "%s:", problem->file);
	fprintf(data, "%u:%u %s: %s\n", problem->line, problem->column,
		pack_rule__name(problem->rule), problem->sentence);
}

/* The caller frees the text. */
static char *check(const char *const *directories)
{
	struct pack_list list = {0};
	char *all;
	size_t bytes, count;
	FILE *out = open_memstream(&all, &bytes);

	for (; *directories; directories++)
		assert_int_equal(pack_list__add(&list, *directories, NULL, NULL), 0);
	assert_int_equal(check__packs(&list, note, out, &count), 0);
	fclose(out);
	pack_list__free(&list);
	return all;
}

/* All problems of the pack p/t. */
static void expect(const char *yaml, const char *expected)
{
	char *found;

	fixture__write(&fixture, MANIFEST, yaml);
	found = check((const char *const[]){"p", NULL});
	assert_string_equal(found, expected);
	free(found);
}

/* ---- what nothing reads */

static void keys(void **state)
{
	(void)state;
	expect(HEAD "trigers: {}\ntriggers: {slahs: /x}\nrequires: {secret: []}\nreserved: true\n"
		    "timeout: 5\nsteps:\n- {id: a, type: notify, mesage: x}\n",
	       "4:1 unknown-key: a manifest does not know the key 'trigers'\n"
	       "5:12 unknown-key: 'triggers' does not know the key 'slahs'\n"
	       "6:12 unknown-key: 'requires' does not know the key 'secret'\n"
	       "10:25 unknown-key: step 'a': notify does not know the key 'mesage'\n");
	expect(STEPS "- id: a_b\n  type: notify\n  else:\n    - id: b\n",
	       "5:7 id-style: the step id 'a_b' is not kebab-case\n"
	       "7:3 unknown-key: step 'a_b': notify does not know the key 'else'\n");
	expect(STEPS "- {id: a, type: condition, condition: ctx.x, with: {then: "
		     "[{id: b, type: notify, message: '{{ 1 | ups }}'}]}}\n",
	       "5:99 unknown-filter: step 'b': unknown filter 'ups'\n");
	expect("name: T\nslug: s\nversion: 1.0.0\nsteps:\n- {id: a, type: notify}\n",
	       "2:7 slug-mismatch: the slug 's' is not the name of its folder, 't'\n");
}

/* ---- templates */

static void orders(void **state)
{
	(void)state;
	expect(STEPS "- {id: a, type: model.query, model: sprints, order: {sql: x}}\n"
		     "- id: b\n  type: condition\n  condition: ctx.x\n  then:\n"
		     "    - id: c\n      type: fragment.query\n      with:\n"
		     "        order: |\n          [{\"field\": \"id\"}, {\"sql\": \"RANDOM()\"}]\n",
	       "5:53 invalid-value: step 'a': an order is a column and a direction: SQL text is "
	       "refused\n"
	       "13:16 invalid-value: step 'c': an order is a column and a direction: SQL text is "
	       "refused\n");
	expect(STEPS "- {id: a, type: model.query, model: jobs, order: [{field: id}, id desc]}\n"
		     "- {id: b, type: model.query, model: jobs, order: '{{ ctx.sql }}'}\n"
		     "- {id: c, type: model.query, model: jobs, order: 'sql asc'}\n"
		     "- {id: d, type: model.query, model: jobs, order: '[{\"sql'}\n"
		     "- {id: e, type: model.query, model: jobs, order: null}\n"
		     "- {id: f, type: model.query, model: jobs, order: {sql: [1]}}\n",
	       "");
}

static void positions_in_texts(void **state)
{
	(void)state;
	expect(STEPS "- id: a\n  type: notify\n  message: |\n    \xc3\xa9t\xc3\xa9\n\n"
		     "    x {{ 1 | ups }}\n",
	       "10:14 unknown-filter: step 'a': unknown filter 'ups'\n");
	expect(STEPS "- id: a\n  type: notify\n  message: |2\n      {{ 1 | ups }}\n    x\n",
	       "8:14 unknown-filter: step 'a': unknown filter 'ups'\n");
	expect(STEPS "- id: a\n  type: notify\n  message: '\xc3\xa9 {{ 1 | ups }}'\n",
	       "7:22 unknown-filter: step 'a': unknown filter 'ups'\n");
	expect(STEPS "- id: a\n  type: notify\n  message: x {{ 1 | ups }}\n",
	       "7:21 unknown-filter: step 'a': unknown filter 'ups'\n");
	expect(STEPS "- id: a\n  type: notify\n  message: >\n    x\n    {{ 1 | ups }}\n",
	       "7:12 unknown-filter: step 'a': line 1, column 10: unknown filter 'ups'\n");
	expect(STEPS "- id: a\n  type: notify\n  message: \"\\t{{ 1 | ups }}\"\n",
	       "7:12 unknown-filter: step 'a': line 1, column 9: unknown filter 'ups'\n");
}

static void templates_at_any_depth(void **state)
{
	(void)state;
	expect(STEPS "- {id: a, type: notify, panel_data: {x: [{y: '{{ 1 | ups }}'}]}}\n",
	       "5:54 unknown-filter: step 'a': unknown filter 'ups'\n");
	expect(STEPS "- {id: a, type: notify, message: '{{ 1 | up }}{{ (2 | down: 1, 2) | wp }}'}\n"
		     "- {id: b, type: notify, message: '{{ ( }}'}\n"
		     "- {id: c, type: notify, message: '{{ 1 | take }}'}\n"
		     "- {id: d, type: notify, message: '{% for x in y %}'}\n",
	       "5:42 unknown-filter: step 'a': unknown filter 'up'\n"
	       "5:55 unknown-filter: step 'a': unknown filter 'down'\n"
	       "6:40 invalid-template: step 'b': a value is missing\n"
	       "7:42 invalid-template: step 'c': filter 'take' takes exactly 1 argument, "
	       "not 0\n"
	       "8:38 invalid-template: step 'd': 'for' has no closing 'endfor'\n");
}

static void bare_expressions(void **state)
{
	(void)state;
	expect(STEPS "- {id: a, type: condition, condition: ctx.x | ups, then: [{id: b, type: "
		     "notify}]}\n"
		     "- id: c\n  type: condition\n  condition: |\n    ctx.x ==\n"
		     "  then: [{id: d, type: notify}]\n",
	       "5:47 unknown-filter: step 'a': unknown filter 'ups'\n"
	       "10:5 invalid-template: step 'c': a value is missing\n");
	expect(STEPS "- id: a\n  type: list.map\n  input: []\n  filter: item | ups\n"
		     "  transforms: [trim, 'truncat: 4', \"take: {{ 1 | wups }}\", 'lower:']\n"
		     "- {id: b, type: list.map, input: [], transforms: trimm}\n",
	       "8:18 unknown-filter: step 'a': unknown filter 'ups'\n"
	       "9:23 unknown-filter: step 'a': unknown filter 'truncat'\n"
	       "9:50 unknown-filter: step 'a': unknown filter 'wups'\n"
	       "9:67 invalid-template: step 'a': a value is missing\n"
	       "10:50 unknown-filter: step 'b': unknown filter 'trimm'\n");
	expect(STEPS "- {id: a, type: list.map, input: [], filter: '', transforms: '[\"trim\"]'}\n",
	       "");
}

static void prompts(void **state)
{
	char *found;

	(void)state;
	fixture__write(&fixture, MANIFEST, STEPS "- {id: a, type: notify}\n");
	fixture__write(&fixture, "p/t/prompts/ask.md", "Hello\n {{ ctx.x | ups }} {{ steps.b }}\n");
	fixture__write(&fixture, "p/t/prompts/tell.md", "{{ steps.b }} {{ steps.a }}\n");
	found = check((const char *const[]){"p", NULL});
	assert_string_equal(found, "p/t/prompts/ask.md:2:13 unknown-filter: unknown filter 'ups'\n"
				   "p/t/prompts/tell.md:1:4 unknown-step: there is no step 'b'\n");
	free(found);
}

/* ---- references */

static void references(void **state)
{
	(void)state;
	expect(STEPS "- {id: a, type: notify, message: '{{ steps.b }} {{ steps.a.output }} {{ "
		     "steps.x.y | default: steps.z }}'}\n"
		     "- {id: b, type: list.map, input: [], transforms: ['default: steps.q']}\n"
		     "- {id: c, type: notify, message: '{{ steps.b.output }} {{ steps }}'}\n",
	       "5:38 unknown-step: step 'a': the result of step 'b' is not there yet: it has "
	       "not ended\n"
	       "5:52 unknown-step: step 'a': the result of step 'a' is not there yet: it has "
	       "not ended\n"
	       "5:73 unknown-step: step 'a': there is no step 'x'\n"
	       "5:94 unknown-step: step 'a': there is no step 'z'\n"
	       "6:61 unknown-step: step 'b': there is no step 'q'\n");
	expect(STEPS "- {id: a, type: notify, message: \"{% set steps = {} %}{{ steps.b }}\"}\n"
		     "- {id: c, type: condition, condition: ctx.x,"
		     " then: [{id: d, type: notify}, {id: e, type: notify, message: "
		     "'{{ steps.d.output }}'}], else: [{id: f, type: notify}]}\n"
		     "- {id: g, type: notify, message: '{{ steps.f }} {{ steps.d }} {{ steps.c }}'}"
		     "\n",
	       "");
}

/* ---- branches */

#define THEN " then: [{id: y, type: notify}]"
#define ELSE " else: [{id: n, type: notify}]"

static void constant_conditions(void **state)
{
	(void)state;
	expect(STEPS "- {id: a, type: condition, condition: true," THEN "," ELSE "}\n",
	       "5:76 unreachable-branch: 'else' of step 'a' never runs: the condition is always "
	       "true\n");
	expect(STEPS "- {id: a, type: condition, condition: 1 == 2, with: {" THEN "," ELSE "}}\n",
	       "5:55 unreachable-branch: 'then' of step 'a' never runs: the condition is always "
	       "false\n");
	expect(STEPS "- {id: a, type: condition, condition: '{{ false }}'," THEN "}\n",
	       "5:54 unreachable-branch: 'then' of step 'a' never runs: the condition is always "
	       "false\n");
	expect(STEPS "- {id: a, type: condition, condition: true," THEN "}\n", "");
	expect(STEPS "- {id: a, type: condition, condition: \"'2020-01-01' | timeago == 'x'\"," THEN
		     "," ELSE "}\n",
	       "");
	expect(STEPS "- {id: a, type: condition, condition: ctx.x," THEN "," ELSE "}\n", "");
}

static void empty_conditions(void **state)
{
	(void)state;
	expect(STEPS "- {id: a, type: condition, condition: ctx.x, then: []}\n",
	       "5:3 empty-condition: the condition 'a' has neither steps in 'then' nor in "
	       "'else'\n");
	expect(STEPS "- {id: a, type: condition, condition: ctx.x, then: 3}\n",
	       "5:52 invalid-value: 'then' must be a list of steps\n");
}

static void conditions_in_conditions(void **state)
{
	(void)state;
	expect(STEPS "- id: a\n  type: condition\n  condition: ctx.x\n  then:\n"
		     "  - {id: b, type: condition, condition: ' ctx.x '," THEN "," ELSE "}\n"
		     "  else:\n"
		     "  - {id: c, type: condition, condition: ctx.x," THEN "}\n",
	       "9:83 unreachable-branch: 'else' of step 'b' never runs: the condition is that of "
	       "step 'a', which is true here\n"
	       "11:48 unreachable-branch: 'then' of step 'c' never runs: the condition is that of "
	       "step 'a', which is false here\n");
	expect(STEPS "- id: a\n  type: condition\n  condition: not ctx.x\n  then:\n"
		     "  - {id: b, type: condition, condition: ctx.x," THEN "," ELSE "}\n",
	       "");
}

/* The step between the two conditions decides anew. */
static void conditions_that_change(void **state)
{
	(void)state;
	expect(STEPS "- id: f\n  type: notify\n"
		     "- id: a\n  type: condition\n  condition: ctx.x\n  then:\n"
		     "  - {id: q, type: notify}\n"
		     "  - {id: b, type: condition, condition: steps.q.output, then: [\n"
		     "     {id: c, type: condition, condition: steps.q.output," THEN "," ELSE
		     "}]}\n",
	       "13:89 unreachable-branch: 'else' of step 'c' never runs: the condition is that of "
	       "step 'b', which is true here\n");
	expect(STEPS "- id: a\n  type: condition\n  condition: not steps\n  then:\n"
		     "  - {id: b, type: condition, condition: not steps," THEN "," ELSE "}\n",
	       "");
}

/* ---- collisions */

static void write_pack(const char *path, const char *slug, const char *triggers)
{
	char name[128], yaml[512];

	snprintf(name, sizeof(name), "%s/command.yaml", path);
	snprintf(yaml, sizeof(yaml),
		 "name: T\nslug: %s\nversion: 1.0.0\ntriggers: {%s}\n"
		 "steps: [{id: a, type: notify}]\n",
		 slug, triggers);
	fixture__write(&fixture, name, yaml);
}

static void slugs(void **state)
{
	char *found;

	(void)state;
	write_pack("p/x", "x", "slash: /q");
	write_pack("r/x", "x", "slash: /q");
	write_pack("r/y", "y", "slash: /z");
	found = check((const char *const[]){"p", "r", "p", NULL});
	assert_string_equal(found, "r/x/command.yaml:2:7 duplicate-slug: the slug 'x' already "
				   "belongs to 'p/x', which comes first\n");
	free(found);
	/* A pack that is given by its path is not searched. */
	found = check((const char *const[]){"p", "r/y", NULL});
	assert_string_equal(found, "");
	free(found);
}

static void triggers(void **state)
{
	char *found;

	(void)state;
	write_pack("p/a", "a", "slash: /q, aliases: [w, /a]");
	write_pack("p/b", "b", "slash: q, aliases: [/b, /w, a]");
	write_pack("p/c", "c", "slash: /c, aliases: [/e, e, /c]");
	found = check((const char *const[]){"p", NULL});
	assert_string_equal(
		found,
		"p/b/command.yaml:4:19 duplicate-trigger: the trigger 'q' already belongs to 'a'\n"
		"p/b/command.yaml:4:36 duplicate-trigger: the trigger '/w' already belongs to 'a'\n"
		"p/b/command.yaml:4:40 duplicate-trigger: the trigger 'a' is the slug of another "
		"pack, which comes first\n"
		"p/c/command.yaml:4:37 duplicate-trigger: the trigger 'e' stands twice in this "
		"pack\n"
		"p/c/command.yaml:4:40 duplicate-trigger: the trigger '/c' stands twice in this "
		"pack\n");
	free(found);
}

/* ---- packs that cannot run */

static void several_problems_of_one_pack(void **state)
{
	(void)state;
	expect("slug: t\nversion: 1\ntriggers: {slash: 7, aliases: [/t, 3], input_mode: loud}\n"
	       "steps:\n- {id: a, type: dance, message: '{{ ( }}'}\n- {type: hop}\n- x\n"
	       "- {id: a, type: notify, mesage: 'x'}\n- {id: c, type: 7, with: 3}\n",
	       "1:1 missing-key: 'name' is missing\n"
	       "2:10 invalid-value: 'version' must be text like 1.0.0\n"
	       "3:19 invalid-value: 'slash' must be text\n"
	       "3:36 invalid-value: 'aliases' must be a list of texts\n"
	       "3:52 invalid-value: the input_mode must be inline, none or modal, not "
	       "'loud'\n"
	       "5:17 unknown-type: unknown step type 'dance' in step 'a'\n"
	       "5:39 invalid-template: step 'a': a value is missing\n"
	       "6:3 missing-key: a step needs an id of letters, digits, '_' and '-' (no '-' "
	       "at the start or end)\n"
	       "6:10 unknown-type: unknown step type 'hop' in step '?'\n"
	       "7:3 invalid-value: a step must be a mapping with id and type\n"
	       "8:8 duplicate-id: the step id 'a' is used twice\n"
	       "8:25 unknown-key: step 'a': notify does not know the key 'mesage'\n"
	       "9:17 invalid-value: the step 'c' has no type\n"
	       "9:26 invalid-value: 'with' of step 'c' must be a mapping\n");
}

static void files_that_cannot_be_read(void **state)
{
	char *found;

	(void)state;
	expect("name: [", "2:1 invalid-yaml: did not find expected node content, while "
			  "parsing a flow node\n");
	expect("[]", "1:1 invalid-value: a manifest must be a mapping with name, slug, version "
		     "and steps\n");
	expect(STEPS "- \xff", "5:3 unreadable-file: not valid UTF-8\n");
	fixture__write(&fixture, MANIFEST, STEPS "- {id: a, type: notify, x: 1}\n");
	assert_int_equal(mkdir("p/t/prompts", 0700), 0);
	assert_int_equal(symlink("/etc/passwd", "p/t/prompts/a.md"), 0);
	found = check((const char *const[]){"p", NULL});
	assert_string_equal(found,
			    "5:25 unknown-key: step 'a': notify does not know the key 'x'\n"
			    "p/t/prompts/a.md:0:0 unreadable-file: a symbolic link that leads out "
			    "of the pack\n");
	free(found);
}

/* The list ends once, however deep the step is. */
static void too_many_steps(void **state)
{
	char *yaml, *found;
	size_t bytes;
	FILE *out = open_memstream(&yaml, &bytes);

	(void)state;
	fputs(STEPS "- id: c\n  type: condition\n  condition: ctx.x\n  then:\n", out);
	for (int i = 0; i < PACK_STEPS_MAX; i++)
		fprintf(out, "  - {id: s%d, type: notify}\n", i);
	fputs("- {id: z, type: notify}\n", out);
	fclose(out);
	fixture__write(&fixture, MANIFEST, yaml);
	found = check((const char *const[]){"p", NULL});
	assert_string_equal(found, "1008:5 too-many-steps: more than 1000 steps\n");
	free(found);
	free(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(orders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(positions_in_texts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(templates_at_any_depth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bare_expressions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(prompts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(references, set_up, tear_down),
		cmocka_unit_test_setup_teardown(constant_conditions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(empty_conditions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(conditions_in_conditions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(conditions_that_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slugs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(triggers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(several_problems_of_one_pack, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_that_cannot_be_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_steps, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
