// SPDX-License-Identifier: BSD-2-Clause
/* The tree of a profile, and where its boxes are in the picture: sums, order, bounds. */
#include "flame_fixture.h"

#include "steptrace/flame/svg_layout.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct made {
	struct flame_rows rows;
	struct flame_tree tree;
};

static void make(struct made *made, const struct folded_stack *stacks, size_t count)
{
	struct folded folded = {.stacks = stacks, .stacks_count = count};

	assert_int_equal(flame_rows__init(&made->rows, &folded), 0);
	assert_int_equal(flame_tree__init(&made->tree, &made->rows), 0);
}

static void unmake(struct made *made)
{
	flame_tree__free(&made->tree);
	flame_rows__free(&made->rows);
}

/* "triage{Update{main sqlite3_step}}" */
static void put_node(const struct made *made, uint32_t number, char *text)
{
	const struct flame_node *node = &made->tree.nodes[number];

	if (node->name != TREE_NONE)
		strcat(text, made->rows.names.list[node->name].text);
	if (node->child == TREE_NONE)
		return;
	strcat(text, "{");
	for (uint32_t child = node->child; child != TREE_NONE;
	     child = made->tree.nodes[child].sibling) {
		if (child != node->child)
			strcat(text, " ");
		put_node(made, child, text);
	}
	strcat(text, "}");
}

/* Functions of different states are apart. Steps come first, then the states in their order; within
 * a state the longest comes first. */
static void test_order(void **state)
{
	struct made made;
	char text[400] = "";

	(void)state;
	make(&made, few, COUNT(few));
	put_node(&made, 0, text);
	assert_string_equal(text, "{triage{Update{main{sqlite3_step} main{do_futex}} [no stack]} "
				  "add{[cut]{operator new(unsigned long)}}}");
	assert_int_equal(made.tree.nodes[0].time_ns, time_of(few, COUNT(few)));
	assert_int_equal(made.tree.depth, 4);
	unmake(&made);
}

/* A node has the time of its children and its own. */
static void test_tree_sums(void **state)
{
	struct random_profile profile;
	struct made made;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		uint64_t self_ns = 0;

		random_profile(&profile, seed);
		make(&made, profile.stacks, RANDOM_STACKS);
		for (size_t i = 0; i < made.tree.count; i++) {
			const struct flame_node *node = &made.tree.nodes[i], *child;
			uint64_t sum = node->self_ns;

			for (uint32_t at = node->child; at != TREE_NONE; at = child->sibling) {
				child = &made.tree.nodes[at];
				assert_true(at > i);
				sum += child->time_ns;
			}
			assert_int_equal(sum, node->time_ns);
			self_ns += node->self_ns;
		}
		assert_int_equal(self_ns, time_of(profile.stacks, RANDOM_STACKS));
		assert_int_equal(self_ns, made.tree.nodes[0].time_ns);
		unmake(&made);
	}
}

static double width_of_children(const struct svg_layout *layout, const struct flame_tree *tree,
				double *end)
{
	double width = 0;

	for (size_t i = 0; i < layout->count; i++) {
		if (tree->nodes[layout->boxes[i].node].depth != 1)
			continue;
		assert_true(layout->boxes[i].x >= *end - 1e-6);
		*end = layout->boxes[i].x + layout->boxes[i].width;
		width += layout->boxes[i].width;
	}
	return width;
}

/* The commands fill the width, and every node has a box or is counted. */
static void test_layout(void **state)
{
	struct random_profile profile;
	struct svg_layout layout;
	struct made made;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		uint64_t drawn = 0;
		double end = 0;

		random_profile(&profile, seed);
		make(&made, profile.stacks, RANDOM_STACKS);
		assert_int_equal(svg_layout__init(&layout, &made.tree, 1000), 0);
		assert_true(width_of_children(&layout, &made.tree, &end) - 1000 < 1e-6);
		assert_true(1000 - end < 1e-6);
		for (size_t i = 0; i < layout.count; i++) {
			assert_true(layout.boxes[i].width >= layout.least_width);
			drawn += layout.boxes[i].joined_count == 1;
		}
		assert_int_equal(drawn + layout.not_drawn_count, made.tree.count);
		svg_layout__free(&layout);
		unmake(&made);
	}
}

/* 3 + 997 functions: each of the 997 is too narrow, but together they are as wide as the others. */
static void test_joined(void **state)
{
	enum { STACKS = 1000, WIDE = 3 };
	static struct folded_frame frames[STACKS];
	static const struct folded_frame *pointers[STACKS];
	static struct folded_stack stacks[STACKS];
	static char names[STACKS][8];
	struct svg_layout layout;
	struct made made;

	(void)state;
	for (size_t i = 0; i < STACKS; i++) {
		snprintf(names[i], sizeof(names[i]), "f%zu", i);
		frames[i] = (struct folded_frame){names[i], "m", false};
		pointers[i] = &frames[i];
		stacks[i] = (struct folded_stack){"c", "",    STATE_PIPE, &pointers[i],
						  1,   false, 1,          i < WIDE ? 100000 : 100};
	}
	make(&made, stacks, STACKS);
	assert_int_equal(svg_layout__init(&layout, &made.tree, 1000), 0);
	assert_int_equal(layout.count, 2 + WIDE + 1);
	assert_int_equal(layout.boxes[2 + WIDE].joined_count, STACKS - WIDE);
	assert_int_equal(layout.boxes[2 + WIDE].joined_time_ns, 100 * (STACKS - WIDE));
	assert_int_equal(layout.not_drawn_count, STACKS - WIDE);
	svg_layout__free(&layout);
	/* More boxes than a picture may have. */
	assert_int_equal(svg_layout__init(&layout, &made.tree, 1e9), 0);
	assert_true(layout.count <= SVG_BOXES_MAX);
	svg_layout__free(&layout);
	unmake(&made);
}

static void test_empty(void **state)
{
	struct svg_layout layout;
	struct made made;

	(void)state;
	make(&made, NULL, 0);
	assert_int_equal(made.tree.count, 1);
	assert_int_equal(svg_layout__init(&layout, &made.tree, 1000), 0);
	assert_int_equal(layout.count, 1);
	svg_layout__free(&layout);
	unmake(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),  cmocka_unit_test(test_tree_sums),
		cmocka_unit_test(test_layout), cmocka_unit_test(test_joined),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
