// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/tree/tree.h"

#include <errno.h>
#include <stdlib.h>

void tree__free(struct tree *tree)
{
	for (size_t i = 0; i < tree->events_count; i++)
		recorded_line__free(&tree->readers[i]);
	free(tree->readers);
	free(tree->events);
	free(tree->nodes);
	*tree = (struct tree){.nodes = NULL};
}

/* ---- events */

static int read_events(struct tree *tree, const struct selection *selection, const char *id)
{
	size_t room = selection->count + 1;

	tree->events = calloc(room, sizeof(*tree->events));
	tree->readers = calloc(room, sizeof(*tree->readers));
	/* Each event makes a node, and may bring its execution and a wait. */
	tree->nodes = calloc(3 * room, sizeof(*tree->nodes));
	if (!tree->events || !tree->readers || !tree->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < selection->count; i++) {
		struct recorded_event *event = &tree->events[tree->events_count];
		struct recorded_line *reader = &tree->readers[tree->events_count];
		const struct selected_line *line = &selection->lines[i];

		if (recorded_line__read(reader, event, line->text, line->bytes) == -ENOMEM)
			return -ENOMEM;
		tree->events_count++;
		if (!selection->family && !selection__is_of(event, id))
			recorded_line__free(&tree->readers[--tree->events_count]);
	}
	return 0;
}

/* ---- finding nodes by their id: sorted indices */

static int compare_ids(struct recorded_text a, struct recorded_text b)
{
	size_t shorter = a.bytes < b.bytes ? a.bytes : b.bytes;
	int order = shorter ? memcmp(a.text, b.text, shorter) : 0;

	if (order)
		return order;
	return a.bytes < b.bytes ? -1 : a.bytes > b.bytes;
}

static int by_id(const void *left, const void *right)
{
	const struct tree_node *a = *(struct tree_node *const *)left;
	const struct tree_node *b = *(struct tree_node *const *)right;
	int order = compare_ids(a->id, b->id);

	return order ? order : (a < b ? -1 : a > b);
}

/* The first node of the sorted index with this id, or TREE_NONE. */
static size_t find(const struct tree *tree, struct tree_node *const *index, size_t count,
		   struct recorded_text id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_ids(index[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && recorded_text__equals(index[low]->id, id)
		       ? (size_t)(index[low] - tree->nodes)
		       : TREE_NONE;
}

/* ---- nodes */

struct recorded_text tree_node__parent_id(const struct tree_node *node)
{
	struct recorded_text none = {NULL, 0};

	if (node->start && node->start->parent_execution_id.text)
		return node->start->parent_execution_id;
	return node->event ? node->event->parent_execution_id : none;
}

/* The beginning of a span is its end without the duration and the suspended time. */
static void set_times(struct tree_node *node, const struct recorded_event *event)
{
	uint64_t whole_ns = event->duration_ns + event->suspended_ns;

	node->has_time = RECORDED_HAS(event, timestamp_ns);
	node->begin_ns = node->end_ns = event->timestamp_ns;
	node->has_begin =
		RECORDED_HAS(event, duration_ns) && node->has_time && whole_ns <= node->end_ns;
	if (node->has_begin)
		node->begin_ns -= whole_ns;
}

static struct tree_node *add_node(struct tree *tree, enum tree_kind kind)
{
	struct tree_node *node = &tree->nodes[tree->count++];

	*node = (struct tree_node){.kind = kind,
				   .execution = TREE_NONE,
				   .parent = TREE_NONE,
				   .first_child = TREE_NONE,
				   .next_sibling = TREE_NONE};
	return node;
}

static enum tree_kind kind_of(const struct recorded_event *event)
{
	switch (event->kind) {
	case RECORDED_STEP_EXECUTED: return TREE_STEP;
	case RECORDED_TOOL_COMPLETED: return TREE_TOOL;
	case RECORDED_FRAGMENT_CHANGED: return TREE_FRAGMENT;
	case RECORDED_COMMAND_OVERDUE: return TREE_OVERDUE;
	case RECORDED_VALIDATION_FAILED: return TREE_REJECTED;
	default: return TREE_EXECUTION;
	}
}

static int by_execution(const void *left, const void *right)
{
	const struct recorded_event *a = *(struct recorded_event *const *)left;
	const struct recorded_event *b = *(struct recorded_event *const *)right;
	int order = compare_ids(a->execution_id, b->execution_id);

	return order ? order : (a < b ? -1 : a > b);
}

static void add_to_execution(struct tree_node *execution, const struct recorded_event *event)
{
	if (event->kind == RECORDED_COMMAND_STARTED)
		execution->start = event;
	if (event->kind == RECORDED_COMMAND_COMPLETED)
		execution->event = event;
}

static void add_part(struct tree *tree, const struct recorded_event *event, size_t execution)
{
	struct tree_node *node = add_node(tree, kind_of(event));

	node->event = event;
	node->execution = execution;
	if (node->kind == TREE_STEP)
		node->id = event->step_id;
	set_times(node, event);
	node->has_end = true;
}

static void add_wait(struct tree *tree, size_t execution)
{
	const struct recorded_event *start = tree->nodes[execution].start;
	struct tree_node *node;

	if (!start || !RECORDED_HAS(start, wait_ns) || start->wait_ns > start->timestamp_ns)
		return;
	node = add_node(tree, TREE_WAIT);
	node->event = start;
	node->execution = node->parent = execution;
	node->end_ns = start->timestamp_ns;
	node->begin_ns = start->timestamp_ns - start->wait_ns;
	node->has_begin = node->has_end = node->has_time = RECORDED_HAS(start, timestamp_ns);
}

/* Without the event of its end, an execution lasts up to its last event. */
static void set_execution_times(struct tree *tree, size_t execution)
{
	struct tree_node *node = &tree->nodes[execution];

	if (node->event)
		set_times(node, node->event);
	node->has_end = node->event != NULL;
	for (size_t i = execution + 1; i < tree->count; i++) {
		const struct tree_node *part = &tree->nodes[i];

		if (node->has_end || part->kind == TREE_WAIT || !part->has_time)
			continue;
		node->end_ns = part->end_ns > node->end_ns ? part->end_ns : node->end_ns;
		node->has_time = true;
	}
	if (!node->has_begin && node->start && RECORDED_HAS(node->start, timestamp_ns)) {
		node->begin_ns = node->start->timestamp_ns;
		node->has_begin = node->has_time = true;
		if (node->end_ns < node->begin_ns)
			node->end_ns = node->begin_ns;
	}
	if (!node->has_begin)
		node->begin_ns = node->end_ns;
}

static size_t add_execution(struct tree *tree, const struct selection *selection,
			    struct recorded_text id)
{
	struct tree_node *node = add_node(tree, TREE_EXECUTION);

	node->id = id;
	node->execution = (size_t)(node - tree->nodes);
	node->role = selection->family ? family__role(selection->family, id) : FAMILY_SELECTED;
	return node->execution;
}

/* One execution after the other: its node, then its parts. */
static int add_nodes(struct tree *tree, const struct selection *selection)
{
	const struct recorded_event **sorted = malloc((tree->events_count + 1) * sizeof(*sorted));
	size_t execution = TREE_NONE;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < tree->events_count; i++)
		sorted[i] = &tree->events[i];
	qsort(sorted, tree->events_count, sizeof(*sorted), by_execution);
	for (size_t i = 0; i < tree->events_count; i++) {
		bool is_same_one = i > 0 && recorded_text__equals(sorted[i]->execution_id,
								  sorted[i - 1]->execution_id);

		if (!is_same_one && execution != TREE_NONE)
			set_execution_times(tree, execution);
		if (!is_same_one && sorted[i]->execution_id.text) {
			execution = add_execution(tree, selection, sorted[i]->execution_id);
		}
		if (!sorted[i]->execution_id.text)
			execution = TREE_NONE;
		if (kind_of(sorted[i]) != TREE_EXECUTION)
			add_part(tree, sorted[i], execution);
		else if (execution != TREE_NONE)
			add_to_execution(&tree->nodes[execution], sorted[i]);
		if (sorted[i]->kind == RECORDED_COMMAND_STARTED && execution != TREE_NONE &&
		    tree->nodes[execution].role != FAMILY_ANCESTOR)
			add_wait(tree, execution);
	}
	if (execution != TREE_NONE)
		set_execution_times(tree, execution);
	free(sorted);
	return 0;
}

/* ---- parents */

/* A parent began before its child: so no execution is its own ancestor. */
static bool can_contain(const struct tree_node *parent, const struct tree_node *child)
{
	if (child->kind == TREE_EXECUTION)
		return parent->kind == TREE_EXECUTION &&
		       (parent->begin_ns < child->begin_ns ||
			(parent->begin_ns == child->begin_ns && parent < child));
	if (parent->kind != TREE_STEP || parent->execution != child->execution)
		return false;
	return child->kind != TREE_STEP || parent->event->step_depth < child->event->step_depth;
}

static void set_parent(struct tree *tree, struct tree_node *const *index, size_t count,
		       struct tree_node *node)
{
	struct recorded_text wanted;
	size_t found;

	if (node->kind == TREE_WAIT)
		return;
	if (node->kind == TREE_EXECUTION)
		wanted = tree_node__parent_id(node);
	else
		wanted = node->kind == TREE_STEP ? node->event->parent_step_id
						 : node->event->step_id;
	found = wanted.text ? find(tree, index, count, wanted) : TREE_NONE;
	if (found != TREE_NONE && can_contain(&tree->nodes[found], node))
		node->parent = found;
	else if (node->kind != TREE_EXECUTION)
		node->parent = node->execution;
}

static int set_parents(struct tree *tree)
{
	struct tree_node **index = malloc((tree->count + 1) * sizeof(*index));
	size_t count = 0;

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].id.text)
			index[count++] = &tree->nodes[i];
	qsort(index, count, sizeof(*index), by_id);
	for (size_t i = 0; i < tree->count; i++)
		set_parent(tree, index, count, &tree->nodes[i]);
	free(index);
	return 0;
}

/* ---- the order in which nodes are shown */

static int by_time(const void *left, const void *right)
{
	const struct tree_node *a = *(struct tree_node *const *)left;
	const struct tree_node *b = *(struct tree_node *const *)right;

	if (a->begin_ns != b->begin_ns)
		return a->begin_ns < b->begin_ns ? -1 : 1;
	if (a->end_ns != b->end_ns)
		return a->end_ns < b->end_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* The latest first, each in front of the children that its parent has so far. */
static int link_children(struct tree *tree)
{
	struct tree_node **sorted = malloc((tree->count + 1) * sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++)
		sorted[i] = &tree->nodes[i];
	qsort(sorted, tree->count, sizeof(*sorted), by_time);
	tree->first_root = TREE_NONE;
	for (size_t i = tree->count; i-- > 0;) {
		struct tree_node *node = sorted[i];
		size_t *first = node->parent == TREE_NONE ? &tree->first_root
							  : &tree->nodes[node->parent].first_child;

		node->next_sibling = *first;
		*first = (size_t)(node - tree->nodes);
	}
	free(sorted);
	return 0;
}

size_t tree__next(const struct tree *tree, size_t node)
{
	if (tree->nodes[node].first_child != TREE_NONE)
		return tree->nodes[node].first_child;
	while (node != TREE_NONE && tree->nodes[node].next_sibling == TREE_NONE)
		node = tree->nodes[node].parent;
	return node == TREE_NONE ? TREE_NONE : tree->nodes[node].next_sibling;
}

static void set_depths_and_times(struct tree *tree)
{
	bool is_first = true;

	for (size_t i = tree->first_root; i != TREE_NONE; i = tree__next(tree, i)) {
		struct tree_node *node = &tree->nodes[i];

		node->depth = node->parent == TREE_NONE ? 0 : tree->nodes[node->parent].depth + 1;
		if (!node->has_time || node->role == FAMILY_ANCESTOR)
			continue;
		if (is_first || node->begin_ns < tree->begin_ns)
			tree->begin_ns = node->begin_ns;
		if (is_first || node->end_ns > tree->end_ns)
			tree->end_ns = node->end_ns;
		is_first = false;
	}
}

static void count_lost(struct tree *tree, const struct selection *selection)
{
	for (size_t i = 0; i < selection->losses_count; i++) {
		const struct selected_loss *loss = &selection->losses[i];

		if (loss->since_ns <= tree->end_ns && loss->until_ns >= tree->begin_ns)
			tree->lost += loss->lost;
	}
}

int tree__make(struct tree *tree, const struct selection *selection, const char *id)
{
	*tree = (struct tree){.first_root = TREE_NONE};
	if (read_events(tree, selection, id) || add_nodes(tree, selection) || set_parents(tree) ||
	    link_children(tree)) {
		tree__free(tree);
		return -ENOMEM;
	}
	set_depths_and_times(tree);
	count_lost(tree, selection);
	return 0;
}
