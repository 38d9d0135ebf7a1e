// SPDX-License-Identifier: BSD-2-Clause
/* steptrace trace without files: which lines are selected, and the tree that they make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "recorded_lines.h"
#include "steptrace/tree/tree_output.h"

#define AT(ns) "\"timestamp\":\"2026-01-02T00:00:00.00000" ns "Z\""
#define COMMAND(id, correlation, ns)                                                               \
	"{\"event\":\"command.execution.completed\",\"execution_id\":\"" id                        \
	"\",\"correlation_id\":\"" correlation "\",\"command_slug\":\"go\"," AT(                   \
		ns) ",\"total_duration_ms\":0.0001,\"outcome\":\"success\"}"
#define STEP(id, execution, parent, depth, ns)                                                     \
	"{\"event\":\"dsl.step.executed\",\"execution_id\":\"" execution                           \
	"\",\"correlation_id\":\"c\",\"step_id\":\"" id "\",\"step_type\":\"T\"," AT(              \
		ns) ",\"duration_ms\":0.00001,\"outcome\":\"success\",\"step\":{\"name\":\"" id    \
		    "\",\"index\":0,\"depth\":" depth ",\"parent_step_id\":" parent "}}"

static void fill(struct selection *selection, const char *const *lines, size_t count)
{
	struct recorded_line reader = {.room = NULL};

	for (size_t i = 0; i < count; i++) {
		struct recorded_event event = event_of(&reader, lines[i]);

		assert_int_equal(selection__add(selection, &event), 0);
	}
	recorded_line__free(&reader);
}

static struct selection *selection_of(const char *wanted, const char *const *lines, size_t count)
{
	struct selection *selection = malloc(sizeof(*selection));

	assert_non_null(selection);
	selection__init(selection, wanted);
	fill(selection, lines, count);
	return selection;
}

static void done(struct selection *selection)
{
	selection__free(selection);
	free(selection);
}

static const char *const two_ids[] = {COMMAND("e12", "c", "0200"), COMMAND("e1", "c", "0300"),
				      COMMAND("f1", "d", "0400")};

static void test_ids(void **state)
{
	static const struct {
		const char *wanted, *id, *words;
	} cases[] = {
		{"e12", "e12", NULL},
		{"e1", "e1", NULL},
		{"f", "f1", NULL},
		{"c", "c", NULL},
		{"e", NULL, "'e' is the beginning of several ids: e12, e1 (give more of it)"},
		{"x", NULL, "no execution or correlation id of the recording begins with 'x'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct selection *selection = selection_of(cases[i].wanted, two_ids, 3);
		struct error err = {""};
		const char *id = selection__id(selection, &err);

		if (cases[i].id)
			assert_string_equal(id, cases[i].id);
		else
			assert_null(id);
		assert_string_equal(err.text, cases[i].words ? cases[i].words : "");
		done(selection);
	}
}

static void test_a_limit(void **state)
{
	struct selection *selection = selection_of("c", two_ids, 0);

	(void)state;
	selection->bytes_max = strlen(two_ids[0]);
	fill(selection, two_ids, 3);
	assert_int_equal(selection->count, 1);
	assert_int_equal(selection->left_out, 1);
	done(selection);
}

/* Children come first, and their order is not that of the tree. */
static void test_order(void **state)
{
	static const char *const lines[] = {
		STEP("b", "e1", "\"a\"", "1", "0150"),
		STEP("a", "e1", "null", "0", "0160"),
		STEP("z", "e1", "\"z\"", "0", "0170"),
		STEP("y", "e1", "\"gone\"", "3", "0180"),
		COMMAND("e1", "c", "0200"),
	};
	static const char *const expected[] = {"e1", "b", "a", "z", "y"};
	struct selection *selection = selection_of("e1", lines, 5);
	struct tree tree;
	size_t count = 0, names = 0;

	(void)state;
	assert_int_equal(tree__make(&tree, selection, "e1"), 0);
	for (size_t i = tree.first_root; i != TREE_NONE; i = tree__next(&tree, i), count++)
		for (size_t j = 0; j < 5; j++)
			names += recorded_text__is(tree.nodes[i].id, expected[j]);
	assert_int_equal(count, 5);
	assert_int_equal(names, 5);
	assert_int_equal(tree.nodes[tree.first_root].kind, TREE_EXECUTION);
	assert_int_equal(tree.end_ns - tree.begin_ns, 100);
	tree__free(&tree);
	done(selection);
}

/* The narrowest terminal, and names that are too long for it. */
static void test_widths(void **state)
{
	static const char *const lines[] = {
		STEP("a-step-with-a-name-that-is-longer-than-the-line-of-the-terminal", "e1",
		     "null", "0", "0160"),
		COMMAND("e1", "c", "0200"),
	};
	struct selection *selection = selection_of("e1", lines, 2);
	const struct tree_ancestors ancestors = {.count = 0};
	const struct family family = {.links = NULL};
	const struct tree_context context = {
		.id = "e1", .selection = selection, .family = &family, .ancestors = &ancestors};
	struct tree tree;

	(void)state;
	assert_int_equal(tree__make(&tree, selection, "e1"), 0);
	for (unsigned int columns = 60; columns < 200; columns += 7) {
		struct tree_style style = {.columns = columns};
		struct written written;

		written__open(&written);
		assert_int_equal(tree_text__write(written.file, &tree, &context, &style), 0);
		fflush(written.file);
		for (char *line = strstr(written.text, "\n\n") + 2; *line;
		     line = strchr(line, '\n') + 1)
			if (strspn(line, " ") != strcspn(line, "!")) /* not a note */
				assert_int_equal(strcspn(line, "\n"), columns);
		written__close(&written);
	}
	tree__free(&tree);
	done(selection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_a_limit),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
