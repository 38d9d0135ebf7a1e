/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of a recording as a template: text, with slots for what differs between hosts.
 *
 *	{"event":"dsl.step.executed","correlation_id":"<id>","execution_id":"<id>",...
 *
 * Slots are the ids that are UUIDs (but those of version 0), the times, and the name of the host.
 * All else is kept, so the lines stay valid. The line is one that steptrace wrote, without blanks
 * between tokens.
 */
#ifndef STEPTRACE_LINE_TEMPLATE_H
#define STEPTRACE_LINE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum slot_kind {
	SLOT_NONE,      /* text only: the end of the line */
	SLOT_TIME,      /* RFC 3339 with nine decimals */
	SLOT_REALTIME,  /* nanoseconds since 1970 */
	SLOT_MONOTONIC, /* nanoseconds */
	SLOT_UUID,
	SLOT_HOST,
};

enum { SLOTS_MAX = 16, HOST_NAME_BYTES = 32 };

struct slot {
	uint32_t at, bytes; /* the text in front of the slot */
	enum slot_kind kind;
	int64_t ns;     /* of a time */
	uint64_t id[2]; /* of a UUID */
};

struct line_template {
	const char *text; /* borrowed */
	struct slot slots[SLOTS_MAX];
	size_t count;        /* the last one is SLOT_NONE */
	size_t bytes_max;    /* of a rendered line */
	bool is_start;       /* trace.started */
	int64_t realtime_ns; /* its timestamp */
	int64_t monotonic_ns;
};

/* What a host does to the line. Times become (t - from) / speed_up + to. */
struct rendering {
	const char *host;
	bool has_label;      /* the line gets "labels":{"host":NAME} */
	uint64_t id_mask[2]; /* for UUIDs: exclusive or */
	int64_t realtime_from, realtime_to, monotonic_from, monotonic_to;
	int64_t speed_up;
};

/* The text has `bytes` bytes, without a newline. NULL, or what is wrong with it. */
const char *line_template__parse(struct line_template *line, const char *text, size_t bytes);

/* Writes the line, with a newline, at `to`. Returns its end. */
char *line_template__render(const struct line_template *line, const struct rendering *how,
			    char *to);

#endif
