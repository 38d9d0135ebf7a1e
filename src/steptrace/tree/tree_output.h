/* SPDX-License-Identifier: BSD-2-Clause */
/* A tree as text for people, with a timeline, or as one JSON object. */
#ifndef STEPTRACE_TREE_OUTPUT_H
#define STEPTRACE_TREE_OUTPUT_H

#include <stdio.h>

#include "steptrace/tree/ancestors.h"

struct tree_style {
	unsigned int columns; /* of a line: 60 or more */
	bool is_utf8;         /* otherwise, what the program itself prints is plain ASCII */
};

struct tree_context {
	const char *id;
	const struct selection *selection;
	const struct family *family;
	const struct tree_ancestors *ancestors;
	bool is_read_once; /* so ancestors and descendants are not in the tree */
};

/* 0 or -ENOMEM. Errors of the file are left to the caller (ferror). */
int tree_text__write(FILE *out, const struct tree *tree, const struct tree_context *context,
		     const struct tree_style *style);
int tree_json__write(FILE *out, const struct tree *tree, const struct tree_context *context);

/* "step", "tool" */
const char *tree_kind__name(enum tree_kind kind);

#endif
