/* SPDX-License-Identifier: BSD-2-Clause */
/* What a node is called in the text of a tree: "note", "save FragmentCreateStep", "queue mail". */
#ifndef STEPTRACE_TREE_NAME_H
#define STEPTRACE_TREE_NAME_H

#include "steptrace/tree/tree.h"

enum {
	TREE_NAME_BYTES = 512,
	TREE_INDENT_MAX = 40, /* deeper nodes are not indented further */
};

/* Printable text, shortened if necessary. */
void tree_name__write(const struct tree_node *node, char name[TREE_NAME_BYTES]);

/* How many columns the node is indented. */
unsigned int tree_name__indent(const struct tree_node *node);

#endif
