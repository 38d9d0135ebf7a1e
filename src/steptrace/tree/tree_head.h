/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands above the text of a tree: ids, time, user, queue and process of each execution, and
 * which executions started it. */
#ifndef STEPTRACE_TREE_HEAD_H
#define STEPTRACE_TREE_HEAD_H

#include "steptrace/tree/tree_output.h"

void tree_head__write(FILE *out, const struct tree *tree, const struct tree_context *context);

#endif
