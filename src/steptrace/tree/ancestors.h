/* SPDX-License-Identifier: BSD-2-Clause */
/* The executions above the first root that was selected, from its parent on. */
#ifndef STEPTRACE_TREE_ANCESTORS_H
#define STEPTRACE_TREE_ANCESTORS_H

#include "steptrace/tree/tree.h"

struct tree_ancestor {
	struct recorded_text id;
	const struct tree_node *node; /* NULL: it is not in the tree */
};

/* The last one has no parent, or is not in the tree, or there are too many. */
struct tree_ancestors {
	struct tree_ancestor list[FAMILY_ANCESTORS_MAX];
	size_t count;
	bool is_circle; /* the parent of the last one is a descendant of it */
};

void tree_ancestors__find(struct tree_ancestors *ancestors, const struct tree *tree);

#endif
