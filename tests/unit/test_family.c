// SPDX-License-Identifier: BSD-2-Clause
/* Ancestors and descendants of executions, from lines made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "recorded_lines.h"
#include "steptrace/tree/family.h"

static void note(struct family *family, const char *child, const char *parent)
{
	const struct recorded_event event = {
		.execution_id = {child, strlen(child)},
		.parent_execution_id = {parent, parent ? strlen(parent) : 0},
	};

	assert_int_equal(family__note(family, &event), 0);
}

static enum family_role role_of(const struct family *family, const char *id)
{
	return family__role(family, (struct recorded_text){id, strlen(id)});
}

static struct family *new_family(void)
{
	struct family *family = malloc(sizeof(*family));

	assert_non_null(family);
	family__init(family);
	return family;
}

static void resolve(struct family *family, const char *selected)
{
	family__add(family, (struct recorded_text){selected, strlen(selected)});
	family__resolve(family);
}

static void done(struct family *family)
{
	family__free(family);
	free(family);
}

/* Links come in any order, and twice. */
static void test_both_directions(void **state)
{
	struct family *family = new_family();

	(void)state;
	note(family, "d", "c");
	note(family, "b", "a");
	note(family, "c", "b");
	note(family, "d", "c");
	note(family, "x", "a");
	note(family, "y", NULL);
	note(family, "e", "c");
	note(family, "f", "e");
	resolve(family, "c");
	assert_int_equal(role_of(family, "a"), FAMILY_ANCESTOR);
	assert_int_equal(role_of(family, "b"), FAMILY_ANCESTOR);
	assert_int_equal(role_of(family, "c"), FAMILY_SELECTED);
	assert_int_equal(role_of(family, "d"), FAMILY_DESCENDANT);
	assert_int_equal(role_of(family, "e"), FAMILY_DESCENDANT);
	assert_int_equal(role_of(family, "f"), FAMILY_DESCENDANT);
	assert_int_equal(role_of(family, "x"), FAMILY_NONE);
	assert_int_equal(role_of(family, "y"), FAMILY_NONE);
	assert_int_equal(role_of(family, ""), FAMILY_NONE);
	assert_int_equal(family->ancestors_count, 2);
	assert_int_equal(family->descendants_count, 3);
	assert_false(family->has_more);
	done(family);
}

/* Each execution has one role, and the search ends. */
static void test_a_circle(void **state)
{
	struct family *family = new_family();

	(void)state;
	note(family, "a", "b");
	note(family, "b", "c");
	note(family, "c", "a");
	note(family, "s", "s");
	resolve(family, "a");
	assert_int_equal(family->ancestors_count, 2);
	assert_int_equal(family->descendants_count, 0);
	assert_int_equal(role_of(family, "c"), FAMILY_ANCESTOR);
	done(family);
}

static void test_limits(void **state)
{
	struct family *family = new_family();
	char child[16], parent[16];

	(void)state;
	for (int i = 0; i < FAMILY_ANCESTORS_MAX + 10; i++) {
		snprintf(child, sizeof(child), "a%d", i);
		snprintf(parent, sizeof(parent), "a%d", i + 1);
		note(family, child, parent);
	}
	for (int i = 0; i < FAMILY_MEMBERS_MAX + 10; i++) {
		snprintf(child, sizeof(child), "c%d", i);
		note(family, child, "a0");
	}
	resolve(family, "a0");
	assert_int_equal(family->ancestors_count, FAMILY_ANCESTORS_MAX);
	assert_int_equal(family->members_count, FAMILY_MEMBERS_MAX);
	assert_int_equal(family->descendants_count, FAMILY_MEMBERS_MAX - FAMILY_ANCESTORS_MAX - 1);
	assert_true(family->has_more);
	done(family);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions),
		cmocka_unit_test(test_a_circle),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
