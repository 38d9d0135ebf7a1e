// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cjson/cJSON.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "steptrace/recording/recorded_line.h"
#include "steptrace/report/summary_json.h"
#include "steptrace/report/summary_text.h"

static struct summary *summary;
static struct recorded_line reader;

static void begin(const struct summary_options *options)
{
	summary = summary__new(options);
	assert_non_null(summary);
}

static int set_up(void **state)
{
	const struct summary_options options = {.slow_command_ns = 5000000000,
						.slow_step_ns = 3000000000,
						.slowest = 2,
						.rows = 20};

	(void)state;
	begin(&options);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	summary__free(summary);
	recorded_line__free(&reader);
	return 0;
}

/* Adds a line; apostrophes stand for quotes. */
static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...)
{
	static char line[2048];
	struct recorded_event event = {.place = {.file = "x"}};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (char *at = line; (at = strchr(at, '\'')); at++)
		*at = '"';
	assert_int_equal(recorded_line__read(&reader, &event, line, strlen(line)), 0);
	assert_int_equal(summary__add(summary, &event), 0);
}

#define SECOND_0 "'timestamp':'2026-11-24T09:00:00Z'"
#define SECOND_9 "'timestamp':'2026-11-24T09:00:09Z'"
#define STEP     "{'event':'dsl.step.executed','execution_id':'x','command_slug':'c',"
#define ENDED    "{'event':'command.execution.completed','command_slug':'c',"
#define STARTED  "{'event':'command.execution.started','command_slug':'c',"

static const struct report_row *row_of(enum section_id section, size_t index)
{
	static struct report_row **rows;
	size_t count;

	free(rows);
	rows = report_rows__sorted(summary->tables[section], &count);
	assert_non_null(rows);
	assert_true(index < count);
	return rows[index];
}

static void expect_rows(enum section_id section, size_t expected)
{
	size_t count;
	struct report_row **rows = report_rows__sorted(summary->tables[section], &count);

	free(rows);
	assert_int_equal(count, expected);
}

static void commands(void **state)
{
	const struct report_row *row;

	(void)state;
	add(STARTED SECOND_0 "}");
	add(ENDED "'outcome':'success','total_duration_ms':5000," SECOND_0 "}");
	add(ENDED "'outcome':'failure','total_duration_ms':5000.000001,'complete':false," SECOND_9
		  "}");
	add(ENDED "'outcome':'unheard of','total_duration_ms':null,'dry_run':true}");
	row = row_of(SECTION_COMMANDS, 0);
	assert_int_equal(row->count, 3);
	assert_int_equal(row->untimed, 1);
	assert_int_equal(row->outcomes[RECORDED_FAILURE], 1);
	assert_int_equal(row->outcomes[RECORDED_NO_OUTCOME], 1);
	assert_int_equal(row->numbers[COMMANDS_STARTED], 1);
	assert_int_equal(row->numbers[COMMANDS_INCOMPLETE], 1);
	assert_int_equal(row->numbers[COMMANDS_DRY], 1);
	assert_int_equal(row->numbers[COMMANDS_SLOW], 1);
	assert_true(row->numbers[COMMANDS_SLOW_NS] == 5000000001);
	assert_true(row->durations.sum_ns == 10000000001);
	assert_true(row->last_ns - row->first_ns == 9000000000);
	assert_string_equal(report_row__text(row, 0), "c");
	assert_string_equal(report_row__text(row, 1), "");
}

static void errors_name_category_and_step(void **state)
{
	const struct report_row *row;

	(void)state;
	add(STEP
	    "'step_type':'T','outcome':'failure','error_category':'network','step':{'name':'n'}}");
	add(STEP "'step_type':'T','outcome':'success'}");
	add(ENDED
	    "'outcome':'failure','error_category':'network','failed_step':{'step_type':'T'}}");
	expect_rows(SECTION_ERRORS, 1);
	add(ENDED "'outcome':'failure','error_category':'limit','failed_step':null}");
	expect_rows(SECTION_ERRORS, 2);
	row = row_of(SECTION_ERRORS, 1);
	assert_string_equal(report_row__text(row, 0), "network");
	assert_string_equal(report_row__text(row, 3), "n");
}

static void aborted_executions(void **state)
{
	const struct report_row *row;

	(void)state;
	add(ENDED "'outcome':'aborted','aborted':{'cause':'signal','signal_name':'SIGKILL',"
		  "'step':{'step_type':'T','name':'fatal'}}}");
	add(ENDED "'outcome':'aborted'}");
	expect_rows(SECTION_ABORTED, 2);
	row = row_of(SECTION_ABORTED, 1);
	assert_string_equal(report_row__text(row, 1), "SIGKILL");
	assert_string_equal(report_row__text(row, 3), "fatal");
}

static void what_steps_do(void **state)
{
	(void)state;
	add(STEP
	    "'mutations_count':3,'ai':{'cache':'hit','prompt_tokens':5,'completion_tokens':7}}");
	add(STEP "'mutations_count':0,'ai':{'cache':'miss'}}");
	add("{'event':'fragment.changed','command_slug':'c','operation':'deleted'}");
	add("{'event':'tool.invocation.completed','tool_slug':'t','duration_ms':1,"
	    "'outcome':'failure'}");
	assert_int_equal(row_of(SECTION_AI, 0)->numbers[AI_HITS], 1);
	assert_int_equal(row_of(SECTION_AI, 0)->numbers[AI_MISSES], 1);
	assert_int_equal(row_of(SECTION_AI, 0)->numbers[AI_PROMPT_TOKENS], 5);
	assert_int_equal(row_of(SECTION_CHANGES, 0)->numbers[CHANGES_ROWS], 3);
	assert_int_equal(row_of(SECTION_CHANGES, 0)->numbers[CHANGES_STEPS], 1);
	assert_int_equal(row_of(SECTION_CHANGES, 0)->numbers[CHANGES_DELETED], 1);
	assert_int_equal(row_of(SECTION_TOOLS, 0)->outcomes[RECORDED_FAILURE], 1);
}

static void schedules_and_queues(void **state)
{
	const struct report_row *row;

	(void)state;
	add(STARTED SECOND_9 ",'schedule':{'schedule_id':17,"
			     "'planned_run_at':'2026-11-24T09:00:00Z'}}");
	add(STARTED SECOND_0 ",'schedule':{'schedule_id':17,"
			     "'planned_run_at':'2026-11-24T09:00:09Z'}}");
	add(STARTED SECOND_0 ",'schedule':{'schedule_id':17,'planned_run_at':null}}");
	add(STARTED "'queue':{'name':'high','attempt':2,'wait_ms':12.5}}");
	row = row_of(SECTION_SCHEDULES, 0);
	assert_int_equal(row->count, 3);
	assert_int_equal(row->untimed, 1);
	assert_int_equal(row->numbers[SCHEDULES_EARLY], 1);
	assert_true(row->durations.max_ns == 9000000000 && row->durations.min_ns == 0);
	row = row_of(SECTION_QUEUES, 0);
	assert_int_equal(row->numbers[QUEUES_RETRIES], 1);
	assert_true(row->durations.sum_ns == 12500000);
}

static void an_id_that_ends_twice(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		add(ENDED "'execution_id':'same','outcome':'success'}");
	add(ENDED "'execution_id':'other','outcome':'success'}");
	assert_int_equal(summary->ended_repeatedly, 1);
	assert_int_equal(row_of(SECTION_COMMANDS, 0)->count, 3);
}

/* All rows beyond the limit are in the last one. */
static void more_rows_than_the_limit(void **state)
{
	const struct report_row *row;
	enum { MORE = 7 };

	(void)state;
	for (size_t i = 0; i < sections[SECTION_TOOLS].limit + MORE; i++)
		add("{'event':'tool.invocation.completed','tool_slug':'t%zu','duration_ms':2}", i);
	expect_rows(SECTION_TOOLS, sections[SECTION_TOOLS].limit + 1);
	row = row_of(SECTION_TOOLS, sections[SECTION_TOOLS].limit);
	assert_null(row->key);
	assert_int_equal(row->count, MORE);
	assert_int_equal(row->durations.sum_ns, MORE * 2000000);
	assert_string_equal(report_row__text(row, 0), "");
}

/* ---- time */

static void the_timeline_widens(void **state)
{
	struct timeline *timeline = &summary->timeline;
	uint64_t minute_ns = 60000000000, sum = 0;

	(void)state;
	for (uint64_t i = 0; i < 3 * TIMELINE_SLOTS; i++)
		timeline__add(timeline, (i * 7919 % (3 * TIMELINE_SLOTS)) * minute_ns, i % 2, i);
	timeline__finish(timeline);
	assert_true(timeline->width_ns == 1440 * minute_ns);
	for (size_t i = 0; i < timeline->count; i++) {
		assert_true(i == 0 ||
			    timeline->slots[i].start_ns > timeline->slots[i - 1].start_ns);
		sum += timeline->slots[i].count;
	}
	assert_int_equal(sum, 3 * TIMELINE_SLOTS);
	timeline__add(timeline, UINT64_MAX, false, 0);
	assert_int_equal(timeline->slots[timeline->count - 1].count, 1);
}

static void the_slowest(void **state)
{
	static const int durations[] = {5, 50, 20, 50, 1};
	struct waterfall *const *slowest;
	size_t count;

	(void)state;
	for (int i = 0; i < 5; i++) {
		add("{'event':'dsl.step.executed','execution_id':'x%d','command_slug':'c',"
		    "'duration_ms':1,'timestamp':'2026-11-24T09:00:00.%03dZ'}",
		    i, durations[i]);
		add(ENDED "'execution_id':'x%d','total_duration_ms':%d,"
			  "'timestamp':'2026-11-24T09:00:00.050Z'}",
		    i, durations[i]);
	}
	slowest = waterfalls__slowest(summary->waterfalls, &count);
	assert_int_equal(count, 2);
	assert_string_equal(slowest[0]->execution_id, "x1");
	assert_string_equal(slowest[1]->execution_id, "x3");
	assert_int_equal(slowest[0]->steps_count, 1);
	assert_int_equal(waterfall__start_ns(slowest[0], &slowest[0]->steps[0]), 49000000);
}

/* Steps of executions that never end do not fill the memory. */
static void steps_that_are_held(void **state)
{
	struct waterfall *const *slowest;
	size_t count;

	(void)state;
	for (int i = 0; i < WATERFALL_EXECUTIONS_MAX + 1; i++)
		add("{'event':'dsl.step.executed','execution_id':'x%d','command_slug':'c'}", i);
	add(ENDED "'execution_id':'x0','total_duration_ms':8,'steps_executed':1}");
	add(ENDED "'execution_id':'x1','total_duration_ms':7,'steps_executed':1}");
	slowest = waterfalls__slowest(summary->waterfalls, &count);
	assert_int_equal(count, 2);
	assert_int_equal(slowest[0]->steps_count, 0);
	assert_int_equal(slowest[1]->steps_count, 1);
}

/* ---- coverage */

#define TRACE(host, part)                                                                          \
	"{'event':'trace.started','host':'" host "','monotonic_ns':5,'part':" part "," SECOND_0 "}"

static void parts_and_losses(void **state)
{
	const struct coverage *coverage = &summary->coverage;

	(void)state;
	add(TRACE("one", "1"));
	add(STARTED SECOND_0 "}");
	add("{'event':'trace.lost','kind':'dsl.step.executed','reason':'buffer_full','lost':4}");
	add(TRACE("one", "3"));
	add("{'event':'trace.stopped','lost':9,'reason':'interrupted'}");
	add(TRACE("two", "1"));
	add("{'event':'trace.lost','kind':'dsl.step.executed','reason':'buffer_full','lost':2}");
	assert_int_equal(coverage->traces_count, 2);
	assert_int_equal(coverage->traces[0].parts, 2);
	assert_int_equal(coverage->traces[0].last_part, 3);
	assert_int_equal(coverage->traces[0].events, 1);
	assert_int_equal(coverage_trace__lost(&coverage->traces[0]), 9);
	assert_int_equal(coverage_trace__lost(&coverage->traces[1]), 2);
	assert_int_equal(coverage__lost(coverage), 11);
	assert_int_equal(coverage->unattributed, 0);
}

static void selections(void **state)
{
	struct summary_options options = {.since_ns = 1795510800000000000,
					  .until_ns = 1795510809000000000};

	(void)state;
	summary__free(summary);
	begin(&options);
	add(ENDED SECOND_0 "}");
	add(ENDED SECOND_9 "}");
	add(ENDED "'outcome':'success'}");
	assert_int_equal(summary->selection.events, 1);
	assert_int_equal(summary->selection.other_time, 1);
	assert_int_equal(summary->selection.without_time, 1);
}

/* ---- writing */

static void add_hostile_texts(void)
{
	add("{'event':'trace.started','host':'\\u001b[2J\\u202e'," SECOND_0 "}");
	add(STEP "'step_type':'\\u001b]0;x\\u0007','duration_ms':18446744073709," SECOND_0 "}");
	add(ENDED "'execution_id':'x','outcome':'failure','total_duration_ms':18446744073709,"
		  "'steps_executed':18446744073709551615," SECOND_0 "}");
	add("{'event':'command.execution.completed','command_slug':'\\u001b[31m',"
	    "'outcome':'aborted','timestamp':'1970-01-01T00:00:00Z'}");
}

static void texts_are_printable(void **state)
{
	static const struct recording_counts counts = {.files = 1};
	static const struct text_style styles[] = {{.columns = 0}, {.columns = 61}};
	char *text;
	size_t bytes;

	(void)state;
	add_hostile_texts();
	summary__finish(summary);
	for (size_t i = 0; i < 2; i++) {
		FILE *out = open_memstream(&text, &bytes);

		assert_int_equal(summary_text__write(out, summary, &counts, &styles[i]), 0);
		fclose(out);
		assert_null(strchr(text, 0x1b));
		assert_null(strstr(text, "\u202e"));
		assert_non_null(strstr(text, "\\x1b[31m"));
		free(text);
	}
}

static void json_is_json(void **state)
{
	static const struct recording_counts counts = {.files = 1};
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	cJSON *json;

	(void)state;
	add_hostile_texts();
	summary__finish(summary);
	assert_int_equal(summary_json__write(out, summary, &counts), 0);
	fclose(out);
	json = cJSON_Parse(text);
	assert_non_null(json);
	for (int section = 0; section < SECTIONS_COUNT; section++)
		assert_true(cJSON_IsArray(cJSON_GetObjectItem(json, sections[section].name)));
	cJSON_Delete(json);
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(commands),
		TEST(errors_name_category_and_step),
		TEST(aborted_executions),
		TEST(what_steps_do),
		TEST(schedules_and_queues),
		TEST(an_id_that_ends_twice),
		TEST(more_rows_than_the_limit),
		TEST(the_timeline_widens),
		TEST(the_slowest),
		TEST(steps_that_are_held),
		TEST(parts_and_losses),
		TEST(selections),
		TEST(texts_are_printable),
		TEST(json_is_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
