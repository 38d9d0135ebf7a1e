// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/otlp/otlp_labels.h"
#include "steptrace/otlp/otlp_resources.h"
#include "steptrace/recording/recorded_line.h"
#include "steptrace/stream/labels.h"

enum { TEXT_BYTES = 1 << 19 };

#define TIME "\"timestamp\":\"2026-11-30T10:00:00.123456789Z\""

struct fixture {
	struct otlp_resources *resources;
	struct recorded_line lines;
	char line[TEXT_BYTES + 4096];
};

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture.resources = otlp_resources__new(NULL);
	*state = &fixture;
	return fixture.resources ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	otlp_resources__free(fixture->resources);
	recorded_line__free(&fixture->lines);
	memset(fixture, 0, sizeof(*fixture));
	return 0;
}

/* Learns from the line of the fixture. */
static void learn(struct fixture *fixture)
{
	struct recorded_event event;

	assert_int_equal(
		recorded_line__read(&fixture->lines, &event, fixture->line, strlen(fixture->line)),
		0);
	assert_int_equal(otlp_resources__learn(fixture->resources, &event), 0);
}

static const struct otlp_resource *resource_of(struct fixture *fixture, unsigned int pid)
{
	const struct otlp_resource *resource;
	struct recorded_event event;

	snprintf(fixture->line, sizeof(fixture->line),
		 "{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\",\"step_id\":\"s\"," TIME
		 ",\"source\":{\"pid\":%u,\"comm\":\"w\"}}",
		 pid);
	assert_int_equal(
		recorded_line__read(&fixture->lines, &event, fixture->line, strlen(fixture->line)),
		0);
	resource = otlp_resources__of(fixture->resources, &event);
	assert_non_null(resource);
	return resource;
}

static bool has(const struct otlp_resource *resource, const char *text)
{
	return memmem(resource->text.base, json__length(&resource->text), text, strlen(text));
}

static size_t room_of(const struct otlp_resource *resource)
{
	return (size_t)(resource->text.limit - resource->text.base);
}

/* A label that does not fit is left out; those behind it are not. */
static void a_large_label(void **state)
{
	struct fixture *fixture = *state;
	const struct otlp_resource *resource;

	snprintf(fixture->line, sizeof(fixture->line),
		 "{\"event\":\"trace.started\"," TIME ",\"host\":\"h\",\"labels\":{\"first\":\"1\","
		 "\"large\":\"%0*d\",\"last\":\"2\"}}",
		 OTLP_LABELS_BYTES_MAX, 0);
	learn(fixture);
	resource = resource_of(fixture, 1);
	assert_true(has(resource, "{\"key\":\"first\",\"value\":{\"stringValue\":\"1\"}}"));
	assert_true(has(resource, "{\"key\":\"last\",\"value\":{\"stringValue\":\"2\"}}"));
	assert_false(has(resource, "\"large\""));
	assert_true(room_of(resource) < 1024);
}

static void start_with_labels(struct fixture *fixture, size_t count, int value_bytes)
{
	size_t at = (size_t)snprintf(fixture->line, sizeof(fixture->line),
				     "{\"event\":\"trace.started\"," TIME
				     ",\"host\":\"h\",\"labels\":{\"first\":\"1\"");

	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(fixture->line + at, sizeof(fixture->line) - at,
				       ",\"%064zu\":\"%0*d\"", i, value_bytes, 0);
	snprintf(fixture->line + at, sizeof(fixture->line) - at, "}}");
	learn(fixture);
}

/* All that `record` takes, with values of which each byte is escaped. */
static void the_most_labels_of_a_recording(void **state)
{
	struct fixture *fixture = *state;
	const struct otlp_resource *resource;
	char last[80];

	start_with_labels(fixture, LABELS_MAX - 1, 6 * LABEL_VALUE_BYTES);
	resource = resource_of(fixture, 1);
	snprintf(last, sizeof(last), "\"%064d\"", LABELS_MAX - 2);
	assert_true(has(resource, last));
}

/* They are the same for all processes: what is kept of all has a limit, too. */
static void many_large_resources(void **state)
{
	struct fixture *fixture = *state;
	size_t most = 0;

	start_with_labels(fixture, 1000, 400);
	for (unsigned int pid = 1; pid <= 1000; pid++) {
		const struct otlp_resource *resource = resource_of(fixture, pid);
		size_t bytes = otlp_resources__bytes(fixture->resources);

		assert_true(room_of(resource) < OTLP_LABELS_BYTES_MAX + 1024);
		assert_true(room_of(resource) > OTLP_LABELS_BYTES_MAX - 1024);
		assert_true(bytes <= OTLP_RESOURCES_BYTES_MAX);
		assert_true(has(resource, "\"process.pid\""));
		most = bytes > most ? bytes : most;
	}
	assert_true(most > OTLP_RESOURCES_BYTES_MAX / 2);
}

/* All kept resources are counted, as exactly as large as they are. */
static void bytes_are_exact(void **state)
{
	struct fixture *fixture = *state;
	size_t bytes = 0;

	for (unsigned int pid = 1; pid <= 100; pid++)
		bytes += room_of(resource_of(fixture, pid));
	assert_int_equal(otlp_resources__bytes(fixture->resources), bytes);
	for (unsigned int pid = 1; pid <= 100; pid++)
		resource_of(fixture, pid);
	assert_int_equal(otlp_resources__bytes(fixture->resources), bytes);
	start_with_labels(fixture, 0, 0);
	bytes = 0;
	for (unsigned int pid = 1; pid <= 100; pid++)
		bytes += room_of(resource_of(fixture, pid));
	assert_int_equal(otlp_resources__bytes(fixture->resources), bytes);
}

/* Longer than any path: it is not known. A host is cut. */
static void large_texts(void **state)
{
	struct fixture *fixture = *state;
	const struct otlp_resource *resource;

	snprintf(fixture->line, sizeof(fixture->line),
		 "{\"event\":\"trace.attached\"," TIME ",\"exe\":\"/%0*d\",\"pids\":[1]}",
		 OTLP_PATH_BYTES_MAX, 0);
	learn(fixture);
	snprintf(fixture->line, sizeof(fixture->line),
		 "{\"event\":\"trace.started\"," TIME ",\"host\":\"%0*d\"}", TEXT_BYTES, 0);
	learn(fixture);
	resource = resource_of(fixture, 1);
	assert_false(has(resource, "process.executable.path"));
	assert_true(has(resource, "host.name"));
	assert_true(room_of(resource) < 1024);
	snprintf(fixture->line, sizeof(fixture->line),
		 "{\"event\":\"trace.attached\"," TIME ",\"exe\":\"/%0*d\",\"pids\":[1]}",
		 OTLP_PATH_BYTES_MAX - 1, 0);
	learn(fixture);
	assert_true(has(resource_of(fixture, 1), "process.executable.path"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_large_label),        TEST(the_most_labels_of_a_recording),
		TEST(many_large_resources), TEST(bytes_are_exact),
		TEST(large_texts),
	};

	return cmocka_run_group_tests_name("otlp resources", tests, NULL, NULL);
}
