// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/svg_layout.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

struct placing {
	struct svg_layout *layout;
	const struct flame_tree *tree;
	double pixels_per_ns;
	struct svg_box joined; /* narrow neighbours that have no box yet */
	uint64_t drawn_count;  /* nodes with a box of their own */
};

static bool add_box(struct placing *placing, const struct svg_box *box)
{
	struct svg_layout *layout = placing->layout;
	uint32_t depth = placing->tree->nodes[box->node].depth;

	if (layout->count == SVG_BOXES_MAX)
		return false;
	layout->boxes[layout->count++] = *box;
	placing->drawn_count += box->joined_count == 1;
	if (depth > layout->depth)
		layout->depth = depth;
	return true;
}

static bool end_joined(struct placing *placing)
{
	bool is_wide = placing->joined.width >= placing->layout->least_width;
	bool has_room = !is_wide || add_box(placing, &placing->joined);

	placing->joined.joined_count = 0;
	return has_room;
}

static bool join(struct placing *placing, const struct svg_box *box)
{
	const struct flame_node *nodes = placing->tree->nodes;
	struct svg_box *joined = &placing->joined;

	if (joined->joined_count && nodes[joined->node].state != nodes[box->node].state &&
	    !end_joined(placing))
		return false;
	if (joined->joined_count == 0) {
		*joined = *box;
		return true;
	}
	joined->width += box->width;
	joined->joined_count++;
	joined->joined_time_ns += box->joined_time_ns;
	return true;
}

/* Children of a box, from its left edge on. */
static bool place_children(struct placing *placing, const struct svg_box *parent)
{
	const struct flame_node *nodes = placing->tree->nodes;
	struct svg_box box = {.x = parent->x, .joined_count = 1};
	uint32_t child = nodes[parent->node].child;

	for (; child != TREE_NONE; child = nodes[child].sibling) {
		box.node = child;
		box.joined_time_ns = nodes[child].time_ns;
		box.width = (double)nodes[child].time_ns * placing->pixels_per_ns;
		if (box.width < placing->layout->least_width) {
			if (!join(placing, &box))
				return false;
		} else if ((placing->joined.joined_count && !end_joined(placing)) ||
			   !add_box(placing, &box)) {
			return false;
		}
		box.x += box.width;
	}
	return !placing->joined.joined_count || end_joined(placing);
}

/* False: there are more than SVG_BOXES_MAX boxes. */
static bool place(struct svg_layout *layout, const struct flame_tree *tree, double width)
{
	uint64_t total = tree->nodes[0].time_ns;
	struct placing placing = {.layout = layout, .tree = tree};
	struct svg_box root = {.width = width, .joined_count = 1, .joined_time_ns = total};

	placing.pixels_per_ns = total ? width / (double)total : 0;
	layout->count = 0;
	layout->depth = 0;
	add_box(&placing, &root);
	for (size_t i = 0; i < layout->count; i++) {
		struct svg_box parent = layout->boxes[i];

		if (parent.joined_count == 1 && !place_children(&placing, &parent))
			return false;
	}
	layout->not_drawn_count = tree->count - placing.drawn_count;
	return true;
}

int svg_layout__init(struct svg_layout *layout, const struct flame_tree *tree, double width)
{
	*layout = (struct svg_layout){
		.boxes = calloc(SVG_BOXES_MAX, sizeof(*layout->boxes)),
		.least_width = 0.5,
	};
	if (!layout->boxes)
		return -ENOMEM;
	while (!place(layout, tree, width))
		layout->least_width *= 2;
	return 0;
}

void svg_layout__free(struct svg_layout *layout)
{
	free(layout->boxes);
	*layout = (struct svg_layout){0};
}
