/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The executions of a selection as a tree: a child execution is below its parent, steps and tool
 * calls are below what contains them.
 *
 *	dispatch				an execution
 *	  job JobDispatchStep			its step
 *	  note					the execution that it started
 *	    queue mail				the time that this one waited
 *	    save FragmentCreateStep
 *	      fragment 12 created
 *
 * The tree of a whole family (family.h) begins with the ancestors. They are no part of its time.
 */
#ifndef STEPTRACE_TREE_H
#define STEPTRACE_TREE_H

#include "steptrace/recording/recorded_line.h"
#include "steptrace/tree/selection.h"

enum tree_kind {
	TREE_EXECUTION,
	TREE_WAIT, /* in a queue */
	TREE_STEP,
	TREE_TOOL,
	TREE_FRAGMENT,
	TREE_OVERDUE,
	TREE_REJECTED,
};

struct tree_node {
	enum tree_kind kind;
	const struct recorded_event
		*event; /* NULL for an execution of which only parts were seen */
	const struct recorded_event
		*start;            /* of an execution: command.execution.started, or NULL */
	struct recorded_text id;   /* of the execution or step; .text NULL: none */
	uint64_t begin_ns, end_ns; /* equal: an instant, or the beginning is not known */
	bool has_begin, has_end, has_time;
	size_t execution;      /* the node of its execution */
	enum family_role role; /* of an execution */
	size_t parent;         /* TREE_NONE: a root */
	size_t first_child, next_sibling;
	unsigned int depth;
};

#define TREE_NONE SIZE_MAX

struct tree {
	struct tree_node *nodes; /* owned, as the next two */
	size_t count;
	struct recorded_event *events;
	struct recorded_line *readers;
	size_t events_count;
	size_t first_root;
	uint64_t begin_ns, end_ns; /* of everything that has a time, without ancestors */
	uint64_t lost;             /* events that were lost meanwhile, of any execution */
};

/* Makes the tree of the lines of this id, or of its family, and borrows them. 0 or -ENOMEM. */
int tree__make(struct tree *tree, const struct selection *selection, const char *id);
void tree__free(struct tree *tree);

/* In the order in which they are shown: tree->first_root, then this one. TREE_NONE: the end. */
size_t tree__next(const struct tree *tree, size_t node);

/* The id of the execution that started this one; .text NULL: none. */
struct recorded_text tree_node__parent_id(const struct tree_node *execution);

#endif
