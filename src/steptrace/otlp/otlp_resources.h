/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resources: who made the spans. Each process is one, and so is the tracer, which makes the
 * events about the recording.
 *
 *	{"attributes":[{"key":"service.name","value":{"stringValue":"steprun"}},
 *	 {"key":"host.name",…},{"key":"process.pid",…},…]}
 *
 * Which program a process executes is known from trace.attached; a process that it does not list
 * (a forked worker) has the program whose name begins as the name of the process.
 */
#ifndef STEPTRACE_OTLP_RESOURCES_H
#define STEPTRACE_OTLP_RESOURCES_H

#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/json.h"

/* Of all resources that are kept written, and of what is known of a host and of a program. */
enum {
	OTLP_RESOURCES_BYTES_MAX = 16 << 20,
	OTLP_HOST_BYTES_MAX = 255,
	OTLP_PATH_BYTES_MAX = 4096,
};

struct otlp_resource {
	uint64_t version; /* two resources with the same version are the same; 0: none */
	struct json text; /* as above */
};

struct otlp_resources;

/* `service` is the service.name of all of them; NULL: the name of the program. It is borrowed.
 * NULL: no memory. */
struct otlp_resources *otlp_resources__new(const char *service);
/* Accepts NULL. */
void otlp_resources__free(struct otlp_resources *resources);

/* Learns from an event: the host, the labels, programs, containers. 0 or -ENOMEM. */
int otlp_resources__learn(struct otlp_resources *resources, const struct recorded_event *event);

/* Of the process of the event, valid until the next call of any function; NULL: no memory. */
const struct otlp_resource *otlp_resources__of(struct otlp_resources *resources,
					       const struct recorded_event *event);

/* The bytes of the resources of processes that are kept written. */
size_t otlp_resources__bytes(const struct otlp_resources *resources);

#endif
