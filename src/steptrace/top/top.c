// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/top.h"

#include <errno.h>
#include <stdio.h>

#include "steptrace/top/keys.h"

int top__open(struct top *top, const struct top_options *options)
{
	*top = (struct top){.options = options, .rows = top_rows__new(options->rows_limit)};
	if (!top->rows)
		return -ENOMEM;
	open_now__open(&top->open);
	top->facts.target = options->target;
	top_view__init(&top->view, top->rows, options->sort, options->has_breakdown);
	return 0;
}

void top__close(struct top *top)
{
	top_view__close(&top->view);
	top_rows__free(top->rows);
	open_now__close(&top->open);
	page__free(&top->page);
	top->rows = NULL;
}

void top__expect_look(struct top *top)
{
	open_now__expect_look(&top->open);
}

void top__begin_look(struct top *top)
{
	open_now__begin_look(&top->open);
}

void top__add_open(struct top *top, const struct open_item *item)
{
	open_now__add(&top->open, item);
}

void top__on_event(struct top *top, const struct event *event)
{
	open_now__on_event(&top->open, event);
	if (event->kind == EVENT_COMMAND_COMPLETED)
		top->not_seen += event->steps_lost;
	top_rows__on_event(top->rows, event);
}

/* ---- facts */

static struct top_counts counts_of(const struct stream *stream)
{
	const struct stream_counts *counts = stream__counts(stream);
	struct top_counts sum = {.events = stream__events_total(stream)};

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++) {
		sum.filtered += counts->filtered[kind];
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			sum.lost += counts->lost[kind][reason];
	}
	return sum;
}

static void begin(struct top *top, const struct stream *stream, uint64_t now_ns)
{
	top->from_ns = now_ns;
	top->not_seen = 0;
	top->before = counts_of(stream);
}

/* Of all commands. */
static void find_oldest(void *context, struct top_row *row)
{
	const struct top_numbers *shown = &row->shown;
	struct top *top = context;
	struct top_facts *facts = &top->facts;

	facts->open += shown->open;
	facts->is_oldest_older = facts->is_oldest_older || shown->is_age_more;
	if (!shown->open || (facts->oldest && shown->age_ns <= facts->oldest_ns))
		return;
	snprintf(top->oldest, sizeof(top->oldest), "%s", row->text);
	facts->oldest = top->oldest;
	facts->oldest_ns = shown->age_ns;
}

static void update_facts(struct top *top, const struct stream *stream)
{
	const struct top_counts now = counts_of(stream);

	top->facts = (struct top_facts){
		.target = top->options->target,
		.elapsed_ns = top->now_ns - top->from_ns,
		.events = now.events - top->before.events,
		.lost = now.lost - top->before.lost,
		.filtered = now.filtered - top->before.filtered,
		.not_seen = top->not_seen,
		.forgotten = stream__forgotten(stream),
		.not_counted = top_rows__lost(top->rows),
		.are_steps_not_opened = stream__options(stream)->step_starts_left_out,
	};
	top_rows__each(top->rows, NULL, find_oldest, top);
}

/* ---- numbers */

void top__finish(struct top *top, const struct stream *stream)
{
	const struct top_window window = {
		.from_ns = top->from_ns,
		.now_ns = top->now_ns,
		.is_whole = top->options->is_once,
	};

	top_view__update(&top->view, &window);
	update_facts(top, stream);
}

void top__update(struct top *top, const struct stream *stream, uint64_t now_ns)
{
	if (!top->from_ns)
		begin(top, stream, now_ns);
	if (top->view.is_paused)
		return;
	top->now_ns = now_ns;
	top_rows__begin_open(top->rows);
	open_now__each(&top->open, stream, top_rows__add_open, top->rows);
	top__finish(top, stream);
}

bool top__press(struct top *top, const struct stream *stream, uint64_t now_ns, uint32_t key)
{
	bool was_paused = top->view.is_paused;

	top_keys__press(&top->view, key);
	if (top->view.wants_reset) {
		top_view__reset(&top->view);
		begin(top, stream, now_ns);
		top__update(top, stream, now_ns);
	} else if (was_paused != top->view.is_paused) {
		top__update(top, stream, now_ns);
	}
	return !top->view.wants_end;
}

const struct page *top__page(struct top *top, unsigned int columns, unsigned int lines,
			     const char *message)
{
	top->facts.message = message;
	top_layout__screen(&top->page, &top->view, &top->facts, columns, lines);
	return &top->page;
}

const struct page *top__page_once(struct top *top, unsigned int columns)
{
	top_layout__once(&top->page, &top->view, &top->facts, columns);
	return &top->page;
}
