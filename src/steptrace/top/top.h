/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steptrace top: events and keys go in, pages come out. It knows no terminal and no clock: the
 * caller says what time it is, and how large the screen is.
 *
 *	top__on_event(&top, event);		for every event
 *	top__update(&top, stream, now_ns);	now and then: new numbers
 *	top__press(&top, key);
 *	page = top__page(&top, 80, 24);		after both
 */
#ifndef STEPTRACE_TOP_TOP_H
#define STEPTRACE_TOP_TOP_H

#include "steptrace/stream/stream.h"
#include "steptrace/top/layout.h"
#include "steptrace/top/open_now.h"
#include "steptrace/top/page.h"
#include "steptrace/top/rows.h"
#include "steptrace/top/view.h"

struct top_options {
	size_t rows_limit;
	enum top_column sort;
	bool has_breakdown; /* events have a breakdown */
	bool is_once;       /* one page: the rates are those of the whole time */
	const char *target; /* "all runners", "process 4711" */
};

/* What the stream had counted. */
struct top_counts {
	uint64_t events, lost, filtered;
};

struct top {
	const struct top_options *options; /* borrowed */
	struct top_rows *rows;
	struct open_now open;
	struct top_view view;
	struct page page;
	struct top_facts facts;
	uint64_t from_ns, now_ns; /* from_ns 0: not yet */
	uint64_t not_seen;        /* steps of commands that ended */
	struct top_counts before; /* when counting began */
	char oldest[512];         /* of the facts */
};

/* 0 or -ENOMEM. Call top__close() in any case. */
int top__open(struct top *top, const struct top_options *options);
void top__close(struct top *top);

void top__on_event(struct top *top, const struct event *event);

/* A look into the memory of the runners, as in open_now.h. */
void top__expect_look(struct top *top);
void top__begin_look(struct top *top);
void top__add_open(struct top *top, const struct open_item *item);

/* Reads what is open, and makes new numbers. */
void top__update(struct top *top, const struct stream *stream, uint64_t now_ns);

/* Makes the last numbers, when nothing can be read any more: what is open, and the time, stay those
 * of the last top__update(). */
void top__finish(struct top *top, const struct stream *stream);

/* False: the user ends top. */
bool top__press(struct top *top, const struct stream *stream, uint64_t now_ns, uint32_t key);

/* The page of the screen; `message` is for its last line, or NULL. The page is the top's. */
const struct page *top__page(struct top *top, unsigned int columns, unsigned int lines,
			     const char *message);

/* All rows; for a file, `columns` is 0. */
const struct page *top__page_once(struct top *top, unsigned int columns);

#endif
