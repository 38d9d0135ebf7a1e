// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/csv.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/export/csv_cell.h"
#include "steptrace/export/file_host.h"
#include "steptrace/export/held_executions.h"

/* The event of which one is one row. */
static const enum recorded_kind row_kinds[CSV_TABLES_COUNT] = {
	[CSV_COMMANDS] = RECORDED_COMMAND_COMPLETED,
	[CSV_STEPS] = RECORDED_STEP_EXECUTED,
	[CSV_TOOLS] = RECORDED_TOOL_COMPLETED,
};

struct csv {
	struct export_out *out;
	enum csv_table table;
	struct held_executions *executions; /* owned; for commands */
	struct json row;                    /* the row that is being made */
	struct file_host host;              /* of the file that is being read */
	struct csv_counts counts;
};

/* ---- rows */

static int write_row(struct csv *csv)
{
	size_t bytes = json__length(&csv->row);
	struct json *json = export_out__room(csv->out, bytes + 2);

	if (!json)
		return csv->out->err;
	json__bytes(json, csv->row.base, bytes);
	json__raw(json, "\r\n");
	return 0;
}

static int write_header(struct csv *csv)
{
	csv->row.at = csv->row.base;
	json__raw(&csv->row, "begin,end,host,");
	if (csv_columns__names(&csv_end_columns[csv->table], &csv->row))
		return -ENOMEM;
	if (csv->table == CSV_COMMANDS) {
		if (json__reserve(&csv->row, 1))
			return -ENOMEM;
		json__raw(&csv->row, ",");
		if (csv_columns__names(&csv_start_columns, &csv->row))
			return -ENOMEM;
	}
	return write_row(csv);
}

/* The time for which the runner had suspended the span is no part of the duration. */
static void put_times(struct json *json, const struct recorded_event *event)
{
	uint64_t whole_ns = event->duration_ns + event->suspended_ns;
	bool is_start = event->kind == RECORDED_COMMAND_STARTED;

	if (is_start)
		event_time__write(json, event->timestamp_ns);
	else if (RECORDED_HAS(event, duration_ns) && event->timestamp_ns >= whole_ns)
		event_time__write(json, event->timestamp_ns - whole_ns);
	json__raw(json, ",");
	if (!is_start && RECORDED_HAS(event, timestamp_ns))
		event_time__write(json, event->timestamp_ns);
	json__raw(json, ",");
}

/* Makes the row up to the columns of the end. */
static int make_row(struct csv *csv, const struct recorded_event *event)
{
	csv->row.at = csv->row.base;
	if (json__reserve(&csv->row, 128 + JSON_TEXT_BYTES(csv->host.bytes)))
		return -ENOMEM;
	put_times(&csv->row, event);
	csv_cell__text(&csv->row, csv->host.text, csv->host.bytes);
	json__raw(&csv->row, ",");
	return csv_columns__cells(&csv_end_columns[csv->table], event, &csv->row);
}

/* ---- commands: the cells of the start are held until the end */

static int hold_row(struct csv *csv, struct held_execution *execution)
{
	free(execution->command);
	execution->command_bytes = json__length(&csv->row);
	execution->command = malloc(execution->command_bytes);
	if (!execution->command)
		return -ENOMEM;
	memcpy(execution->command, csv->row.base, execution->command_bytes);
	return 0;
}

static int write_open(struct csv *csv, struct held_execution *execution)
{
	size_t bytes = execution->command_bytes;
	int err = json__reserve(&csv->row, bytes);

	csv->row.at = csv->row.base;
	if (!err) {
		json__bytes(&csv->row, execution->command, bytes);
		err = write_row(csv);
	}
	csv->counts.rows++;
	csv->counts.without_end++;
	held_executions__end(csv->executions, execution);
	return err;
}

static int on_started(struct csv *csv, const struct recorded_event *event)
{
	struct held_execution *execution =
		held_executions__find(csv->executions, event->execution_id);
	int err;

	if (!execution || !execution->is_open)
		execution = held_executions__open(csv->executions, event->execution_id);
	if (!execution || make_row(csv, event) || json__reserve(&csv->row, 1))
		return -ENOMEM;
	json__raw(&csv->row, ",");
	execution->command_split = json__length(&csv->row);
	err = csv_columns__cells(&csv_start_columns, event, &csv->row);
	if (!err)
		err = hold_row(csv, execution);
	if (!err && held_executions__open_count(csv->executions) > HELD_EXECUTIONS_MAX)
		err = write_open(csv, held_executions__oldest(csv->executions));
	return err;
}

/* Without the start: as many empty cells. */
static int add_start(struct csv *csv, const struct held_execution *execution)
{
	size_t bytes = execution ? execution->command_bytes - execution->command_split
				 : csv_start_columns.count - 1;

	if (json__reserve(&csv->row, bytes + 1))
		return -ENOMEM;
	json__raw(&csv->row, ",");
	if (execution) {
		json__bytes(&csv->row, execution->command + execution->command_split, bytes);
		return 0;
	}
	memset(csv->row.at, ',', bytes);
	csv->row.at += bytes;
	return 0;
}

static int on_completed(struct csv *csv, const struct recorded_event *event)
{
	struct held_execution *execution =
		held_executions__find(csv->executions, event->execution_id);
	int err = make_row(csv, event);

	if (execution && !execution->is_open)
		execution = NULL;
	csv->counts.without_start += !execution;
	if (!err)
		err = add_start(csv, execution);
	if (!err)
		err = write_row(csv);
	csv->counts.rows++;
	if (execution)
		held_executions__end(csv->executions, execution);
	return err;
}

/* ---- the stream */

struct csv *csv__continue(struct export_out *out, enum csv_table table)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	if (!csv)
		return NULL;
	csv->out = out;
	csv->table = table;
	csv->executions = held_executions__new();
	if (csv->executions && json__init(&csv->row, 4096) == 0)
		return csv;
	csv__free(csv);
	return NULL;
}

struct csv *csv__new(struct export_out *out, enum csv_table table)
{
	struct csv *csv = csv__continue(out, table);

	if (csv && write_header(csv) == 0)
		return csv;
	csv__free(csv);
	return NULL;
}

void csv__free(struct csv *csv)
{
	if (!csv)
		return;
	held_executions__free(csv->executions);
	json__free(&csv->row);
	free(csv);
}

static bool has_id(const struct recorded_event *event)
{
	return event->execution_id.bytes != 0;
}

int csv__event(struct csv *csv, const struct recorded_event *event)
{
	bool is_command = csv->table == CSV_COMMANDS && has_id(event);
	int err = 0;

	file_host__event(&csv->host, event);
	csv->counts.lost += event->kind == RECORDED_TRACE_LOST ? event->lost : 0;
	if (is_command && event->kind == RECORDED_COMMAND_STARTED)
		return on_started(csv, event);
	if (event->kind != row_kinds[csv->table])
		return 0;
	if (is_command)
		return on_completed(csv, event);
	err = make_row(csv, event);
	if (!err && csv->table == CSV_COMMANDS)
		err = add_start(csv, NULL);
	csv->counts.rows++;
	return err ? err : write_row(csv);
}

int csv__end(struct csv *csv, struct csv_counts *counts)
{
	struct held_execution *open;
	int err = 0;

	while (!err && (open = held_executions__oldest(csv->executions)))
		err = write_open(csv, open);
	*counts = csv->counts;
	return err ? err : export_out__flush(csv->out);
}
