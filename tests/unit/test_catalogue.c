// SPDX-License-Identifier: BSD-2-Clause
/* Which pack a name means: slugs, slash triggers and aliases of packs in several folders. */
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
#include "runner/pack/catalogue.h"

static struct fixture fixture;
static struct catalogue catalogue;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	return chdir(fixture.directory);
}

static int tear_down(void **state)
{
	(void)state;
	catalogue__close(&catalogue);
	fixture__close(&fixture);
	return chdir("/");
}

/* `place` is a folder of packs and the slug; `triggers` is YAML, such as "{slash: /x}". */
static void write_pack(const char *place, const char *triggers)
{
	const char *slug = strrchr(place, '/') + 1;
	char path[128], yaml[512];

	snprintf(path, sizeof(path), "%s/command.yaml", place);
	snprintf(yaml, sizeof(yaml),
		 "name: N\nslug: %s\nversion: 1.0.0\ntriggers: %s\n"
		 "steps: [{id: a, type: notify}]\n",
		 slug, triggers);
	fixture__write(&fixture, path, yaml);
}

static void open_two_folders(void)
{
	static const char *const folders[] = {"first", "second"};
	struct error err = {{0}};

	if (catalogue__open(&catalogue, folders, 2, &err))
		fail_msg("%s", err.text);
}

/* `directory` NULL: there is no such command. */
static void expect(const char *name, const char *directory)
{
	const struct pack_entry *entry = catalogue__find(&catalogue, name);

	if (!directory && !entry)
		return;
	if (!entry || !directory || strcmp(entry->directory, directory))
		fail_msg("'%s' is %s instead of %s", name, entry ? entry->directory : "nothing",
			 directory ? directory : "nothing");
}

static void each_kind_of_name(void **state)
{
	(void)state;
	write_pack("first/todo", "{slash: /t, aliases: [/td, task, /x/y]}");
	write_pack("second/note", "{}");
	open_two_folders();
	expect("todo", "first/todo");
	expect("t", "first/todo");
	expect("td", "first/todo");
	expect("task", "first/todo");
	expect("x/y", "first/todo");
	expect("note", "second/note");
	expect("/t", NULL);
	expect("T", NULL);
	expect("tod", NULL);
	expect("todoo", NULL);
	expect("", NULL);
	expect("first/todo", NULL);
	expect("../first/todo", NULL);
}

/* Whatever the order of the folders is. */
static void a_slug_comes_before_triggers(void **state)
{
	(void)state;
	write_pack("first/a", "{slash: /todo, aliases: [/note, /n]}");
	write_pack("first/b", "{aliases: [/s]}");
	write_pack("second/todo", "{slash: /n}");
	write_pack("second/s", "{}");
	open_two_folders();
	expect("todo", "second/todo");
	expect("n", "second/todo");
	expect("note", "first/a");
	expect("s", "second/s");
}

static void among_equals_the_first_counts(void **state)
{
	(void)state;
	write_pack("first/b", "{slash: /x, aliases: [/y, /y]}");
	write_pack("first/c", "{slash: /x, aliases: [/y]}");
	write_pack("second/a", "{slash: /x, aliases: [/y]}");
	write_pack("second/b", "{slash: /only-here}");
	open_two_folders();
	expect("x", "first/b");
	expect("y", "first/b");
	expect("b", "first/b");
	expect("only-here", "second/b");
	expect("a", "second/a");
}

static void a_broken_pack_is_not_replaced_by_another(void **state)
{
	(void)state;
	fixture__write(&fixture, "first/todo/command.yaml", "name: [");
	write_pack("first/other", "{slash: /todo}");
	write_pack("second/todo", "{slash: /t}");
	open_two_folders();
	expect("todo", "first/todo");
	assert_null(pack_entry__runnable(catalogue__find(&catalogue, "todo")));
	expect("t", "second/todo");
}

static void note(void *data, const struct pack_entry *entry)
{
	char *all = data;

	strcat(all, entry->directory);
	strcat(all, pack_entry__runnable(entry) ? " " : "! ");
}

static void each_command_is_listed_once(void **state)
{
	char all[256] = "";

	(void)state;
	write_pack("first/b", "{slash: /c}");
	write_pack("first/a", "{}");
	write_pack("second/b", "{}");
	write_pack("second/c", "{}");
	fixture__write(&fixture, "second/d/command.yaml", "name: [");
	open_two_folders();
	catalogue__each(&catalogue, note, all);
	assert_string_equal(all, "first/a first/b second/c second/d! ");
}

static void triggers_that_are_no_names(void **state)
{
	(void)state;
	write_pack("first/a", "{slash: /, aliases: ['', '//', 'two words']}");
	write_pack("second/b", "{slash: ''}");
	open_two_folders();
	expect("", NULL);
	expect("/", "first/a");
	expect("two words", "first/a");
}

static void many_packs(void **state)
{
	char place[64], triggers[128];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(place, sizeof(place), "%s/p%d", i % 2 ? "first" : "second", i);
		snprintf(triggers, sizeof(triggers), "{slash: /s%d, aliases: [/a%d, /b%d]}", i, i,
			 i);
		write_pack(place, triggers);
	}
	open_two_folders();
	for (int i = 0; i < 100; i++) {
		snprintf(place, sizeof(place), "%s/p%d", i % 2 ? "first" : "second", i);
		for (const char *kind = "psab"; *kind; kind++) {
			snprintf(triggers, sizeof(triggers), "%c%d", *kind, i);
			expect(triggers, place);
		}
	}
}

static void folders_that_are_not_there(void **state)
{
	static const char *const folders[] = {"first", "nowhere"};
	struct error err = {{0}};

	(void)state;
	write_pack("first/a", "{}");
	assert_int_equal(catalogue__open(&catalogue, folders, 2, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'nowhere'"));
	catalogue__close(&catalogue);
	assert_int_equal(catalogue__open(&catalogue, NULL, 0, &err), 0);
	expect("a", NULL);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(each_kind_of_name),
		TEST(a_slug_comes_before_triggers),
		TEST(among_equals_the_first_counts),
		TEST(a_broken_pack_is_not_replaced_by_another),
		TEST(each_command_is_listed_once),
		TEST(triggers_that_are_no_names),
		TEST(many_packs),
		TEST(folders_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
