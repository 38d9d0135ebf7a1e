// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_resources.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/otlp/otlp_labels.h"
#include "steptrace/otlp/otlp_values.h"
#include "steptrace/stream/json_scan.h"

/* COMM_BYTES: what the kernel keeps of a name of a process. */
enum { PROCESSES_COUNT = 4096, PROGRAMS_MAX = 256, COMM_BYTES = 15, CONTAINER_BYTES = 128 };

struct process {
	uint64_t pid;
	bool is_used;
	char *exe; /* owned; NULL: not known */
	char container[CONTAINER_BYTES + 1];
	struct otlp_resource resource; /* version 0: not written yet */
};

struct otlp_resources {
	const char *service;
	uint64_t versions;  /* that were given out */
	char *host;         /* owned; NULL: none */
	struct json labels; /* elements of the array of attributes */
	struct json draft;  /* a resource that is being written */
	size_t bytes;       /* of the texts of the processes */
	char *programs[PROGRAMS_MAX];
	size_t programs_count;
	struct otlp_resource tracer;
	struct process processes[PROCESSES_COUNT]; /* by the pid, modulo */
};

struct otlp_resources *otlp_resources__new(const char *service)
{
	struct otlp_resources *resources = calloc(1, sizeof(*resources));

	if (resources)
		resources->service = service;
	return resources;
}

static void forget_text(struct otlp_resources *resources, struct process *process)
{
	resources->bytes -= json__length(&process->resource.text);
	json__free(&process->resource.text);
	process->resource = (struct otlp_resource){.version = 0};
}

static void forget(struct otlp_resources *resources, struct process *process)
{
	free(process->exe);
	forget_text(resources, process);
	*process = (struct process){.pid = 0};
}

void otlp_resources__free(struct otlp_resources *resources)
{
	if (!resources)
		return;
	for (int i = 0; i < PROCESSES_COUNT; i++)
		forget(resources, &resources->processes[i]);
	for (size_t i = 0; i < resources->programs_count; i++)
		free(resources->programs[i]);
	json__free(&resources->tracer.text);
	json__free(&resources->labels);
	json__free(&resources->draft);
	free(resources->host);
	free(resources);
}

size_t otlp_resources__bytes(const struct otlp_resources *resources)
{
	return resources->bytes;
}

/* ---- learning */

static int keep(char **place, struct recorded_text text)
{
	char *copy = strndup(text.text, text.bytes);

	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

/* What is known of another process that had the place before is forgotten. */
static struct process *process_of(struct otlp_resources *resources, uint64_t pid)
{
	struct process *process = &resources->processes[pid % PROCESSES_COUNT];

	if (!process->is_used || process->pid != pid) {
		forget(resources, process);
		process->pid = pid;
		process->is_used = true;
	}
	return process;
}

static bool is_program_known(const struct otlp_resources *resources, struct recorded_text exe)
{
	for (size_t i = 0; i < resources->programs_count; i++)
		if (recorded_text__is(exe, resources->programs[i]))
			return true;
	return false;
}

static int add_program(struct otlp_resources *resources, struct recorded_text exe)
{
	if (resources->programs_count == PROGRAMS_MAX || is_program_known(resources, exe))
		return 0;
	if (keep(&resources->programs[resources->programs_count], exe))
		return -ENOMEM;
	resources->programs_count++;
	return 0;
}

static int set_program(struct otlp_resources *resources, uint64_t pid, struct recorded_text exe)
{
	struct process *process = process_of(resources, pid);

	if (process->exe && recorded_text__is(exe, process->exe))
		return 0;
	process->resource.version = 0;
	return keep(&process->exe, exe);
}

/* trace.attached: "exe":"/usr/bin/app",…,"pids":[4711,4712] */
static int learn_program(struct otlp_resources *resources, const struct recorded_event *event)
{
	struct json_scan scan;
	struct json_member member;
	int code;

	if (!event->exe.bytes || event->exe.bytes > OTLP_PATH_BYTES_MAX)
		return 0;
	code = add_program(resources, event->exe);
	if (code || !json_scan__begin(&scan, event->line.text, event->line.bytes))
		return code;
	while (!code && json_scan__next(&scan, &member)) {
		const char *at = member.value, *end = member.value + member.value_bytes;

		if (!json_member__is(&member, "pids"))
			continue;
		while (!code && at < end) {
			uint64_t pid = 0;
			const char *from;

			while (at < end && !(*at >= '0' && *at <= '9'))
				at++;
			for (from = at; at < end && *at >= '0' && *at <= '9'; at++)
				pid = pid * 10 + (uint64_t)(*at - '0');
			if (at > from)
				code = set_program(resources, pid, event->exe);
		}
	}
	return code;
}

static int learn_container(struct otlp_resources *resources, const struct recorded_event *event)
{
	struct process *process = process_of(resources, event->pid);

	if (!event->container_id.bytes || event->container_id.bytes > CONTAINER_BYTES ||
	    recorded_text__is(event->container_id, process->container))
		return 0;
	memcpy(process->container, event->container_id.text, event->container_id.bytes);
	process->container[event->container_id.bytes] = 0;
	process->resource.version = 0;
	return 0;
}

static struct recorded_text first_of(struct recorded_text text, size_t bytes)
{
	return (struct recorded_text){text.text, text.bytes < bytes ? text.bytes : bytes};
}

/* A recording of several hosts: what follows is of the new one. */
static int learn_host(struct otlp_resources *resources, const struct recorded_event *event)
{
	struct recorded_text host = first_of(event->host, OTLP_HOST_BYTES_MAX);
	int code = 0;

	if (host.bytes && !(resources->host && recorded_text__is(host, resources->host)))
		code = keep(&resources->host, host);
	if (!code && event->labels.bytes)
		code = otlp_labels__write(&resources->labels, event->labels);
	resources->tracer.version = 0;
	for (int i = 0; i < PROCESSES_COUNT && !code; i++)
		resources->processes[i].resource.version = 0;
	return code;
}

int otlp_resources__learn(struct otlp_resources *resources, const struct recorded_event *event)
{
	if (event->kind == RECORDED_TRACE_STARTED)
		return learn_host(resources, event);
	if (event->kind == RECORDED_TRACE_ATTACHED)
		return learn_program(resources, event);
	if (event->kind == RECORDED_COMMAND_STARTED && RECORDED_HAS(event, container_id))
		return learn_container(resources, event);
	return 0;
}

/* ---- writing */

static struct recorded_text text_of(const char *text)
{
	return (struct recorded_text){text, strlen(text)};
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool is_named(const char *exe, struct recorded_text comm)
{
	const char *base = base_of(exe);
	size_t bytes = strlen(base);

	bytes = bytes < COMM_BYTES ? bytes : COMM_BYTES;
	return comm.bytes == bytes && memcmp(comm.text, base, bytes) == 0;
}

static const char *exe_of(const struct otlp_resources *resources, const struct process *process,
			  struct recorded_text comm)
{
	if (process->exe)
		return process->exe;
	for (size_t i = 0; i < resources->programs_count; i++)
		if (is_named(resources->programs[i], comm))
			return resources->programs[i];
	return resources->programs_count == 1 ? resources->programs[0] : NULL;
}

static int begin(struct otlp_resources *resources, struct recorded_text service)
{
	struct json *json = &resources->draft;
	size_t labels_bytes = json__length(&resources->labels);

	json->at = json->base;
	if (json__reserve(json, 2048 + labels_bytes + 6 * service.bytes + 6 * OTLP_HOST_BYTES_MAX))
		return -ENOMEM;
	json__raw(json, "{\"attributes\":[");
	otlp__put_text(json, "service.name", service);
	if (resources->host)
		otlp__put_text(json, "host.name", text_of(resources->host));
	if (labels_bytes)
		json__bytes(json, resources->labels.base, labels_bytes);
	return 0;
}

/* The draft becomes the resource, whose memory is as large as the text. */
static int end(struct otlp_resources *resources, struct otlp_resource *resource)
{
	struct json *draft = &resources->draft;

	otlp__end_array(draft);
	json__raw(draft, "}");
	json__free(&resource->text);
	if (json__init(&resource->text, json__length(draft))) {
		*resource = (struct otlp_resource){.version = 0};
		return -ENOMEM;
	}
	json__bytes(&resource->text, draft->base, json__length(draft));
	resource->version = ++resources->versions;
	return 0;
}

static int write_tracer(struct otlp_resources *resources)
{
	if (begin(resources, text_of(resources->service ? resources->service : "steptrace")))
		return -ENOMEM;
	return end(resources, &resources->tracer);
}

/* They are written again when an event needs them. */
static void forget_texts(struct otlp_resources *resources)
{
	for (int i = 0; i < PROCESSES_COUNT; i++)
		forget_text(resources, &resources->processes[i]);
}

static int end_process(struct otlp_resources *resources, struct process *process)
{
	size_t most = json__length(&resources->draft) + 2; /* end() adds two bytes */

	forget_text(resources, process);
	if (resources->bytes + most > OTLP_RESOURCES_BYTES_MAX)
		forget_texts(resources);
	if (end(resources, &process->resource))
		return -ENOMEM;
	resources->bytes += json__length(&process->resource.text);
	return 0;
}

static int write_process(struct otlp_resources *resources, struct process *process,
			 const struct recorded_event *event)
{
	struct json *json = &resources->draft;
	const char *exe = exe_of(resources, process, event->comm);
	struct recorded_text service =
		exe ? text_of(base_of(exe)) : first_of(event->comm, COMM_BYTES);

	if (resources->service)
		service = text_of(resources->service);
	else if (!service.bytes)
		service = text_of("unknown_service");
	if (begin(resources, service) || json__reserve(json, 2048 + (exe ? 12 * strlen(exe) : 0)))
		return -ENOMEM;
	otlp__put_u64(json, "process.pid", process->pid);
	if (RECORDED_HAS(event, uid))
		otlp__put_u64(json, "process.user.id", event->uid);
	if (exe) {
		otlp__put_text(json, "process.executable.name", text_of(base_of(exe)));
		otlp__put_text(json, "process.executable.path", text_of(exe));
	}
	if (process->container[0])
		otlp__put_text(json, "container.id", text_of(process->container));
	return end_process(resources, process);
}

const struct otlp_resource *otlp_resources__of(struct otlp_resources *resources,
					       const struct recorded_event *event)
{
	struct process *process;

	if (!recorded_event__is_of_runner(event)) {
		if (!resources->tracer.version && write_tracer(resources))
			return NULL;
		return &resources->tracer;
	}
	process = process_of(resources, event->pid);
	if (!process->resource.version && write_process(resources, process, event))
		return NULL;
	return &process->resource;
}
