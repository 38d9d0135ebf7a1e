// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/printable.h"
#include "steptrace/inflight/inflight_report.h"
#include "steptrace/inflight/syscall_name.h"
#include "steptrace/stream/duration_text.h"

enum {
	GAP = 2, /* blanks between two columns */
	CELL_BYTES = 256,
	TEXT_COLUMNS_OF_CELL = 28, /* a text that is wider is cut on a terminal */
	LINE_BYTES = 16 * CELL_BYTES,
};

/* ---- the cells of a row */

static void write_age(const struct age *age, char cell[CELL_BYTES])
{
	char text[DURATION_TEXT_BYTES];

	duration_text__age(age->ns, text);
	if (age->is_known)
		snprintf(cell, CELL_BYTES, "%s", text);
	else if (age->ns)
		snprintf(cell, CELL_BYTES, "> %s", text);
	else
		snprintf(cell, CELL_BYTES, "unknown");
}

static void write_command_age(const struct inflight_row *row, char cell[CELL_BYTES])
{
	write_age(&row->command_age, cell);
}

static void write_command(const struct inflight_row *row, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%s", row->command->slug[0] ? row->command->slug : "unnamed");
}

static void write_step(const struct inflight_row *row, char cell[CELL_BYTES])
{
	if (row->step)
		snprintf(cell, CELL_BYTES, "%s%s%s",
			 row->step->type[0] ? row->step->type : "unnamed",
			 row->step->name[0] ? " " : "", row->step->name);
}

static void write_step_age(const struct inflight_row *row, char cell[CELL_BYTES])
{
	if (row->step)
		write_age(&row->step_age, cell);
}

static void write_pid(const struct inflight_row *row, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%d", row->process->pid);
}

static void write_thread(const struct inflight_row *row, char cell[CELL_BYTES])
{
	if (row->thread)
		snprintf(cell, CELL_BYTES, "%d", row->thread->tid);
}

static bool is_suspended(const struct inflight_row *row)
{
	return row->command->span.is_suspended || (row->step && row->step->span.is_suspended);
}

static void write_state(const struct inflight_row *row, char cell[CELL_BYTES])
{
	if (is_suspended(row))
		snprintf(cell, CELL_BYTES, "suspended");
	else if (row->thread)
		snprintf(cell, CELL_BYTES, "%s", thread__state_name(row->thread));
}

static void write_wait(const struct inflight_row *row, char cell[CELL_BYTES])
{
	const struct thread *thread = row->thread;
	char name[SYSCALL_NAME_BYTES];

	if (!thread)
		return;
	syscall_name__write(thread->syscall, name);
	if (thread->wait_name[0])
		snprintf(cell, CELL_BYTES, "%s%s%s%s", name, name[0] ? " (" : "", thread->wait_name,
			 name[0] ? ")" : "");
	else
		snprintf(cell, CELL_BYTES, "%s", name);
}

static void write_cpu(const struct inflight_row *row, char cell[CELL_BYTES])
{
	if (row->thread && row->thread->cpu >= 0)
		snprintf(cell, CELL_BYTES, "%d", row->thread->cpu);
}

static void write_user(const struct inflight_row *row, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%s", row->command->user_id);
}

/* The first digits of the execution id. */
static void write_execution(const struct inflight_row *row, char cell[CELL_BYTES])
{
	const uint8_t *id = row->command->execution_id;

	if (id[0] | id[1] | id[2] | id[3])
		snprintf(cell, CELL_BYTES, "%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
}

static void write_correlation(const struct inflight_row *row, char cell[CELL_BYTES])
{
	snprintf(cell, CELL_BYTES, "%s", row->command->correlation_id);
}

static const struct column {
	const char *title;
	void (*write)(const struct inflight_row *row, char cell[CELL_BYTES]);
	bool is_right, is_text;
} columns[] = {
	{"AGE", write_command_age, true, false},
	{"COMMAND", write_command, false, true},
	{"STEP", write_step, false, true},
	{"IN STEP", write_step_age, true, false},
	{"PID", write_pid, true, false},
	{"THREAD", write_thread, true, false},
	{"STATE", write_state, false, false},
	{"WAITS IN", write_wait, false, true},
	{"CPU", write_cpu, true, false},
	{"USER", write_user, false, true},
	{"EXECUTION", write_execution, false, false},
	{"CORRELATION", write_correlation, false, true},
};

enum { COLUMNS_COUNT = sizeof(columns) / sizeof(columns[0]), ALWAYS = 5 };

/* What no value is shown as. */
static void write_cell(const struct inflight_row *row, size_t column, char cell[CELL_BYTES])
{
	cell[0] = 0;
	columns[column].write(row, cell);
	if (!cell[0])
		snprintf(cell, CELL_BYTES, "-");
}

/* ---- widths */

struct layout {
	unsigned int widths[COLUMNS_COUNT]; /* 0: the column is left out */
};

static unsigned int larger(unsigned int one, unsigned int other)
{
	return one > other ? one : other;
}

static unsigned int total_width(const struct layout *layout)
{
	unsigned int width = 0;

	for (size_t i = 0; i < COLUMNS_COUNT; i++)
		width += layout->widths[i] ? layout->widths[i] + GAP : 0;
	return width - GAP;
}

static void measure(struct layout *layout, const struct inflight *inflight)
{
	char cell[CELL_BYTES];

	for (size_t i = 0; i < COLUMNS_COUNT; i++) {
		layout->widths[i] = (unsigned int)strlen(columns[i].title);
		for (size_t row = 0; row < inflight->rows_count; row++) {
			write_cell(&inflight->rows[row], i, cell);
			layout->widths[i] =
				larger(layout->widths[i],
				       (unsigned int)printable__columns(cell, CELL_BYTES));
		}
	}
}

static void cut_texts(struct layout *layout, unsigned int limit)
{
	for (size_t i = 0; i < COLUMNS_COUNT; i++)
		if (columns[i].is_text && layout->widths[i] > limit)
			layout->widths[i] = limit;
}

/* Makes the table as wide as the terminal at most. */
static void fit(struct layout *layout, unsigned int width)
{
	cut_texts(layout, TEXT_COLUMNS_OF_CELL);
	for (size_t i = COLUMNS_COUNT; i-- > ALWAYS;)
		if (total_width(layout) > width)
			layout->widths[i] = 0;
	for (unsigned int limit = TEXT_COLUMNS_OF_CELL; limit > 0; limit--)
		if (total_width(layout) > width)
			cut_texts(layout, limit);
}

/* ---- lines */

static void put_cell(struct text_line *line, unsigned int *at, unsigned int width, const char *text,
		     bool is_right)
{
	unsigned int needed = (unsigned int)printable__columns(text, CELL_BYTES);

	text_line__go_to(line, *at + (is_right && width > needed ? width - needed : 0));
	text_line__put(line, text, CELL_BYTES, width);
	*at += width + GAP;
}

static void put_titles(struct json *out, const struct layout *layout,
		       const struct text_style *style)
{
	struct text_line line;
	unsigned int at = 0;

	text_line__begin(&line, out, style);
	text_line__colour(&line, TEXT_BOLD);
	for (size_t i = 0; i < COLUMNS_COUNT; i++)
		if (layout->widths[i])
			put_cell(&line, &at, layout->widths[i], columns[i].title,
				 columns[i].is_right);
	text_line__end(&line);
}

static void put_row(struct json *out, const struct inflight_row *row, const struct layout *layout,
		    const struct text_style *style)
{
	struct text_line line;
	unsigned int at = 0;
	char cell[CELL_BYTES];

	text_line__begin(&line, out, style);
	for (size_t i = 0; i < COLUMNS_COUNT; i++) {
		if (!layout->widths[i])
			continue;
		write_cell(row, i, cell);
		put_cell(&line, &at, layout->widths[i], cell, columns[i].is_right);
	}
	text_line__end(&line);
}

/* The kernel stack of the row's thread, one function a line. */
static void put_stack(struct json *out, const struct inflight_row *row)
{
	char stack[STACK_TEXT_BYTES], *rest = stack;

	if (!row->thread)
		return;
	thread__kernel_stack(row->process->pid, row->thread, stack);
	for (char *name = strsep(&rest, "\n"); name; name = strsep(&rest, "\n")) {
		if (!name[0])
			continue;
		json__raw(out, "          ");
		json__word(out, name);
		json__raw(out, "\n");
	}
}

int inflight__text(struct json *out, const struct inflight *inflight,
		   const struct inflight_options *options, const struct text_style *style)
{
	struct layout layout;

	if (json__reserve(out, LINE_BYTES))
		return -ENOMEM;
	if (inflight->rows_count == 0)
		return 0;
	measure(&layout, inflight);
	if (style->columns)
		fit(&layout, text_style__width(style));
	put_titles(out, &layout, style);
	for (size_t i = 0; i < inflight->rows_count; i++) {
		/* each line of a stack is indented */
		if (json__reserve(out, LINE_BYTES + 8 * STACK_TEXT_BYTES))
			return -ENOMEM;
		put_row(out, &inflight->rows[i], &layout, style);
		if (options->has_stacks)
			put_stack(out, &inflight->rows[i]);
	}
	return 0;
}
