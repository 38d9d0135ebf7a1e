// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text that comes from the machine or its user, and not from a runner: the path of a cgroup and the
 * container in it, labels, and lines of /proc. Each parser gets each line of the input.
 *
 * links: STREAM src/steptrace/attach/process_tree.c
 * links: src/steptrace/attach/exec_marks.c -lcjson
 */
#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/records.h"
#include "common/process_maps.h"
#include "steptrace/attach/exec_marks.h"
#include "steptrace/attach/process_tree.h"
#include "steptrace/stream/container.h"
#include "steptrace/stream/trace_events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 64, CGROUP_PATH_MAX = 4095 }; /* see record/cgroups.c */

static void require(int condition)
{
	if (!condition)
		abort();
}

/* ---- a recording with these labels, in a cgroup with this path */

static const char *cgroup_path(void *context, uint64_t cgroup_id, uint32_t pid)
{
	(void)cgroup_id;
	(void)pid;
	return context;
}

/* Every line is a JSON object; its labels are those that were taken. */
static void check_lines(struct stream *stream, const struct labels *labels)
{
	const struct json *text = &stream__lines(stream)->text;
	size_t lines = 0;

	for (const char *at = text->base, *next; at < text->at; at = next, lines++) {
		size_t expected = lines == 0 || labels->is_everywhere ? labels->count : 0;
		cJSON *event;

		next = memchr(at, '\n', (size_t)(text->at - at));
		require(next != NULL);
		next++;
		event = cJSON_ParseWithLength(at, (size_t)(next - at));
		require(cJSON_IsObject(event));
		require((size_t)cJSON_GetArraySize(cJSON_GetObjectItem(event, "labels")) ==
			expected);
		cJSON_Delete(event);
	}
	require(lines == 2);
}

static void record_with(const struct labels *labels, char *path)
{
	const struct trace_facts facts = {
		.host = "", .boot_id = "", .kernel = "", .site = "", .method = ""};
	const struct stream_options options = {.format = FORMAT_JSON,
					       .labels = *labels,
					       .executions_limit = 4,
					       .cgroup_path = cgroup_path,
					       .cgroup_path_context = path};
	struct command_span command = records__command();
	struct record_bytes record =
		records__introducing(PROBE_COMMAND_START, &command, sizeof(command));
	struct stream *stream;

	require(stream__new(&options, &stream) == 0);
	require(trace_events__started(stream, &facts) == 0);
	require(stream__record(stream, record.bytes, record.size_bytes) == 0);
	check_lines(stream, labels);
	stream__free(stream);
}

static void add_label(struct labels *labels, const char *line)
{
	size_t before = labels->count;
	struct error err = {{0}};

	if (labels__add(labels, line, &err))
		require(err.text[0] && labels->count == before);
	else
		require(!err.text[0] && labels->count == before + 1);
}

/* ---- parsers of one line */

static void recognise(const char *line)
{
	struct container container;

	container__recognise(line, &container);
	require(!container.id[0] || strlen(container.id) == CONTAINER_ID_DIGITS);
	require(strspn(container.id, "0123456789abcdef") == strlen(container.id));
	require(strlen(container.pod_uid) <= POD_UID_CHARACTERS);
	require(strspn(container.pod_uid, "0123456789abcdef-") == strlen(container.pod_uid));
}

static void parse_stat(const char *line)
{
	struct process_link link;

	process_link__parse(&link, line);
}

/* It changes the line, and its answer lies within. */
static void parse_mount(const char *line)
{
	char *copy = strdup(line);
	size_t bytes = strlen(line);
	char *path = copy ? exec_marks__mount_point(copy) : NULL;

	if (path)
		require(path > copy && path + strlen(path) <= copy + bytes);
	free(copy);
}

static void parse_maps(const uint8_t *data, size_t size)
{
	struct process_maps *maps = calloc(1, sizeof(*maps));
	struct process_mapping mapping;

	require(maps != NULL);
	maps->file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	while (maps->file && process_maps__next(maps, &mapping))
		require(strlen(mapping.untrusted_path) < sizeof(maps->line));
	if (maps->file)
		process_maps__close(maps);
	free(maps);
}

/* ---- all of them */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct labels labels = {.is_everywhere = size % 2};
	char *text = malloc(size + 1), *at = text, *line, *path = text;

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = 0;
	for (int i = 0; i < LINES_MAX && (line = strsep(&at, "\n")); i++) {
		recognise(line);
		parse_stat(line);
		parse_mount(line);
		add_label(&labels, line);
	}
	if (strlen(path) > CGROUP_PATH_MAX)
		path[CGROUP_PATH_MAX] = 0;
	record_with(&labels, path);
	parse_maps(data, size);
	free(text);
	return 0;
}
