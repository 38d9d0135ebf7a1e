/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the boxes of the picture are. Boxes that are too narrow to be seen are not drawn one by
 * one: neighbours with the same parent and state become one box, if that is wide enough. If there
 * are too many boxes, the least width is doubled until they are few enough. So the size of a
 * picture has a bound.
 */
#ifndef STEPTRACE_FLAME_SVG_LAYOUT_H
#define STEPTRACE_FLAME_SVG_LAYOUT_H

#include "steptrace/flame/tree.h"

enum { SVG_BOXES_MAX = 12000 };

struct svg_box {
	double x, width;         /* pixels */
	uint32_t node;           /* of the tree; the first one of several */
	uint32_t joined_count;   /* nodes that the box stands for; 1: the node itself */
	uint64_t joined_time_ns; /* of all of them */
};

struct svg_layout {
	struct svg_box *boxes; /* boxes[0] is the root; parents in front of their children */
	size_t count;
	double least_width;       /* pixels */
	uint64_t not_drawn_count; /* nodes that are not drawn as a box of their own */
	uint32_t depth;           /* of the deepest box */
};

/* 0 or -ENOMEM. */
int svg_layout__init(struct svg_layout *layout, const struct flame_tree *tree, double width);
void svg_layout__free(struct svg_layout *layout);

#endif
