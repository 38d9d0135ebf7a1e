// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/inflight/inflight_report.h"
#include "steptrace/inflight/open_row.h"

enum { ROW_BYTES = OPEN_ROW_JSON_BYTES + 8 * STACK_TEXT_BYTES };

static void put_time(struct json *out, const char *event, struct clock_anchor *clock,
		     uint64_t now_ns)
{
	json__raw(out, "{\"event\":\"");
	json__word(out, event);
	json__raw(out, "\",\"timestamp\":\"");
	clock_anchor__timestamp(clock, out, now_ns);
	json__raw(out, "\",\"monotonic_ns\":");
	json__u64(out, now_ns);
}

static void put_stack(struct json *out, const struct open_row *row)
{
	char stack[STACK_TEXT_BYTES], *rest = stack;
	const char *separator = "";

	json__raw(out, ",\"stack\":[");
	thread__kernel_stack(row->pid, &row->thread, stack);
	for (char *name = strsep(&rest, "\n"); name; name = strsep(&rest, "\n")) {
		if (!name[0])
			continue;
		json__word(out, separator);
		json__text(out, name, strlen(name));
		separator = ",";
	}
	json__raw(out, "]");
}

/* Null where no tracer is attached. */
static void put_attached_since(struct json *out, const struct inflight *inflight,
			       const struct inflight_options *options)
{
	uint64_t since_ns = options->seen ? options->seen->since_ns : 0;

	json__raw(out, ",\"attached_ms\":");
	if (since_ns)
		json__milliseconds(out, inflight->now_ns - since_ns);
	else
		json__raw(out, "null");
}

static void put_summary(struct json *out, const struct inflight *inflight,
			const struct inflight_options *options, struct clock_anchor *clock)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"rows", inflight->rows_count},
		{"runners", inflight->runners},
		{"older_headers", inflight->older_headers},
		{"newer_headers", inflight->newer_headers},
		{"attached", inflight->seen},
		{"unreadable", inflight->unreadable},
		{"partial", inflight->partial},
		{"revisited", inflight->revisited},
		{"unseen_processes", inflight->unseen},
		{"copies", inflight->copies},
		{"invalid", inflight->invalid},
		{"left_out", inflight->left_out},
		{"searched_bytes", inflight->searched_bytes},
		{"swapped_bytes", inflight->swapped_bytes},
	};

	put_time(out, "inflight.summary", clock, inflight->now_ns);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		json__raw(out, ",\"");
		json__word(out, counts[i].name);
		json__raw(out, "\":");
		json__u64(out, counts[i].count);
	}
	put_attached_since(out, inflight, options);
	json__raw(out, "}\n");
}

int inflight__json(struct json *out, const struct inflight *inflight,
		   const struct inflight_options *options, struct clock_anchor *clock)
{
	struct open_row *row = malloc(sizeof(*row));
	int code = row ? 0 : -ENOMEM;

	for (size_t i = 0; i < inflight->rows_count && !code; i++) {
		code = json__reserve(out, ROW_BYTES);
		if (code)
			break;
		open_row__fill(row, inflight, &inflight->rows[i]);
		put_time(out, "inflight.row", clock, inflight->now_ns);
		open_row__put_identity(out, row);
		json__raw(out, ",\"found_in\":");
		json__word(out, row->is_seen ? "\"events\"" : "\"memory\"");
		open_row__put_facts(out, row, options->has_stacks ? put_stack : NULL);
		json__raw(out, "}\n");
	}
	free(row);
	if (!code)
		code = json__reserve(out, 1024);
	if (!code)
		put_summary(out, inflight, options, clock);
	return code;
}
