/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a message of Kafka says beside its value, which is the line of an event:
 *
 *	{"event":"dsl.step.executed","correlation_id":"5e0c...",...}
 *	header event "dsl.step.executed"	key "5e0c..."
 *
 * Messages with one key are in one partition, and stay in order there. A key is spelled as in the
 * line, where quotes and backslashes are escaped. An event without a
 * correlation id has its execution id as key, and an event without both, such as trace.lost, the
 * name of the host.
 */
#ifndef STEPTRACE_KAFKA_EVENT_H
#define STEPTRACE_KAFKA_EVENT_H

#include <stdbool.h>
#include <stddef.h>

struct kafka_event {
	const char *name; /* in the line */
	size_t name_bytes;
	const char *key; /* in the line, or `host` */
	size_t key_bytes;
};

/* The line is one that steptrace wrote: see docs/schema. */
void kafka_event__find(struct kafka_event *event, const char *line, size_t bytes, const char *host);

/* Copies the member "host" of a trace.started. False: it has none, and nothing is changed. */
bool kafka_event__host(const char *line, size_t bytes, char *host, size_t room);

#endif
