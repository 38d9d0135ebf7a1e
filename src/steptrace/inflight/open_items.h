/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every open command and every open step of a look, once each.
 *
 * The rows of struct inflight are made for people: a row is an innermost step with all that
 * contains it, so several rows may show the same command. Here each command and step is an item of
 * its own.
 */
#ifndef STEPTRACE_OPEN_ITEMS_H
#define STEPTRACE_OPEN_ITEMS_H

#include "steptrace/inflight/found.h"
#include "steptrace/stream/open_item.h"

struct open_items_visitor {
	/* Whether the command and steps of this row count. NULL: those of all rows do. */
	bool (*wants)(void *context, const struct inflight_row *row);
	void (*each)(void *context, const struct open_item *item);
	void *context;
};

/* 0 or -ENOMEM: nothing was visited. */
int open_items__visit(const struct inflight *inflight, const struct open_items_visitor *visitor);

#endif
