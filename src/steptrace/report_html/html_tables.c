// SPDX-License-Identifier: BSD-2-Clause
/* The tables of the report: one for each section that has rows, and those of the bottlenecks. */
#include <inttypes.h>
#include <stdlib.h>

#include "steptrace/report_html/html_cells.h"

/* The words about a section. */
struct words {
	const char *rows;      /* above the names */
	int first;             /* the text of the key that names a row; the others stand below it */
	const char *durations; /* what they are; NULL: the section has none */
	const char *note;
};

static const struct words words[SECTIONS_COUNT] = {
	[SECTION_COMMANDS] =
		{"Command", 0, "how long executions took",
		 "Failed: failed or aborted. Share of time: of the sum of all durations."},
	[SECTION_STEPS] = {"Step", 2, "how long steps took",
			   "The time of a step contains the time of the steps inside it."},
	[SECTION_ERRORS] = {"Error", 0, NULL,
			    "Failed steps, and failed commands that name no failed step."},
	[SECTION_ABORTED] = {"Command", 0, NULL,
			     "How the process ended, and the step in which it died."},
	[SECTION_AI] = {"Step", 2, NULL,
			"Tokens of prompts and answers, as the runner counted them."},
	[SECTION_CHANGES] = {"Command", 0, NULL, "Rows that steps changed, and fragments."},
	[SECTION_TOOLS] = {"Tool", 0, "how long calls took", NULL},
	[SECTION_SCHEDULES] = {"Schedule", 0, "how late executions started",
			       "Early: executions that started before their time."},
	[SECTION_QUEUES] = {"Queue", 0, "how long executions waited",
			    "Retries: executions that are not the first attempt."},
	[SECTION_REJECTED] = {"Command", 0, NULL,
			      "Requests that were refused before a command began."},
};

struct table {
	enum section_id section;
	const char *id, *title;
	const struct html_column *columns;
	struct report_row *const *rows;
	size_t count;
};

/* ---- a row */

static void put_key(struct html_page *page, const struct table *table, const struct report_row *row,
		    int key)
{
	html_page__put(page, "<span data-name=\"%s\">", sections[table->section].keys[key]);
	html_page__name(page, report_row__text(row, (size_t)key));
	html_page__put(page, "</span>");
}

/* The text that names the row, and the others that it has on a line below. */
static void put_name(struct html_page *page, const struct table *table,
		     const struct report_row *row)
{
	int first = words[table->section].first;
	bool is_next = false;

	html_page__put(page, "<th scope=\"row\">");
	if (!row->key) {
		html_page__put(page, "(other)</th>");
		return;
	}
	put_key(page, table, row, first);
	for (int i = 0; i < REPORT_KEY_TEXTS && sections[table->section].keys[i]; i++) {
		if (i == first || !report_row__text(row, (size_t)i)[0])
			continue;
		html_page__put(page, "%s", is_next ? " · " : "<small>");
		put_key(page, table, row, i);
		is_next = true;
	}
	html_page__put(page, "%s</th>", is_next ? "</small>" : "");
}

static void put_row(struct html_page *page, const struct table *table, const struct report_row *row,
		    const struct html_scale *scale)
{
	html_page__put(page, row->key ? "<tr>" : "<tr class=\"other\">");
	put_name(page, table, row);
	for (int i = 0; i < HTML_COLUMNS_MAX && table->columns[i].title; i++)
		html_column__put_cell(page, &table->columns[i], row, scale);
	html_page__put(page, "</tr>\n");
}

/* ---- a table */

static void put_head(struct html_page *page, const struct table *table)
{
	html_page__put(page, "<thead><tr><th scope=\"col\">%s</th>", words[table->section].rows);
	for (int i = 0; i < HTML_COLUMNS_MAX && table->columns[i].title; i++)
		html_column__put_head(page, &table->columns[i]);
	html_page__put(page, "</tr></thead>\n<tbody>\n");
}

static void put_table(struct html_page *page, const struct table *table)
{
	struct html_scale scale = {0};
	size_t shown = table->count < page->summary->options.rows
			       ? table->count
			       : (size_t)page->summary->options.rows;

	if (sections[table->section].has_share)
		scale.whole_ns = summary__time_ns(page->summary, table->section);
	html_spread__scale(&scale, table->rows, table->count);
	html_page__begin_table(page, table->id, table->title, "rows sortable");
	put_head(page, table);
	for (size_t i = 0; i < shown; i++)
		put_row(page, table, table->rows[i], &scale);
	html_page__put(page, "</tbody>");
	html_page__end_table(page);
	if (shown < table->count)
		html_page__put(page,
			       "<p class=\"note\">%zu other rows are left out (--rows).</p>\n",
			       table->count - shown);
}

/* ---- sections */

static void put_durations_note(struct html_page *page, const struct table *table)
{
	struct html_scale scale = {0};
	char from[HTML_NUMBER_BYTES], to[HTML_NUMBER_BYTES];

	html_spread__scale(&scale, table->rows, table->count);
	if (scale.to_ns)
		html_page__put(page,
			       "<p class=\"note\">Durations: %s, on a logarithmic axis from %s to "
			       "%s.</p>\n",
			       words[table->section].durations, html_duration(from, scale.from_ns),
			       html_duration(to, scale.to_ns));
}

static void put_section(struct html_page *page, enum section_id section)
{
	const struct words *about = &words[section];
	struct table table = {.section = section,
			      .id = sections[section].name,
			      .title = sections[section].title,
			      .columns = html_columns[section]};
	struct report_row **rows =
		report_rows__sorted(page->summary->tables[section], &table.count);

	page->has_failed = page->has_failed || !rows;
	table.rows = rows;
	if (rows && table.count) {
		html_page__begin_section(page, table.id, table.title);
		if (about->note)
			html_page__put(page, "<p class=\"note\">%s</p>\n", about->note);
		put_table(page, &table);
		if (about->durations)
			put_durations_note(page, &table);
		html_page__end_section(page);
	}
	free(rows);
}

static void put_slow(struct html_page *page, enum section_id section, int slow, uint64_t over_ns,
		     const struct html_column *columns)
{
	char title[80], over[HTML_NUMBER_BYTES];
	struct table table = {.section = section,
			      .id = section == SECTION_COMMANDS ? "slow_commands" : "slow_steps",
			      .title = title,
			      .columns = columns};
	size_t count;
	struct report_row **rows = report_rows__sorted(page->summary->tables[section], &count);

	for (size_t i = 0; rows && i < count; i++)
		if (rows[i]->numbers[slow])
			rows[table.count++] = rows[i];
	snprintf(title, sizeof(title), "%s over %s", sections[section].title,
		 html_duration(over, over_ns));
	table.rows = rows;
	page->has_failed = page->has_failed || !rows;
	if (table.count) {
		html_page__put(page, "<h3>%s</h3>\n", title);
		put_table(page, &table);
	} else {
		html_page__put(page, "<p class=\"note\">%s: none</p>\n", title);
	}
	free(rows);
}

static void put_bottlenecks(struct html_page *page)
{
	const struct summary_options *options = &page->summary->options;

	html_page__begin_section(page, "bottlenecks", "Bottlenecks");
	put_slow(page, SECTION_COMMANDS, COMMANDS_SLOW, options->slow_command_ns,
		 html_slow_columns[0]);
	put_slow(page, SECTION_STEPS, STEPS_SLOW, options->slow_step_ns, html_slow_columns[1]);
	html_page__end_section(page);
}

void html_tables__write(struct html_page *page)
{
	for (int section = 0; section < SECTIONS_COUNT; section++) {
		put_section(page, (enum section_id)section);
		if (section == SECTION_STEPS)
			put_bottlenecks(page);
	}
}
