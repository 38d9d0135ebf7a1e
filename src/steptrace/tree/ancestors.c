// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/tree/ancestors.h"

static const struct tree_node *find(const struct tree *tree, struct recorded_text id)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].kind == TREE_EXECUTION && tree->nodes[i].id.text &&
		    recorded_text__equals(tree->nodes[i].id, id))
			return &tree->nodes[i];
	return NULL;
}

/* The first execution in the order of the tree that was selected; its parents come before it. */
static const struct tree_node *first_selected(const struct tree *tree)
{
	for (size_t i = tree->first_root; i != TREE_NONE; i = tree__next(tree, i))
		if (tree->nodes[i].kind == TREE_EXECUTION && tree->nodes[i].role == FAMILY_SELECTED)
			return &tree->nodes[i];
	return NULL;
}

static bool is_known(const struct tree_ancestors *ancestors, const struct tree_node *first,
		     struct recorded_text id)
{
	bool is_one = recorded_text__equals(first->id, id);

	for (size_t i = 0; i < ancestors->count; i++)
		is_one |= recorded_text__equals(ancestors->list[i].id, id);
	return is_one;
}

void tree_ancestors__find(struct tree_ancestors *ancestors, const struct tree *tree)
{
	const struct tree_node *first = first_selected(tree), *node = first;

	ancestors->count = 0;
	ancestors->is_circle = false;
	while (node && ancestors->count < FAMILY_ANCESTORS_MAX) {
		struct recorded_text id = tree_node__parent_id(node);

		if (!id.bytes)
			return;
		if (is_known(ancestors, first, id)) {
			ancestors->is_circle = true;
			return;
		}
		node = find(tree, id);
		ancestors->list[ancestors->count++] = (struct tree_ancestor){id, node};
	}
}
