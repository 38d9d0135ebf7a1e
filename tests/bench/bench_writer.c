// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a step event costs in user space: the whole path (decode, find the execution, write JSON)
 * and the JSON writer alone, compared with cJSON, which builds and prints the same line.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "bench.h"
#include "common/clock.h"
#include "steptrace/stream/event_json.h"
#include "steptrace/stream/members.h"
#include "steptrace/stream/stream.h"

struct step_record {
	struct steptrace_record record;
	struct step_span step;
};

static struct stream *stream;
static struct step_record record;
static struct execution execution;
static struct member member;
static struct clock_anchor anchor;
static struct json json;

static void fill_id(uint8_t id[16], uint8_t seed)
{
	for (int i = 0; i < 16; i++)
		id[i] = (uint8_t)(seed + 17 * i);
}

static void fill_head(struct span_head *head, uint8_t kind, size_t bytes)
{
	head->size_bytes = (__u16)bytes;
	head->layout = 1;
	head->kind = kind;
	head->start_ns = 1000000000;
	head->end_ns = 1045200317;
	fill_id(head->execution_id, 7);
}

static void set_up(void)
{
	const struct clock_pair now = clock__read_pair();
	struct stream_options options = {.format = FORMAT_JSON};
	struct {
		struct steptrace_record record;
		struct steptrace_process process;
		struct command_span command;
	} start = {.record = {.time_ns = 1, .pid = 4711, .probe = PROBE_COMMAND_START},
		   .process = {.cgroup_id = 1, .comm = "steprun"}};

	clock_anchor__init(&options.clock, &now);
	anchor = options.clock;
	fill_head(&start.command.head, 1, sizeof(start.command));
	strcpy(start.command.slug, "fragment.update");
	strcpy(start.command.user_id, "local-default");
	strcpy(start.command.request_source, "api");
	strcpy(start.command.correlation_id, "req-7f3a9c2e-1d44-4c1e-9b1f-5a0d3c6e8f21");
	record.record = (struct steptrace_record){
		.time_ns = anchor.monotonic_ns, .pid = 4711, .tid = 4712, .probe = PROBE_STEP_DONE};
	fill_head(&record.step.child.head, 2, sizeof(record.step));
	record.step.child.head.flags = SPAN_FRAGMENT_ID;
	record.step.fragment_id = 123;
	record.step.mutations_count = 3;
	record.step.outcome = 1;
	fill_id(record.step.step_id, 99);
	strcpy(record.step.type, "DatabaseUpdateStep");
	strcpy(record.step.name, "set-title");

	memcpy(execution.id, start.command.head.execution_id, 16);
	execution.pid = 4711;
	execution.process = start.process;
	execution.command = start.command;
	if (stream__new(&options, &stream) || stream__record(stream, &start, sizeof(start)) ||
	    event_json__describe(&execution) || json__init(&json, 1 << 20))
		exit(1);
	event_json__describe_process(&member, &start.process, false);
	lines__clear(stream__lines(stream));
}

static void whole_path(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++) {
		stream__record(stream, &record, sizeof(record));
		if (lines__bytes(stream__lines(stream)) > 128 * 1024)
			lines__clear(stream__lines(stream));
	}
}

static void writer_alone(void *context, int times)
{
	struct event event = {.kind = EVENT_STEP_EXECUTED,
			      .record = &record.record,
			      .execution = &execution,
			      .member = &member,
			      .step = &record.step};

	(void)context;
	for (int i = 0; i < times; i++) {
		json__reserve(&json, EVENT_JSON_BYTES);
		event_json__write(&json, &event, &anchor, false);
		if (json__length(&json) > 128 * 1024)
			json.at = json.base;
	}
}

static void add_id(cJSON *object, const char *name, const uint8_t id[16])
{
	char text[40];
	struct json line = {.base = text, .at = text, .limit = text + sizeof(text)};

	json__uuid(&line, id);
	*line.at = 0;
	cJSON_AddStringToObject(object, name, text);
}

/* The same fields with the same values. monotonic_ns is added as raw text, because cJSON would turn
 * it into a double, which is not exact. */
static char *build_with_cjson(void)
{
	const struct step_span *step = &record.step;
	cJSON *event = cJSON_CreateObject(), *source, *about;
	char stamp[64];
	struct json line = {.base = stamp, .at = stamp, .limit = stamp + sizeof(stamp)};
	char *text;

	cJSON_AddStringToObject(event, "event", "dsl.step.executed");
	cJSON_AddStringToObject(event, "correlation_id", execution.command.correlation_id);
	add_id(event, "execution_id", execution.id);
	add_id(event, "step_id", step->step_id);
	cJSON_AddStringToObject(event, "step_type", step->type);
	cJSON_AddStringToObject(event, "command_slug", execution.command.slug);
	cJSON_AddNumberToObject(event, "fragment_id", (double)step->fragment_id);
	cJSON_AddNumberToObject(event, "duration_ms", 45.200317);
	cJSON_AddNumberToObject(event, "mutations_count", (double)step->mutations_count);
	cJSON_AddBoolToObject(event, "dry_run", 0);
	cJSON_AddStringToObject(event, "outcome", "success");
	cJSON_AddStringToObject(event, "user_id", execution.command.user_id);
	clock_anchor__timestamp(&anchor, &line, record.record.time_ns);
	*line.at = 0;
	cJSON_AddStringToObject(event, "timestamp", stamp);
	snprintf(stamp, sizeof(stamp), "%llu", (unsigned long long)record.record.time_ns);
	cJSON_AddRawToObject(event, "monotonic_ns", stamp);
	source = cJSON_AddObjectToObject(event, "source");
	cJSON_AddNumberToObject(source, "pid", record.record.pid);
	cJSON_AddNumberToObject(source, "tid", record.record.tid);
	cJSON_AddNumberToObject(source, "cpu", record.record.cpu);
	cJSON_AddNumberToObject(source, "uid", execution.process.uid);
	cJSON_AddStringToObject(source, "comm", execution.process.comm);
	cJSON_AddNumberToObject(source, "cgroup_id", (double)execution.process.cgroup_id);
	about = cJSON_AddObjectToObject(event, "step");
	cJSON_AddStringToObject(about, "name", step->name);
	cJSON_AddNumberToObject(about, "index", step->index);
	cJSON_AddNumberToObject(about, "depth", step->depth);
	cJSON_AddNullToObject(about, "parent_step_id");
	text = cJSON_PrintUnformatted(event);
	cJSON_Delete(event);
	return text;
}

static void with_cjson(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++)
		cJSON_free(build_with_cjson());
}

/* Both lines must be equal, or the comparison would not be fair. */
static void check_same(void)
{
	char *theirs = build_with_cjson();
	cJSON *a, *b;

	json.at = json.base;
	writer_alone(NULL, 1);
	*json.at = 0;
	a = cJSON_Parse(theirs);
	b = cJSON_Parse(json.base);
	if (!cJSON_Compare(a, b, 1)) {
		fprintf(stderr, "bench: the lines differ\n%s\n%s", theirs, json.base);
		exit(1);
	}
	cJSON_Delete(a);
	cJSON_Delete(b);
	cJSON_free(theirs);
	json.at = json.base;
}

int main(void)
{
	struct contender all[] = {
		{.name = "cJSON: build and print", .run = with_cjson, .times = 500},
		{.name = "writer alone", .run = writer_alone, .times = 5000},
		{.name = "record to line: decode, find, write", .run = whole_path, .times = 5000},
	};
	double theirs, ours, path;

	set_up();
	check_same();
	bench__run(all, 3);
	theirs = bench__median(&all[0]);
	ours = bench__median(&all[1]);
	path = bench__median(&all[2]);
	printf("one step event in user space\n");
	bench__line(.name = all[0].name, .value = theirs);
	bench__line(.name = all[1].name, .value = ours, .ratio = theirs / ours,
		    .of = "faster than cJSON", .target = "at least 8.00",
		    .met = theirs / ours >= 8);
	bench__line(.name = all[2].name, .value = path, .ratio = theirs / path,
		    .of = "faster than cJSON");
	printf("  million events per second on one core: %.2f (writer), %.2f (whole path)\n",
	       1e3 / ours, 1e3 / path);
	stream__free(stream);
	json__free(&json);
	free(execution.json);
	return 0;
}
