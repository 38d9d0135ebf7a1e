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
#include <unistd.h>

#include "../support/runner_fixture.h"
#include "runner/pack/pack_list.h"
#include "runner/pack/pack_prompts.h"
#include "runner/pack/step_type.h"
#include "skipping.h"

#define HEAD "name: T\nslug: t\nversion: 1.0.0\n"

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

static void expect_error(const char *yaml, const char *where, const char *part)
{
	struct pack *pack = NULL;
	struct error err = {0};
	char expected[128];

	fixture__write(&fixture, "t/command.yaml", yaml);
	snprintf(expected, sizeof(expected), "t/command.yaml%s: ", where);
	assert_int_not_equal(pack__load("t", "t", &pack, &err), 0);
	assert_null(pack);
	if (strncmp(err.text, expected, strlen(expected)) || !strstr(err.text, part))
		fail_msg("'%s' instead of '%s: ...%s'", err.text, where, part);
}

static void manifests_are_checked(void **state)
{
	(void)state;
	expect_error("", ":1:1", "mapping");
	expect_error("[]", ":1:1", "mapping");
	expect_error("slug: t\n", ":1:1", "'name' is missing");
	expect_error("name: T\n", ":1:1", "'slug' is missing");
	expect_error("name: T\nslug: Tea\n", ":2:7", "not a slug");
	expect_error("name: T\nslug: t\n", ":1:1", "'version' is missing");
	expect_error("name: T\nslug: t\nversion: 1.0\n", ":3:10", "must be text");
	expect_error("name: T\nslug: t\nversion: one\n", ":3:10", "not of the form");
	expect_error(HEAD, ":1:1", "'steps' must be");
	expect_error(HEAD "steps: []\n", ":4:8", "at least one");
	expect_error(HEAD "triggers: []\n", ":4:11", "mapping");
	expect_error(HEAD "triggers: {slash: 1}\n", ":4:19", "text");
	expect_error(HEAD "triggers: {input_mode: loud}\n", ":4:24",
		     "must be inline, none or modal");
	expect_error(HEAD "triggers: {aliases: [1]}\n", ":4:22", "texts");
	expect_error(HEAD "requires: [x]\n", ":4:11", "mapping");
	expect_error(HEAD "requires: {secrets: x}\n", ":4:21", "list");
}

static void steps_are_checked(void **state)
{
	(void)state;
	expect_error(HEAD "steps: [x]\n", ":4:9", "mapping with id");
	expect_error(HEAD "steps: [{type: notify}]\n", ":4:9", "needs an id");
	expect_error(HEAD "steps: [{id: a b, type: notify}]\n", ":4:14", "needs an id");
	expect_error(HEAD "steps: [{id: -a, type: notify}]\n", ":4:14", "needs an id");
	expect_error(HEAD "steps: [{id: a}]\n", ":4:9", "no type");
	expect_error(HEAD "steps: [{id: a, type: dance}]\n", ":4:23", "unknown step type 'dance'");
	expect_error(HEAD "steps: [{id: a, type: notify, with: 3}]\n", ":4:37", "mapping");
	expect_error(HEAD "steps: [{id: a, type: condition, then: 3}]\n", ":4:40", "list");
	expect_error(HEAD "steps: [{id: a, type: notify}, {id: a, type: notify}]\n", ":4:37",
		     "used twice");
}

static void branches_may_share_ids(void **state)
{
	struct pack *pack = NULL;
	struct error err = {0};

	(void)state;
	fixture__write(&fixture, "t/command.yaml",
		       HEAD "steps:\n"
			    "- id: c\n  type: condition\n  condition: true\n"
			    "  then: [{id: x, type: notify}]\n  else: [{id: x, type: notify}]\n");
	if (pack__load("t", "t", &pack, &err))
		fail_msg("%s", err.text);
	assert_int_equal(pack->step_count, 3);
	assert_int_equal(pack->steps.steps[0].then_steps.count, 1);
	pack__free(pack);
	expect_error(HEAD "steps:\n"
			  "- {id: c, type: condition, then: [{id: x, type: notify}],"
			  " else: [{id: x, type: notify}]}\n"
			  "- {id: x, type: notify}\n",
		     ":6:8", "used twice");
	expect_error(HEAD "steps:\n"
			  "- {id: c, type: condition, else: [{id: c, type: notify}]}\n",
		     ":5:40", "used twice");
}

static void too_many_steps(void **state)
{
	char *yaml;
	size_t bytes;
	FILE *out = open_memstream(&yaml, &bytes);

	(void)state;
	fputs(HEAD "steps:\n", out);
	for (int i = 0; i <= PACK_STEPS_MAX; i++)
		fprintf(out, "- {id: s%d, type: notify}\n", i);
	fclose(out);
	expect_error(yaml, ":1005:3", "more than 1000 steps");
	free(yaml);
}

static void both_places_for_keys(void **state)
{
	const struct param *params;
	struct pack *pack = NULL;

	(void)state;
	fixture__write(&fixture, "t/command.yaml",
		       HEAD "steps:\n- id: a\n  type: notify\n  message: outer\n  level: info\n"
			    "  with: {id: 7, message: inner}\n");
	assert_int_equal(pack__load("t", "t", &pack, NULL), 0);
	params = &pack->steps.steps[0].params;
	assert_string_equal(param__child(params, "message")->node->valuestring, "inner");
	assert_string_equal(param__child(params, "level")->node->valuestring, "info");
	assert_int_equal(param__child(params, "id")->node->valueint, 7);
	assert_null(param__child(params, "type"));
	pack__free(pack);
}

static void prompts_are_read(void **state)
{
	struct pack *pack = NULL;

	(void)state;
	fixture__write(&fixture, "t/command.yaml", HEAD "steps: [{id: a, type: notify}]\n");
	fixture__write(&fixture, "t/prompts/greet.md", "Hello {{ ctx.name }}");
	fixture__write(&fixture, "t/prompts/notes.txt", "not a prompt");
	assert_int_equal(pack__load("t", "t", &pack, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(pack->prompts.texts), 1);
	assert_non_null(pack_prompts__find(&pack->prompts, "greet"));
	assert_ptr_equal(pack_prompts__find(&pack->prompts, "prompts/greet.md"),
			 pack_prompts__find(&pack->prompts, "greet"));
	assert_null(pack_prompts__find(&pack->prompts, "notes"));
	assert_true(pack_prompts__find(&pack->prompts, "greet.md")->has_templates);
	pack__free(pack);
}

static void packs_are_found(void **state)
{
	const char *const directories[] = {"first", "second"};
	const struct pack_path path = {directories, 2};
	struct pack *pack = NULL;
	struct error err;

	(void)state;
	fixture__write(&fixture, "first/t/command.yaml", HEAD "steps: [{id: one, type: notify}]\n");
	fixture__write(&fixture, "second/t/command.yaml",
		       HEAD "steps: [{id: two, type: notify}]\n");
	fixture__write(&fixture, "second/u/command.yaml",
		       HEAD "steps: [{id: two, type: notify}]\n");
	fixture__write(&fixture, "second/v/command.yaml", "name: [");
	assert_int_equal(pack__find(&path, "t", &pack, &err), 0);
	assert_string_equal(pack->steps.steps[0].id, "one");
	pack__free(pack);
	assert_int_equal(pack__find(&path, "u", &pack, &err), 0);
	assert_string_equal(pack->slug, "u");
	pack__free(pack);
	assert_int_equal(pack__find(&path, "./second/u/", &pack, &err), 0);
	assert_string_equal(pack->slug, "t");
	pack__free(pack);
	assert_int_equal(pack__find(&path, "w", &pack, &err), -ENOENT);
	assert_non_null(strstr(err.text, "unknown command 'w'"));
	assert_int_equal(pack__find(&path, "../t", &pack, &err), -ENOENT);
	assert_int_equal(pack__find(&path, "..", &pack, &err), -ENOENT);
	assert_int_equal(pack__find(&path, "v", &pack, &err), -EINVAL);
	assert_non_null(strstr(err.text, "second/v/command.yaml:"));
}

/* A pack that cannot run is read to its end, for those who check it. */
static void all_problems_are_collected(void **state)
{
	static const char *const expected[] = {
		"t/command.yaml:1:1: 'name' is missing",
		"t/command.yaml:3:10: the version 'x' is not of the form 1.0.0",
		"t/command.yaml:4:10: 'timeout' must be a number of seconds, at most a day",
		"t/command.yaml:6:4: the step '?' has no type",
		"t/command.yaml:7:18: unknown step type 'dance' in step 'b'",
		"t/command.yaml:8:9: the step id 'b' is used twice",
		"t/command.yaml:9:18: unknown step type 'hop' in step 'c'",
		"t/prompts/bad.md:1:2: not valid UTF-8",
	};
	struct pack_problems problems = {.count = 0};
	struct pack *pack;
	struct error err;

	(void)state;
	fixture__write(&fixture, "t/command.yaml",
		       "slug: t\n# no name\nversion: x\ntimeout: -1\nsteps:\n - {id: a b}\n"
		       " - {id: b, type: dance}\n - {id: b, type: notify}\n"
		       " - {id: c, type: hop, then: [{id: d, type: notify}]}\n");
	fixture__write(&fixture, "t/prompts/bad.md", "x\xff");
	fixture__write(&fixture, "t/prompts/good.md", "x");
	assert_int_equal(pack__read("t", "t", &pack, &problems), 0);
	assert_int_equal(pack->steps.count, 4);
	assert_int_equal(pack->steps.steps[3].then_steps.count, 1);
	assert_non_null(pack_prompts__find(&pack->prompts, "good"));
	pack_problems__sort(&problems);
	for (size_t i = 0, at = 0; i < problems.count; i++) {
		pack_problem__tell(&problems.items[i], &err);
		if (strstr(err.text, "needs an id"))
			continue;
		assert_true(at < sizeof(expected) / sizeof(expected[0]));
		assert_string_equal(err.text, expected[at++]);
	}
	assert_int_equal(problems.count, 9);
	pack_problems__free(&problems);
	pack__free(pack);
}

static void a_folder_is_listed_once(void **state)
{
	struct pack_list list = {0};
	size_t found;

	(void)state;
	fixture__write(&fixture, "p/t/command.yaml", HEAD "steps: [{id: a, type: notify}]\n");
	assert_int_equal(pack_list__add(&list, "p", &found, NULL), 0);
	assert_int_equal(found, 1);
	assert_int_equal(pack_list__add(&list, "./p/t", &found, NULL), 0);
	assert_int_equal(found, 1);
	assert_int_equal(list.count, 1);
	pack_list__free(&list);
}

/* Adds every pack of the folders that are there; returns how many folders that is. */
static size_t add_wild_packs(struct pack_list *list, const char *wild)
{
	static const char *const folders[] = {"current", "older"};
	size_t found = 0;
	char path[512];

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", wild, folders[i]);
		if (access(path, R_OK) == 0) {
			assert_int_equal(pack_list__add(list, path, NULL, NULL), 0);
			found++;
		}
	}
	return found;
}

/* Every pack in the folders under STEPTRACE_WILD_PACKS: none may crash, and a refusal names a
 * place. A folder that holds no pack fails the test, because nothing was tested. */
static void packs_of_the_wild(void **state)
{
	const char *wild = getenv("STEPTRACE_WILD_PACKS");
	struct pack_list list = {0};
	size_t good = 0;

	(void)state;
	if (!wild)
		skip_because("STEPTRACE_WILD_PACKS names no folder");
	if (add_wild_packs(&list, wild) == 0)
		fail_msg("neither %s/current nor %s/older is there", wild, wild);
	if (list.count == 0)
		fail_msg("no pack under %s", wild);
	for (size_t i = 0; i < list.count; i++) {
		const struct pack_entry *entry = &list.entries[i];

		struct error err = {.text = "fine"};

		if (entry->problems.count)
			pack_problem__tell(&entry->problems.items[0], &err);
		good += !entry->problems.count;
		print_message("%-18s %s\n", entry->folder, err.text);
		assert_true(!entry->problems.count || strstr(err.text, "command.yaml:"));
	}
	print_message("%zu of %zu packs load\n", good, list.count);
	assert_true(good > 0);
	pack_list__free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(manifests_are_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(steps_are_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(branches_may_share_ids, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(both_places_for_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(prompts_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(packs_are_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_problems_are_collected, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_is_listed_once, set_up, tear_down),
		cmocka_unit_test(packs_of_the_wild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
