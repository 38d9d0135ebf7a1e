/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of a recorded event by the name of the member, for tables of columns: an export
 * chooses members and their names, and this file knows how to write each type.
 *
 *	static const struct event_value outcome = EVENT_VALUE("outcome", outcome_name);
 *
 *	event_value__json(&outcome, &event, json);		"success"
 */
#ifndef STEPTRACE_EVENT_VALUES_H
#define STEPTRACE_EVENT_VALUES_H

#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/json.h"

struct event_value {
	const char *name; /* of the column or argument; plain ASCII */
	enum recorded_bit member;
};

#define EVENT_VALUE(shown, of_event)                                                               \
	{                                                                                          \
		.name = (shown), .member = RECORDED_BIT_##of_event                                 \
	}

/* Rows that several tables have. */
#define EVENT_VALUES_OF_CPU                                                                        \
	EVENT_VALUE("on_cpu_ms", on_cpu_ns), EVENT_VALUE("runnable_ms", runnable_ns),              \
		EVENT_VALUE("blocked_disk_ms", blocked_disk_ns),                                   \
		EVENT_VALUE("blocked_lock_ms", blocked_lock_ns),                                   \
		EVENT_VALUE("blocked_network_ms", blocked_network_ns),                             \
		EVENT_VALUE("blocked_sleep_ms", blocked_sleep_ns),                                 \
		EVENT_VALUE("blocked_pipe_ms", blocked_pipe_ns),                                   \
		EVENT_VALUE("blocked_other_ms", blocked_other_ns)

/* From where a command came; in no other event than its start. */
#define EVENT_VALUES_OF_ORIGIN                                                                     \
	EVENT_VALUE("schedule_id", schedule_id), EVENT_VALUE("schedule_run_id", schedule_run_id),  \
		EVENT_VALUE("planned_run_at", planned_run_at_ns),                                  \
		EVENT_VALUE("queue", queue_name), EVENT_VALUE("queue_attempt", attempt),           \
		EVENT_VALUE("queue_wait_ms", wait_ns), EVENT_VALUE("container_id", container_id)

/* A table of values. */
struct event_values {
	const struct event_value *values;
	size_t count;
};

#define EVENT_VALUES(table)                                                                        \
	{                                                                                          \
		table, sizeof(table) / sizeof((table)[0])                                          \
	}

bool event_value__is_present(const struct event_value *value, const struct recorded_event *event);

/* The most that the next functions write for this value. */
size_t event_value__bytes(const struct event_value *value, const struct recorded_event *event);

/* The same for all of them that are present. */
size_t event_values__bytes(const struct event_values *values, const struct recorded_event *event);

/* As JSON. Times are in milliseconds, timestamps in RFC 3339. null if the event does not have it.
 * The caller has reserved event_value__bytes(). */
void event_value__json(const struct event_value *value, const struct recorded_event *event,
		       struct json *json);

/* As the cell of a table (csv_cell.h); nothing if the event does not have it. */
void event_value__cell(const struct event_value *value, const struct recorded_event *event,
		       struct json *json);

/* As JSON for a column of ClickHouse: durations are integers of nanoseconds, timestamps are the
 * text of a DateTime64(9, 'UTC'), and JSON within the event is a text. The value is present.
 * False: the column cannot hold it (a DateTime64 ends in the year 2262), and nothing was written.
 * The caller has reserved event_value__bytes(). */
bool event_value__column(const struct event_value *value, const struct recorded_event *event,
			 struct json *json);

/* RFC 3339 in UTC with nine decimals, without quotes. */
enum { EVENT_TIME_BYTES = 32 };
void event_time__write(struct json *json, uint64_t ns);

#endif
