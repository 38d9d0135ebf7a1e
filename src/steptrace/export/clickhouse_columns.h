/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of rows for ClickHouse. docs/scale.md has them as a table definition. */
#ifndef STEPTRACE_CLICKHOUSE_COLUMNS_H
#define STEPTRACE_CLICKHOUSE_COLUMNS_H

#include "steptrace/export/event_values.h"

/* `host` comes from another event: clickhouse.c writes it. */

/* Of every event. */
extern const struct event_values clickhouse_common_columns;
/* Further ones of the events of executions, and of trace.* */
extern const struct event_values clickhouse_execution_columns, clickhouse_trace_columns;

#endif
