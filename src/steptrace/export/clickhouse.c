// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/clickhouse.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/export/clickhouse_columns.h"
#include "steptrace/export/file_host.h"

enum { NAME_BYTES_MAX = 32 }; /* of a column, with its quotes, colon and comma */

struct clickhouse {
	struct export_out *out;
	struct file_host host; /* of the file that is being read */
	struct clickhouse_counts counts;
};

struct clickhouse *clickhouse__new(struct export_out *out)
{
	struct clickhouse *clickhouse = calloc(1, sizeof(*clickhouse));

	if (clickhouse)
		clickhouse->out = out;
	return clickhouse;
}

void clickhouse__free(struct clickhouse *clickhouse)
{
	free(clickhouse);
}

/* An event of a newer version that this one does not know goes the way of its name, too. */
static const struct event_values *further_columns(const struct recorded_event *event)
{
	static const char trace[] = "trace.";
	const struct recorded_text name = event->event_name;

	return name.bytes >= strlen(trace) && memcmp(name.text, trace, strlen(trace)) == 0
		       ? &clickhouse_trace_columns
		       : &clickhouse_execution_columns;
}

static size_t bytes_of(const struct event_values *columns, const struct recorded_event *event)
{
	return columns->count * NAME_BYTES_MAX + event_values__bytes(columns, event);
}

/* Each value has a comma behind it. */
static void put_columns(const struct event_values *columns, const struct recorded_event *event,
			struct json *json)
{
	for (size_t i = 0; i < columns->count; i++) {
		const struct event_value *value = &columns->values[i];
		char *before = json->at;

		if (!event_value__is_present(value, event))
			continue;
		json__raw(json, "\"");
		json__word(json, value->name);
		json__raw(json, "\":");
		if (event_value__column(value, event, json))
			json__raw(json, ",");
		else
			json->at = before;
	}
}

static int write_row(struct clickhouse *clickhouse, const struct recorded_event *event)
{
	const struct event_values *further = further_columns(event);
	const struct file_host *host = &clickhouse->host;
	struct json *json = export_out__room(clickhouse->out,
					     64 + JSON_TEXT_BYTES(host->bytes) +
						     bytes_of(&clickhouse_common_columns, event) +
						     bytes_of(further, event));

	if (!json)
		return clickhouse->out->err;
	json__raw(json, "{\"host\":");
	json__text(json, host->text, host->bytes);
	json__raw(json, ",");
	put_columns(&clickhouse_common_columns, event, json);
	put_columns(further, event, json);
	json->at--; /* the last comma */
	json__raw(json, "}\n");
	clickhouse->counts.rows++;
	clickhouse->counts.without_host += !host->bytes;
	return 0;
}

int clickhouse__event(struct clickhouse *clickhouse, const struct recorded_event *event)
{
	file_host__event(&clickhouse->host, event);
	clickhouse->counts.lost += event->kind == RECORDED_TRACE_LOST ? event->lost : 0;
	if (RECORDED_HAS(event, timestamp_ns) && event->timestamp_ns <= INT64_MAX)
		return write_row(clickhouse, event);
	clickhouse->counts.without_time++;
	return 0;
}

int clickhouse__end(struct clickhouse *clickhouse, struct clickhouse_counts *counts)
{
	*counts = clickhouse->counts;
	return export_out__flush(clickhouse->out);
}
