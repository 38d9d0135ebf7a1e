// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/tree.h"

#include <errno.h>
#include <stdlib.h>

/* While rows are added: the nodes of the last row, and each node's last child. */
struct growth {
	struct flame_tree *tree;
	uint32_t *path; /* by depth */
	uint32_t *last_child;
};

static uint32_t append(struct growth *growth, uint32_t parent, uint32_t name,
		       enum stack_state state)
{
	struct flame_tree *tree = growth->tree;
	uint32_t number = (uint32_t)tree->count++;
	struct flame_node *node = &tree->nodes[number];

	*node = (struct flame_node){.name = name,
				    .child = TREE_NONE,
				    .sibling = TREE_NONE,
				    .depth = tree->nodes[parent].depth + 1,
				    .state = state};
	if (tree->nodes[parent].child == TREE_NONE)
		tree->nodes[parent].child = number;
	else
		tree->nodes[growth->last_child[parent]].sibling = number;
	growth->last_child[parent] = number;
	if (node->depth > tree->depth)
		tree->depth = node->depth;
	return number;
}

static void add_row(struct growth *growth, const struct flame_row *row, size_t shared)
{
	struct flame_node *nodes = growth->tree->nodes;

	for (size_t i = shared; i < row->path_count; i++)
		growth->path[i + 1] =
			append(growth, growth->path[i], row->path[i],
			       i < row->labels_count ? STACK_STATES_COUNT : row->state);
	for (size_t i = 0; i <= row->path_count; i++)
		nodes[growth->path[i]].time_ns += row->time_ns;
	nodes[growth->path[row->path_count]].self_ns += row->time_ns;
	nodes[growth->path[row->path_count]].self_samples += row->samples_count;
}

static size_t shared_with_last(const struct flame_rows *rows, size_t i)
{
	return i ? flame_row__shared(&rows->list[i - 1], &rows->list[i]) : 0;
}

static size_t count_nodes(const struct flame_rows *rows, size_t *longest)
{
	size_t count = 1;

	*longest = 0;
	for (size_t i = 0; i < rows->count; i++) {
		count += rows->list[i].path_count - shared_with_last(rows, i);
		if (rows->list[i].path_count > *longest)
			*longest = rows->list[i].path_count;
	}
	return count;
}

static void add_rows(struct growth *growth, const struct flame_rows *rows)
{
	growth->tree->nodes[0] = (struct flame_node){.name = TREE_NONE,
						     .child = TREE_NONE,
						     .sibling = TREE_NONE,
						     .state = STACK_STATES_COUNT};
	growth->tree->count = 1;
	growth->path[0] = 0;
	for (size_t i = 0; i < rows->count; i++)
		add_row(growth, &rows->list[i], shared_with_last(rows, i));
}

struct sortable {
	const struct flame_node *node;
	uint32_t number;
};

/* Steps first: they have no state. They are drawn in front of what the command does outside of its
 * steps. */
static unsigned int order_of(enum stack_state state)
{
	return ((unsigned int)state + 1) % (STACK_STATES_COUNT + 1);
}

static int by_state_and_time(const void *a, const void *b)
{
	const struct sortable *left = a, *right = b;

	if (left->node->state != right->node->state)
		return order_of(left->node->state) < order_of(right->node->state) ? -1 : 1;
	if (left->node->time_ns != right->node->time_ns)
		return left->node->time_ns > right->node->time_ns ? -1 : 1;
	return left->number < right->number ? -1 : 1;
}

static void sort_children(struct flame_tree *tree, uint32_t parent, struct sortable *room)
{
	size_t count = 0;
	uint32_t next = TREE_NONE;

	for (uint32_t i = tree->nodes[parent].child; i != TREE_NONE; i = tree->nodes[i].sibling)
		room[count++] = (struct sortable){&tree->nodes[i], i};
	if (count < 2)
		return;
	qsort(room, count, sizeof(*room), by_state_and_time);
	while (count--) {
		tree->nodes[room[count].number].sibling = next;
		next = room[count].number;
	}
	tree->nodes[parent].child = next;
}

int flame_tree__init(struct flame_tree *tree, const struct flame_rows *rows)
{
	size_t longest, count = count_nodes(rows, &longest);
	struct growth growth = {
		.tree = tree,
		.path = calloc(longest + 1, sizeof(uint32_t)),
		.last_child = calloc(count, sizeof(uint32_t)),
	};
	struct sortable *room = calloc(count, sizeof(*room));

	*tree = (struct flame_tree){.nodes = calloc(count, sizeof(*tree->nodes))};
	if (growth.path && growth.last_child && room && tree->nodes && count < TREE_NONE) {
		add_rows(&growth, rows);
		for (size_t i = 0; i < tree->count; i++)
			sort_children(tree, (uint32_t)i, room);
	} else {
		flame_tree__free(tree);
	}
	free(growth.path);
	free(growth.last_child);
	free(room);
	return tree->nodes ? 0 : -ENOMEM;
}

void flame_tree__free(struct flame_tree *tree)
{
	free(tree->nodes);
	*tree = (struct flame_tree){0};
}
