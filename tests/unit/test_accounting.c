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

#include "records.h"
#include "refused_memory.h"
#include "steptrace/record/accounting.h"

static struct stream *new_stream(void)
{
	struct stream_options options = {.format = FORMAT_COMPACT};
	struct stream *stream = NULL;

	assert_int_equal(stream__new(&options, &stream), 0);
	return stream;
}

static uint64_t lost_of(const struct stream *stream, enum event_kind kind, enum loss_reason reason)
{
	return stream__counts(stream)->lost[kind][reason];
}

/* All counts differ, so that a test notices when two of them are mixed up. */
static struct capture_counts counts_with(uint64_t unit)
{
	struct capture_counts counts = {0};

	for (uint64_t i = 0; i < PROBES_COUNT; i++) {
		counts.hits[i] = unit * (i + 1000);
		counts.full[i] = unit * (i + 1);
		counts.unreadable[i] = unit * (i + 100);
		counts.missed[i] = unit * (i + 10);
	}
	return counts;
}

static void losses_are_counted_once(void **state)
{
	struct capture_counts first = counts_with(1), second = counts_with(5);
	struct stream *stream = new_stream();
	struct accounting accounting = {0};

	(void)state;
	accounting__enter(&accounting, &first, stream);
	accounting__enter(&accounting, &first, stream); /* nothing new */
	assert_int_equal(lost_of(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL),
			 PROBE_STEP_DONE + 1);
	accounting__enter(&accounting, &second, stream);
	for (int i = 0; i < PROBES_COUNT; i++) {
		enum event_kind kind = probes[i].event;

		if (kind == EVENT_NONE)
			continue;
		assert_int_equal(lost_of(stream, kind, LOSS_BUFFER_FULL), second.full[i]);
		assert_int_equal(lost_of(stream, kind, LOSS_UNREADABLE), second.unreadable[i]);
		assert_int_equal(lost_of(stream, kind, LOSS_MISSED), second.missed[i]);
	}
	stream__free(stream);
}

/* A boundary whose BPF handler could not run (missed) counts as a hit. Begin probes make no
 * event, so they are not counted. */
static void only_probes_that_make_events_count_as_hits(void **state)
{
	struct capture_counts counts = {0};
	struct stream *stream = new_stream();
	struct accounting accounting = {0};

	(void)state;
	counts.hits[PROBE_STEP_START] = 1000000;
	counts.missed[PROBE_TOOL_START] = 1000000;
	counts.hits[PROBE_STEP_DONE] = 5;
	counts.missed[PROBE_STEP_DONE] = 2;
	counts.hits[PROBE_COMMAND_START] = 30;
	accounting__enter(&accounting, &counts, stream);
	assert_int_equal(accounting__hits(&accounting), 37);
	assert_int_equal(accounting__lost(stream), 2);
	stream__free(stream);
}

static const char *written(struct stream *stream)
{
	struct json *lines = &stream__lines(stream)->text;

	assert_int_equal(json__reserve(lines, 1), 0);
	*lines->at = 0;
	lines__clear(stream__lines(stream));
	return lines->base;
}

static int count_lines(const char *text)
{
	int count = 0;

	for (; (text = strchr(text, '\n')); text++)
		count++;
	return count;
}

static void only_what_grew_is_reported(void **state)
{
	struct stream *stream = new_stream();
	struct accounting accounting = {0};
	const char *lines;

	(void)state;
	assert_int_equal(accounting__report(&accounting, stream, 1), 0);
	assert_string_equal(written(stream), "");
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 7);
	stream__add_loss(stream, EVENT_COMMAND_STARTED, LOSS_INVALID, 2);
	assert_int_equal(accounting__report(&accounting, stream, 2), 0);
	lines = written(stream);
	assert_int_equal(count_lines(lines), 2);
	assert_non_null(strstr(lines, "LOST 7 dsl.step.executed: buffer_full\n"));
	assert_non_null(strstr(lines, "LOST 2 command.execution.started: invalid\n"));
	assert_int_equal(accounting__report(&accounting, stream, 3), 0);
	assert_string_equal(written(stream), "");
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 1);
	assert_int_equal(accounting__report(&accounting, stream, 4), 0);
	assert_non_null(strstr(written(stream), "LOST 1 dsl.step.executed: buffer_full\n"));
	stream__free(stream);
}

/* Without memory for its line a loss is reported the next time, and one that was reported before is
 * not reported again. */
static void what_could_not_be_written_is_reported_later(void **state)
{
	struct stream *stream = new_stream();
	struct json *lines = &stream__lines(stream)->text, before;
	struct accounting accounting = {0};
	const char *text;

	(void)state;
	stream__add_loss(stream, EVENT_COMMAND_STARTED, LOSS_INVALID, 2);
	assert_int_equal(accounting__report(&accounting, stream, 1), 0);
	written(stream);
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 7);
	before = *lines;
	lines->at = lines->limit = lines->base + PTRDIFF_MAX / 2; /* as large as it may become */
	assert_int_equal(accounting__report(&accounting, stream, 2), -ENOMEM);
	*lines = before;
	assert_int_equal(accounting__report(&accounting, stream, 3), 0);
	text = written(stream);
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, "LOST 7 dsl.step.executed: buffer_full\n"));
	stream__free(stream);
}

static void each_report_starts_at_the_end_of_the_last_one(void **state)
{
	struct stream_options options = {.format = FORMAT_JSON};
	struct accounting accounting = {.reported_ns = 1000000000};
	struct stream *stream = NULL;
	const char *lines;

	(void)state;
	assert_int_equal(stream__new(&options, &stream), 0);
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_MISSED, 1);
	assert_int_equal(accounting__report(&accounting, stream, 2000000000), 0);
	lines = written(stream);
	assert_non_null(strstr(lines, "\"since\":\"1970-01-01T00:00:01.000000000Z\""));
	assert_non_null(strstr(lines, "\"until\":\"1970-01-01T00:00:02.000000000Z\""));
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_MISSED, 1);
	assert_int_equal(accounting__report(&accounting, stream, 5000000000), 0);
	lines = written(stream);
	assert_non_null(strstr(lines, "\"since\":\"1970-01-01T00:00:02.000000000Z\""));
	stream__free(stream);
}

/* Of what no output wrote, each output says so itself. */
static void unwritten_events_are_counted_but_not_reported(void **state)
{
	struct stream *stream = new_stream();
	struct accounting accounting = {0};

	(void)state;
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_NOT_WRITTEN, 7);
	assert_int_equal(accounting__report(&accounting, stream, 1), 0);
	assert_string_equal(written(stream), "");
	assert_int_equal(accounting__lost(stream), 7);
	stream__free(stream);
}

/* --count: what follows was not asked for. */
static void losses_after_the_limit_are_filtered(void **state)
{
	struct stream_options options = {.format = FORMAT_JSON, .events_limit = 1};
	struct rejected_span rejected = records__rejected();
	struct record_bytes bytes =
		records__introducing(PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected));
	struct capture_counts counts = {.full[PROBE_STEP_DONE] = 3};
	struct accounting accounting = {0};
	struct stream *stream = NULL;

	(void)state;
	assert_int_equal(stream__new(&options, &stream), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), 0);
	accounting__enter(&accounting, &counts, stream); /* these were lost before the limit */
	assert_int_equal(accounting__lost(stream), 3);
	assert_int_equal(accounting__filtered(stream), 1);
	counts.full[PROBE_STEP_DONE] += 5;
	counts.missed[PROBE_COMMAND_DONE] = 7;
	accounting__enter(&accounting, &counts, stream);
	assert_int_equal(accounting__lost(stream), 3);
	assert_int_equal(accounting__filtered(stream), 13);
	stream__free(stream);
}

/* hits = events + lost, with records that become events, records that the stream loses, and losses
 * in the kernel. */
static void hits_equal_events_plus_losses(void **state)
{
	struct stream_options options = {.format = FORMAT_JSON, .events_limit = 3};
	struct capture_counts counts = {0};
	struct accounting accounting = {0};
	struct stream *stream = NULL;

	(void)state;
	assert_int_equal(stream__new(&options, &stream), 0);
	for (int i = 0; i < 10; i++) {
		struct rejected_span rejected = records__rejected();
		struct step_span step = records__step();
		struct record_bytes bytes;

		rejected.head.layout = i % 3 == 2 ? 9 : 1;
		bytes = records__introducing(PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected));
		assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), 0);
		counts.hits[PROBE_COMMAND_REJECTED]++;
		bytes = records__plain(PROBE_STEP_DONE, &step, sizeof(step));
		assert_int_equal(stream__record(stream, bytes.bytes, bytes.size_bytes), 0);
		counts.hits[PROBE_STEP_DONE]++;
	}
	counts.hits[PROBE_STEP_DONE] += 4;
	counts.full[PROBE_STEP_DONE] = 3;
	counts.unreadable[PROBE_STEP_DONE] = 1;
	counts.missed[PROBE_STEP_DONE] = 6;
	accounting__enter(&accounting, &counts, stream);
	assert_int_equal(stream__events_total(stream), 3);
	assert_int_equal(accounting__hits(&accounting), stream__events_total(stream) +
								accounting__lost(stream) +
								accounting__filtered(stream));
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses_are_counted_once),
		cmocka_unit_test(only_probes_that_make_events_count_as_hits),
		cmocka_unit_test(only_what_grew_is_reported),
		cmocka_unit_test(what_could_not_be_written_is_reported_later),
		cmocka_unit_test(each_report_starts_at_the_end_of_the_last_one),
		cmocka_unit_test(unwritten_events_are_counted_but_not_reported),
		cmocka_unit_test(losses_after_the_limit_are_filtered),
		cmocka_unit_test(hits_equal_events_plus_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
