// SPDX-License-Identifier: BSD-2-Clause
/* What is open, in the tables of latency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "steptrace/latency/latency.h"
#include "stream_fixture.h"

static struct latency_options options;
static struct latency latency;
static struct stream *stream;

static void begin(const char *by, enum stream_format format, bool counts_open)
{
	struct stream_options for_stream = options_for(format);
	struct error err;

	options = (struct latency_options){
		.rows_limit = 100,
		.is_json = format == FORMAT_JSON,
		.shows_open = true,
		.counts_open = counts_open,
	};
	assert_int_equal(row_keys__parse(by, &options.keys, &err), 0);
	assert_int_equal(latency__open(&latency, &options), 0);
	for_stream.clock.monotonic_ns += 1000000000;
	for_stream.clock.realtime_ns += 1000000000;
	for_stream.on_event = latency__on_event;
	for_stream.on_event_context = &latency;
	for_stream.leaves_out_lines = true;
	stream = stream_with(&for_stream);
	latency__on_time(&latency, stream, 1000000000, false);
}

static void end(void)
{
	stream__free(stream);
	latency__close(&latency);
}

static const char *reported(void)
{
	latency__on_time(&latency, stream, 3000000000, true);
	assert_int_equal(latency.reports_failed, 0);
	return written(stream);
}

/* A step "wait" of the command "triage"; id 0: it has none. */
static struct open_item item(uint8_t id, uint64_t age_ns, bool is_age_known)
{
	struct open_item item = {
		.is_step = true,
		.pid = RECORD_PID,
		.age_ns = age_ns,
		.is_age_known = is_age_known,
		.slug = "triage",
		.step_type = "WaitStep",
		.step_name = "wait",
		.user_id = "user-7",
		.request_source = "queue",
	};

	if (id) {
		records__id(item.step_id, id);
		records__id(item.execution_id, 0x10);
	}
	return item;
}

static void tell(const struct open_item *items, size_t count)
{
	latency__open_begin(&latency);
	for (size_t i = 0; i < count; i++)
		latency__open_add(&latency, &items[i]);
	latency__open_end(&latency, true);
}

static void expect_in(const char *text, const char *part)
{
	assert_non_null(text);
	if (!strstr(text, part))
		fail_msg("not in the text: %s\n%s", part, text);
}

static void a_hang_has_a_row(void **state)
{
	const struct open_item hang = item(0x50, 242000000000, true);
	const char *text;

	(void)state;
	begin("command,step", FORMAT_REPORT, false);
	tell(&hang, 1);
	feed_started(stream);
	feed_step_taking(stream, "FastStep", 1000, OUTCOME_SUCCESS);
	text = reported();
	expect_in(text, "    SHARE  OPEN   OLDEST\n");
	/* it has taken more time than all that ended */
	expect_in(text,
		  "OLDEST\ntriage           WaitStep        0      0.0       0        -        -"
		  "        -        -        -        -    0.0 %     1   4m 02s\n");
	expect_in(text, "\nfragment.update  FastStep        1      0.5       0  1.00 us");
	expect_in(text, "  100.0 %     0        -\n");
	end();
}

static void what_is_known_of_the_age(void **state)
{
	const struct open_item none = item(0, 0, false), bound = item(0, 5000000000, false),
			       known = item(0x51, 4000000000, true);
	const struct open_item older_bound[] = {known, bound, none};
	const struct open_item known_and_none[] = {known, none}; /* which may be older */

	(void)state;
	begin("name", FORMAT_REPORT, false);
	tell(&none, 1);
	expect_in(reported(), "     1        ?\n");
	tell(older_bound, 3);
	expect_in(reported(), "     3  >5.00 s\n");
	tell(older_bound, 1);
	expect_in(reported(), "     1   4.00 s\n");
	tell(known_and_none, 2);
	expect_in(reported(), "     2  >4.00 s\n");
	end();
}

/* The memory of a runner was not read: that is not the same as "nothing is open". */
static void what_is_not_known(void **state)
{
	(void)state;
	begin("step", FORMAT_REPORT, false);
	feed_started(stream);
	feed_step_taking(stream, "FastStep", 1000, OUTCOME_SUCCESS);
	latency__open_begin(&latency);
	expect_in(reported(), "  100.0 %     -        -\n");
	end();
	begin("step", FORMAT_JSON, false);
	feed_started(stream);
	feed_step_taking(stream, "FastStep", 1000, OUTCOME_SUCCESS);
	expect_in(reported(), "\"open\":null,\"open_is_complete\":false,\"oldest_open_ms\":null,"
			      "\"oldest_open_at_least_ms\":null,\"open_in_durations\":false");
	end();
}

/* A look says what was open at one moment. The table says it once. */
static void each_table_needs_a_look(void **state)
{
	const struct open_item open = item(0x50, 1000000000, true);

	(void)state;
	begin("step", FORMAT_REPORT, false);
	options.interval_ns = 500000000;
	tell(&open, 1);
	assert_false(latency__is_due(&latency, 1400000000));
	assert_true(latency__is_due(&latency, 1500000000));
	latency__on_time(&latency, stream, 1500000000, false);
	expect_in(written(stream), "WaitStep");
	latency__on_time(&latency, stream, 2000000000, false);
	assert_string_equal(written(stream), "\nno step ended\n");
	end();
}

/* Its end came before the table: it was open at the moment of the look, and has one duration. */
static void what_ended_since_the_look(void **state)
{
	struct open_item item_of = item(0x20, 100, true);
	const char *text;

	(void)state;
	strcpy(item_of.slug, "fragment.update");
	strcpy(item_of.step_type, "FastStep");
	for (int of_steps = 0; of_steps < 2; of_steps++) {
		begin(of_steps ? "step" : "command", FORMAT_JSON, true);
		feed_started(stream);
		item_of.is_step = of_steps;
		tell(&item_of, 1);
		if (of_steps)
			feed_step_taking(stream, "FastStep", 1000, OUTCOME_SUCCESS);
		else
			feed_completed(stream, 0);
		text = reported();
		expect_in(text, "\"count\":1,");
		expect_in(text, of_steps ? "\"sum_ms\":0.001," : "\"sum_ms\":1250.8,");
		expect_in(text, "\"open\":1,");
		end();
	}
}

/* The events were read faster than the memory. */
static void what_ended_before_it_was_told(void **state)
{
	const struct open_item open = item(0x20, 5000000000, true);

	(void)state;
	begin("step", FORMAT_JSON, true);
	feed_started(stream);
	latency__open_asked(&latency);
	feed_step_taking(stream, "WaitStep", 1000000, OUTCOME_SUCCESS);
	tell(&open, 1);
	expect_in(reported(), "\"count\":1,\"untimed\":0,\"failures\":0,\"sum_ms\":1,");
	end();
}

/* A step in a forked child has the memory of its parent's command. */
static void the_same_one_twice(void **state)
{
	const struct open_item items[] = {item(0x50, 1000, true), item(0x50, 1000, true)};

	(void)state;
	begin("step", FORMAT_REPORT, false);
	tell(items, 2);
	expect_in(reported(), "     1  1.00 us\n");
	end();
}

/* Nothing was seen, but not everything was looked at. */
static void some_runners_could_not_be_read(void **state)
{
	const struct open_item open = item(0x50, 1000, true);
	const char *text;

	(void)state;
	begin("step", FORMAT_REPORT, false);
	feed_started(stream);
	feed_step_taking(stream, "FastStep", 1000, OUTCOME_SUCCESS);
	latency__open_begin(&latency);
	latency__open_add(&latency, &open);
	latency__open_end(&latency, false);
	text = reported();
	expect_in(text, "  100.0 %     -        -\n");
	expect_in(text, "    0.0 %     1  1.00 us\n");
	end();
}

static void in_the_percentiles(void **state)
{
	const struct open_item items[] = {item(0x50, 3000000, true), item(0x51, 5000000, false),
					  item(0, 0, false)};

	(void)state;
	begin("step", FORMAT_JSON, true);
	feed_started(stream);
	feed_step_taking(stream, "WaitStep", 1000000, OUTCOME_SUCCESS);
	tell(items, 3);
	/* nothing is known of the third one's age, so it has no duration */
	expect_in(reported(), "\"count\":1,\"untimed\":0,\"failures\":0,\"sum_ms\":9,\"min_ms\":1,"
			      "\"max_ms\":5,\"p50_ms\":2.998271,");
	end();
	begin("step", FORMAT_JSON, false);
	feed_started(stream);
	feed_step_taking(stream, "WaitStep", 1000000, OUTCOME_SUCCESS);
	tell(items, 3);
	expect_in(reported(), "\"sum_ms\":1,\"min_ms\":1,\"max_ms\":1,");
	end();
}

static void as_json(void **state)
{
	const struct open_item items[] = {item(0x50, 3000000, true), item(0x51, 5000000, false)};
	const char *text;

	(void)state;
	begin("step,outcome,user,source,pid", FORMAT_JSON, true);
	tell(items, 2);
	text = reported();
	expect_in(text,
		  "\"by\":{\"step_type\":\"WaitStep\",\"outcome\":null,\"user_id\":\"user-7\","
		  "\"request_source\":\"queue\",\"pid\":4711}");
	expect_in(text, "\"count\":0,");
	expect_in(text, "\"open\":2,\"open_is_complete\":true,\"oldest_open_ms\":null,"
			"\"oldest_open_at_least_ms\":5,"
			"\"open_in_durations\":true,\"buckets\":[[2.981888,3.014656,1],");
	end();
}

/* Rows are about steps, or about commands. */
static void items_of_the_other_kind(void **state)
{
	struct open_item items[] = {item(0x50, 7000000000, true), item(0x50, 9000000000, true)};
	const char *text;

	(void)state;
	items[1].is_step = false;
	begin("command", FORMAT_REPORT, false);
	tell(items, 2);
	expect_in(reported(), "     1   9.00 s\n");
	end();
	begin("command,step", FORMAT_REPORT, false);
	tell(items, 2);
	text = reported();
	expect_in(text, "     1   7.00 s\n");
	end();
}

/* The header of the runner is older: its memory says nothing, its events do. */
static void what_only_events_say(void **state)
{
	(void)state;
	for (int of_another = 0; of_another < 2; of_another++) {
		begin("command", FORMAT_JSON, false);
		feed_started(stream);
		latency__open_begin(&latency);
		latency__open_add_blind(&latency, RECORD_PID + of_another);
		latency__open_end(&latency, false);
		latency__on_stop(&latency, stream, record_time_ns + 1500000000);
		stream__end(stream, record_time_ns + 1600000000); /* the probes are detached */
		if (of_another)
			assert_string_equal(reported(), "");
		else
			expect_in(reported(), "\"open\":1,\"open_is_complete\":false,"
					      "\"oldest_open_ms\":1500,");
		end();
	}
}

static void more_rows_than_there_is_room_for(void **state)
{
	struct open_item open = item(0x50, 1000, true);

	(void)state;
	begin("name", FORMAT_REPORT, false);
	latency__open_begin(&latency);
	for (int i = 0; i < 200; i++) {
		snprintf(open.step_name, sizeof(open.step_name), "n%d", i);
		open.step_id[0] = (uint8_t)i;
		open.age_ns = (uint64_t)i + 1;
		latency__open_add(&latency, &open);
	}
	latency__open_end(&latency, true);
	expect_in(reported(), "\n(other)        0      0.0 ");
	end();
}

/* A hostile runner makes steps without end. */
static void more_items_than_are_kept(void **state)
{
	struct open_item open = item(0x50, 1000, true);

	(void)state;
	begin("step", FORMAT_REPORT, false);
	latency__open_begin(&latency);
	for (uint32_t i = 0; i < OPEN_SET_MAX + 7; i++) {
		memcpy(open.step_id, &i, sizeof(i));
		open.step_id[15] = 1;
		latency__open_add(&latency, &open);
	}
	latency__open_end(&latency, true);
	expect_in(reported(), "  200000  ");
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hang_has_a_row),
		cmocka_unit_test(what_is_known_of_the_age),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(each_table_needs_a_look),
		cmocka_unit_test(what_ended_since_the_look),
		cmocka_unit_test(what_only_events_say),
		cmocka_unit_test(what_ended_before_it_was_told),
		cmocka_unit_test(the_same_one_twice),
		cmocka_unit_test(some_runners_could_not_be_read),
		cmocka_unit_test(in_the_percentiles),
		cmocka_unit_test(as_json),
		cmocka_unit_test(items_of_the_other_kind),
		cmocka_unit_test(more_rows_than_there_is_room_for),
		cmocka_unit_test(more_items_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
