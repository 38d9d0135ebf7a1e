// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/stream/labels.h"
#include "steptrace/stream/trace_events.h"
#include "stream_fixture.h"

static void labels_of_the_command_line(void **state)
{
	struct labels labels = {.count = 0};
	struct json json = {.base = NULL};
	struct error err;

	(void)state;
	assert_int_equal(json__init(&json, 16), 0);
	assert_int_equal(labels__put(&labels, &json), 0);
	assert_int_equal(json__length(&json), 0);
	assert_int_equal(labels__add(&labels, "env=prod", &err), 0);
	assert_int_equal(labels__add(&labels, "app.kubernetes.io/name=a=\"b\"\n\xc3\xa9", &err), 0);
	assert_int_equal(labels__add(&labels, "empty=", &err), 0);
	assert_int_equal(labels__put(&labels, &json), 0);
	assert_int_equal(json__reserve(&json, 1), 0);
	*json.at = 0;
	assert_string_equal(json.base, ",\"labels\":{\"env\":\"prod\",\"app.kubernetes.io/name\":"
				       "\"a=\\\"b\\\"\\n\xc3\xa9\",\"empty\":\"\"}");
	json__free(&json);
}

static void labels_that_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{"", "KEY=VALUE"},      {"env", "KEY=VALUE"},   {"=prod", "KEY=VALUE"},
		{"a b=c", "KEY=VALUE"}, {"a\"=c", "KEY=VALUE"}, {"\xc3\xa9=c", "KEY=VALUE"},
		{"a=\xff", "UTF-8"},    {"a=\xc3", "UTF-8"},    {"env=other", "given twice"},
	};
	struct labels labels = {.count = 0};
	char key[100], text[400];
	struct error err;

	(void)state;
	assert_int_equal(labels__add(&labels, "env=prod", &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(labels__add(&labels, rows[i].text, &err), -EINVAL);
		if (!strstr(err.text, rows[i].words))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
	for (int too_long = 0; too_long < 2; too_long++) {
		snprintf(key, sizeof(key), "%0*d=", LABEL_KEY_BYTES + too_long, 0);
		assert_int_equal(labels__add(&labels, key, &err), too_long ? -EINVAL : 0);
		snprintf(text, sizeof(text), "v=%0*d", LABEL_VALUE_BYTES + 1 - too_long, 0);
		assert_int_equal(labels__add(&labels, text, &err), too_long ? 0 : -EINVAL);
		assert_int_equal(labels.count, 2 + too_long);
	}
}

static void as_many_as_fit(void **state)
{
	static char texts[LABELS_MAX + 1][300];
	struct labels labels = {.count = 0};
	struct json json = {.base = NULL};
	struct error err;

	(void)state;
	for (int i = 0; i <= LABELS_MAX; i++) {
		snprintf(texts[i], sizeof(texts[i]), "k%d=", i);
		memset(texts[i] + strlen(texts[i]), 1, LABEL_VALUE_BYTES);
		assert_int_equal(labels__add(&labels, texts[i], &err),
				 i < LABELS_MAX ? 0 : -EINVAL);
	}
	assert_int_equal(json__init(&json, 16), 0);
	assert_int_equal(labels__put(&labels, &json), 0);
	assert_in_range(json__length(&json), 6 * LABEL_VALUE_BYTES * LABELS_MAX, 60000);
	json__free(&json);
}

static struct stream *labelled_stream(bool everywhere)
{
	struct stream_options options = options_for(FORMAT_JSON);
	struct error err;

	assert_int_equal(labels__add(&options.labels, "env=prod", &err), 0);
	options.labels.is_everywhere = everywhere;
	return stream_with(&options);
}

/* In trace.started always, in other events if they are wanted there; each line stays an object. */
static void in_every_event(void **state)
{
	static const struct trace_facts facts = {
		.host = "h", .boot_id = "b", .kernel = "k", .site = "nop1", .method = "perf"};
	static const struct clock_pair now = {.monotonic_ns = 1, .realtime_ns = 2};

	(void)state;
	for (int everywhere = 0; everywhere < 2; everywhere++) {
		struct stream *stream = labelled_stream(everywhere);
		int lines = 0, labelled = 0;

		assert_int_equal(trace_events__started(stream, &facts), 0);
		feed_started(stream);
		feed_step(stream);
		feed_completed(stream, 1);
		assert_int_equal(trace_events__clock(stream, &now, 1), 0);
		assert_int_equal(
			trace_events__lost(stream, EVENT_STEP_EXECUTED, LOSS_MISSED, 1, 1, 2), 0);
		for (const char *at = written(stream); *at; at = strchr(at, '\n') + 1, lines++) {
			cJSON *event = cJSON_ParseWithLength(at, strcspn(at, "\n"));

			assert_non_null(event);
			labelled += cJSON_HasObjectItem(event, "labels");
			if (cJSON_HasObjectItem(event, "labels"))
				expect_member(event, "labels.env", "\"prod\"");
			cJSON_Delete(event);
		}
		assert_int_equal(lines, 6);
		assert_int_equal(labelled, everywhere ? 6 : 1);
		stream__free(stream);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_of_the_command_line),
		cmocka_unit_test(labels_that_are_refused),
		cmocka_unit_test(as_many_as_fit),
		cmocka_unit_test(in_every_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
