/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of a profile as a tree: a box of the picture is a node.
 *
 *	all 1.42 s
 *	  triage 1.42 s
 *	    FragmentUpdateStep 1.42 s
 *	      main, on-CPU 20.2 ms
 *	      main, lock 1.2 s
 *
 * Below command and step, a node has one state; commands and steps have no time without children.
 * Children are sorted by state, then by time, the
 * longest first, then by name.
 */
#ifndef STEPTRACE_FLAME_TREE_H
#define STEPTRACE_FLAME_TREE_H

#include "steptrace/flame/rows.h"

enum { TREE_NONE = UINT32_MAX };

struct flame_node {
	uint32_t name;             /* number; TREE_NONE: the root */
	uint32_t child, sibling;   /* the first child, the next sibling; or TREE_NONE */
	uint32_t depth;            /* of the root: 0 */
	enum stack_state state;    /* STACK_STATES_COUNT: the root, commands, steps */
	uint64_t time_ns, self_ns; /* with its children, and without */
	uint64_t self_samples;     /* without its children */
};

struct flame_tree {
	struct flame_node *nodes; /* [0] is the root; a parent is in front of its children */
	size_t count;
	uint32_t depth; /* of the deepest node */
};

/* 0 or -ENOMEM. */
int flame_tree__init(struct flame_tree *tree, const struct flame_rows *rows);
void flame_tree__free(struct flame_tree *tree);

#endif
