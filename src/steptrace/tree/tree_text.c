// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "common/printable.h"
#include "steptrace/stream/duration_text.h"
#include "steptrace/tree/tree_head.h"
#include "steptrace/tree/tree_name.h"
#include "steptrace/tree/tree_output.h"

/*
 * dispatch  9aec75e8-e9c1-469c-b598-9ae6c07b880e
 *   2026-11-30T04:33:32.123456789Z  user mia  from cli  vm pid 4711
 *
 *                        OUTCOME    DURATION  TIME WENT    |0                   9.05 ms|
 * dispatch               success     9.05 ms  on CPU 98%   |===========================|
 *   job JobDispatchStep  success     9.00 ms  disk 71%     | ========================= |
 */

enum {
	OUTCOME_COLUMNS = 9,
	DURATION_COLUMNS = 8,
	CPU_COLUMNS = 13,
	BAR_COLUMNS_MIN = 12,
};

struct layout {
	unsigned int name_columns, bar_columns;
	bool has_cpu, is_utf8;
};

/* Fills up to a column, or truncates the text in front of it. */
static void put_padded(FILE *out, const char *text, unsigned int columns)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
	unsigned int used = 0;

	while (at < end) {
		struct printable one = printable__character(at, end);

		if (used + one.columns > columns)
			break;
		fwrite(one.text, 1, one.bytes, out);
		used += one.columns;
		at += one.taken;
	}
	fprintf(out, "%*s", (int)(columns - used), "");
}

/* ---- columns */

static void put_outcome(FILE *out, const struct tree_node *node)
{
	char text[64] = "";

	if (node->kind == TREE_EXECUTION && !node->has_end)
		snprintf(text, sizeof(text), "no end");
	else if (node->kind == TREE_TOOL && RECORDED_HAS(node->event, exit_status))
		snprintf(text, sizeof(text), "exit %lld", (long long)node->event->exit_status);
	else if (node->kind != TREE_WAIT && node->event && node->event->outcome_name.bytes)
		printable__copy(text, sizeof(text), node->event->outcome_name.text,
				node->event->outcome_name.bytes);
	put_padded(out, text, OUTCOME_COLUMNS);
}

/* The duration as the runner measured it; of an execution without its end, how long it was seen. */
static void put_duration(FILE *out, const struct tree_node *node)
{
	char text[DURATION_TEXT_BYTES] = "";

	if (node->kind == TREE_WAIT)
		duration_text__age(node->event->wait_ns, text);
	else if (node->event && RECORDED_HAS(node->event, duration_ns))
		duration_text__age(node->event->duration_ns, text);
	else if (node->kind == TREE_EXECUTION && node->has_begin)
		duration_text__age(node->end_ns - node->begin_ns, text);
	else if (node->kind == TREE_STEP || node->kind == TREE_TOOL || node->kind == TREE_EXECUTION)
		snprintf(text, sizeof(text), "?");
	fprintf(out, " %*s ", DURATION_COLUMNS, text);
}

/* The largest part of the time of the threads: "on CPU 98%". */
static void put_cpu(FILE *out, const struct tree_node *node)
{
	const struct recorded_event *event = node->event;
	char text[32] = "";

	if (event && RECORDED_HAS(event, threads_ns) && event->threads_ns) {
		const struct {
			uint64_t ns;
			const char *name;
		} parts[] = {
			{event->on_cpu_ns, "on CPU"},           {event->runnable_ns, "runnable"},
			{event->blocked_disk_ns, "disk"},       {event->blocked_lock_ns, "lock"},
			{event->blocked_network_ns, "network"}, {event->blocked_sleep_ns, "sleep"},
			{event->blocked_pipe_ns, "pipe"},       {event->blocked_other_ns, "other"},
		};
		size_t largest = 0;

		for (size_t i = 1; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (parts[i].ns > parts[largest].ns)
				largest = i;
		snprintf(text, sizeof(text), "%s %.0f%%", parts[largest].name,
			 100.0 * (double)parts[largest].ns / (double)event->threads_ns);
	}
	fprintf(out, " ");
	put_padded(out, text, CPU_COLUMNS);
}

/* Every span has at least one column. What an ancestor has before and after is cut off. Doubles are
 * exact enough for columns. */
static void put_bar(FILE *out, const struct tree *tree, const struct tree_node *node,
		    const struct layout *layout)
{
	double whole = (double)(tree->end_ns - tree->begin_ns);
	uint64_t begin_ns = node->begin_ns > tree->begin_ns ? node->begin_ns : tree->begin_ns;
	uint64_t end_ns = node->end_ns < tree->end_ns ? node->end_ns : tree->end_ns;
	unsigned int width = layout->bar_columns, from = 0, to = 0;
	const char *full = layout->is_utf8 ? "\xe2\x96\x88" : "=";

	fprintf(out, " |");
	if (node->has_time && begin_ns <= end_ns) {
		double scale = whole > 0 ? width / whole : 0;

		from = (unsigned int)((double)(begin_ns - tree->begin_ns) * scale);
		to = (unsigned int)((double)(end_ns - tree->begin_ns) * scale + 0.5);
		from = from >= width ? width - 1 : from;
		to = to > width ? width : to;
		to = to <= from ? from + 1 : to;
	}
	if (!node->has_begin && node->kind != TREE_EXECUTION)
		full = ".";
	if (node->kind == TREE_WAIT)
		full = "-";
	for (unsigned int i = 0; i < width; i++)
		fputs(i >= from && i < to ? full : " ", out);
	fputs("|\n", out);
}

/* ---- notes below a line */

static void put_note(FILE *out, const struct tree_node *node, const char *words,
		     struct recorded_text text)
{
	char shown[256] = "";

	if (text.bytes)
		printable__copy(shown, sizeof(shown), text.text, text.bytes);
	fprintf(out, "%*s! %s%s%s\n", (int)tree_name__indent(node) + 2, "", words,
		*shown ? " " : "", shown);
}

static void put_abort(FILE *out, const struct tree_node *node)
{
	const struct recorded_event *event = node->event;
	struct recorded_text by = event->aborted_signal_name.bytes ? event->aborted_signal_name
								   : event->aborted_cause;

	put_note(out, node, "aborted: the process ended by", by);
	if (event->aborted_step_name.bytes)
		put_note(out, node, "in step", event->aborted_step_name);
}

static void put_notes(FILE *out, const struct tree_node *node)
{
	const struct recorded_text none = {NULL, 0};
	const struct recorded_event *event = node->event;
	char number[96];

	if (node->kind == TREE_EXECUTION && !node->start)
		put_note(out, node, "its start is not in the recording", none);
	if (node->kind == TREE_EXECUTION && !event)
		put_note(out, node, "its end is not in the recording", none);
	if (!event || node->kind == TREE_WAIT)
		return;
	if (event->error_category.bytes)
		put_note(out, node, "failed:", event->error_category);
	if (node->kind == TREE_EXECUTION && event->aborted_cause.bytes)
		put_abort(out, node);
	if (event->steps_lost) {
		snprintf(number, sizeof(number), "%llu of its steps were not seen",
			 (unsigned long long)event->steps_lost);
		put_note(out, node, number, none);
	} else if (RECORDED_HAS(event, complete) && !event->complete) {
		put_note(out, node, "some of its steps may not have been seen", none);
	}
	if (event->suspended_ns) {
		char text[DURATION_TEXT_BYTES];

		duration_text__age(event->suspended_ns, text);
		snprintf(number, sizeof(number), "suspended for %s", text);
		put_note(out, node, number, none);
	}
}

/* ---- the whole */

static struct layout layout_of(const struct tree *tree, const struct tree_style *style)
{
	struct layout layout = {.is_utf8 = style->is_utf8, .name_columns = 8};
	unsigned int others = 1 + OUTCOME_COLUMNS + DURATION_COLUMNS + 2 + 3, room;
	char name[TREE_NAME_BYTES];

	for (size_t i = tree->first_root; i != TREE_NONE; i = tree__next(tree, i)) {
		const struct tree_node *node = &tree->nodes[i];
		unsigned int columns;

		tree_name__write(node, name);
		columns =
			tree_name__indent(node) + (unsigned int)printable__columns(name, SIZE_MAX);
		if (columns > layout.name_columns)
			layout.name_columns = columns;
		layout.has_cpu |= node->event && RECORDED_HAS(node->event, threads_ns);
	}
	if (layout.has_cpu)
		others += CPU_COLUMNS + 1;
	room = style->columns > others + BAR_COLUMNS_MIN + 8
		       ? style->columns - others - BAR_COLUMNS_MIN
		       : 8;
	if (layout.name_columns > room)
		layout.name_columns = room;
	layout.bar_columns = style->columns > others + layout.name_columns + BAR_COLUMNS_MIN
				     ? style->columns - others - layout.name_columns
				     : BAR_COLUMNS_MIN;
	return layout;
}

static void put_header(FILE *out, const struct tree *tree, const struct layout *layout)
{
	char text[DURATION_TEXT_BYTES];

	duration_text__age(tree->end_ns - tree->begin_ns, text);
	fputc('\n', out);
	put_padded(out, "", layout->name_columns + 1);
	put_padded(out, "OUTCOME", OUTCOME_COLUMNS);
	fprintf(out, " %*s ", DURATION_COLUMNS, "DURATION");
	if (layout->has_cpu) {
		fputc(' ', out);
		put_padded(out, "TIME WENT", CPU_COLUMNS);
	}
	fprintf(out, " |0%*s|\n", (int)layout->bar_columns - 1, text);
}

static void put_line(FILE *out, const struct tree *tree, const struct tree_node *node,
		     const struct layout *layout)
{
	char name[TREE_NAME_BYTES], line[TREE_NAME_BYTES + TREE_INDENT_MAX + 1];

	tree_name__write(node, name);
	snprintf(line, sizeof(line), "%*s%s", (int)tree_name__indent(node), "", name);
	put_padded(out, line, layout->name_columns);
	fputc(' ', out);
	put_outcome(out, node);
	put_duration(out, node);
	if (layout->has_cpu)
		put_cpu(out, node);
	put_bar(out, tree, node, layout);
	put_notes(out, node);
}

static void put_left_out(FILE *out, const struct tree *tree, const struct tree_context *context)
{
	if (tree->lost)
		fprintf(out, "\n! %llu events of any execution were lost during this time\n",
			(unsigned long long)tree->lost);
	if (context->selection->left_out)
		fprintf(out, "\n! %llu further events are left out: there are too many\n",
			(unsigned long long)context->selection->left_out);
	if (context->family->has_more || context->family->links_left_out)
		fprintf(out, "\n! further parents or children are left out: there are too many\n");
	if (context->is_read_once && context->family->descendants_count)
		fprintf(out,
			"\n! %zu executions below are not shown: standard input is read once\n",
			context->family->descendants_count);
}

int tree_text__write(FILE *out, const struct tree *tree, const struct tree_context *context,
		     const struct tree_style *style)
{
	struct layout layout = layout_of(tree, style);

	tree_head__write(out, tree, context);
	put_header(out, tree, &layout);
	for (size_t i = tree->first_root; i != TREE_NONE; i = tree__next(tree, i))
		put_line(out, tree, &tree->nodes[i], &layout);
	put_left_out(out, tree, context);
	return 0;
}
