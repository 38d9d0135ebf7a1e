// SPDX-License-Identifier: BSD-2-Clause
/* One command in several processes: a runner forks in the middle of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include "stream_fixture.h"

enum what {
	NOTHING,
	START,    /* the command begins */
	BEGIN,    /* a step begins */
	STEP,     /* a step ends; the step `number` */
	DONE,     /* the command ends; the process has counted `number` steps */
	REJECTED, /* the command is rejected */
	EXIT,     /* the process exits; it has forked the process `number`, unless that is 0 */
	KILL,     /* a signal kills the process; the same */
	EXEC,     /* it executes another program */
	VANISH,   /* it ended, and no record says how */
	LOSE,     /* the kernel loses the end of a step */
};

struct act {
	enum what what;
	uint32_t pid;
	uint8_t number;
};

enum { FORK_TIME_NS = 1, ACTS_MAX = 12 };

struct scenario {
	const char *name;
	struct act acts[ACTS_MAX];
	/* A word for each line: S command started, s step, a aborted step, R rejected; and for the
	 * end of the command its outcome, steps_executed, complete and steps_lost. */
	const char *lines;
	uint64_t unattributed;
};

static const struct scenario scenarios[] = {
	{"children run the steps and exit",
	 {{START, 1, 0}, {STEP, 2, 1}, {EXIT, 2, 0}, {STEP, 3, 2}, {EXIT, 3, 0}, {DONE, 1, 0}},
	 "S s s success:2:true:0",
	 0},
	{"parent and children run steps",
	 {{START, 1, 0}, {STEP, 1, 1}, {STEP, 2, 2}, {EXIT, 2, 0}, {STEP, 1, 3}, {DONE, 1, 2}},
	 "S s s s success:3:true:0",
	 0},
	{"a child goes on and ends the command",
	 {{START, 1, 0}, {STEP, 1, 1}, {STEP, 2, 2}, {DONE, 2, 2}, {EXIT, 2, 0}, {EXIT, 1, 0}},
	 "S s s success:2:true:0",
	 0},
	{"a child ends the command, all others know nothing of it",
	 {{START, 1, 0}, {STEP, 1, 1}, {STEP, 3, 2}, {EXIT, 3, 0}, {STEP, 2, 3}, {DONE, 2, 2}},
	 "S s s s success:3:true:0",
	 0},
	{"the counters are in shared memory",
	 {{START, 1, 0}, {STEP, 1, 1}, {STEP, 2, 2}, {STEP, 3, 3}, {DONE, 1, 3}},
	 "S s s s success:3:true:0",
	 0},
	{"the parent exits, and a child that reported a step ends the command",
	 {{START, 1, 0}, {STEP, 2, 1}, {EXIT, 1, 0}, {DONE, 2, 1}, {EXIT, 2, 0}},
	 "S s success:1:true:0",
	 0},
	{"the parent exits, and a child that reported nothing yet ends the command",
	 {{START, 1, 0}, {EXIT, 1, 2}, {STEP, 2, 1}, {DONE, 2, 1}, {EXIT, 2, 0}},
	 "S s success:1:true:0",
	 0},
	{"the parent exits, and so does the child: nobody ends the command",
	 {{START, 1, 0}, {EXIT, 1, 2}, {EXIT, 2, 0}},
	 "S aborted:0:true:0",
	 0},
	{"a child leaves the command to its own child",
	 {{START, 1, 0}, {EXIT, 1, 2}, {EXIT, 2, 3}, {DONE, 3, 0}},
	 "S success:0:true:0",
	 0},
	{"the child forks and ends; the parent exits, and its grandchild reported nothing yet",
	 {{START, 1, 0}, {EXIT, 2, 3}, {EXIT, 1, 0}, {STEP, 3, 1}, {DONE, 3, 1}, {EXIT, 3, 0}},
	 "S aborted:0:true:0 s",
	 1},
	{"the same, but the grandchild reported a step before",
	 {{START, 1, 0}, {EXIT, 2, 3}, {STEP, 3, 1}, {EXIT, 1, 0}, {DONE, 3, 1}, {EXIT, 3, 0}},
	 "S s success:1:true:0",
	 0},
	{"the parent is killed, and a child that reported a step lives on",
	 {{START, 1, 0}, {STEP, 2, 1}, {KILL, 1, 2}, {EXIT, 2, 0}},
	 "S s aborted:1:true:0",
	 0},
	{"the parent is killed; its child reported nothing, so it is not waited for",
	 {{START, 1, 0}, {KILL, 1, 2}},
	 "S aborted:0:true:0",
	 0},
	{"the parent is killed, and its child ends the command: there is one end",
	 {{START, 1, 0}, {KILL, 1, 2}, {STEP, 2, 1}, {DONE, 2, 1}, {EXIT, 2, 0}},
	 "S aborted:0:true:0 s",
	 1},
	{"a child ends inside a step",
	 {{START, 1, 0}, {BEGIN, 2, 1}, {KILL, 2, 0}, {STEP, 1, 2}, {DONE, 1, 1}},
	 "S a s success:2:true:0",
	 0},
	{"a child execs inside a step",
	 {{START, 1, 0}, {BEGIN, 2, 1}, {EXEC, 2, 0}, {DONE, 1, 0}},
	 "S a success:1:true:0",
	 0},
	{"a child vanishes inside a step",
	 {{START, 1, 0}, {BEGIN, 2, 1}, {VANISH, 2, 0}, {DONE, 1, 0}},
	 "S a success:1:true:0",
	 0},
	{"every process ends inside a step of its own",
	 {{START, 1, 0}, {BEGIN, 1, 1}, {BEGIN, 2, 2}, {KILL, 2, 0}, {KILL, 1, 0}},
	 "S a a aborted:2:true:0",
	 0},
	{"a step begins in the parent and ends in a child",
	 {{START, 1, 0}, {BEGIN, 1, 1}, {STEP, 2, 1}, {EXIT, 2, 0}, {DONE, 1, 0}},
	 "S s success:1:true:0",
	 0},
	{"the parent exits inside a step that its child ends",
	 {{START, 1, 0}, {BEGIN, 1, 1}, {EXIT, 1, 2}, {STEP, 2, 1}, {DONE, 2, 1}},
	 "S s success:1:true:0",
	 0},
	{"the parent exits inside a step, and so does its child",
	 {{START, 1, 0}, {BEGIN, 1, 1}, {EXIT, 1, 2}, {EXIT, 2, 0}},
	 "S a aborted:1:true:0",
	 0},
	{"a lost step may be one of a child",
	 {{START, 1, 0}, {STEP, 2, 1}, {LOSE, 0, 0}, {EXIT, 2, 0}, {DONE, 1, 0}},
	 "S s success:1:false:null",
	 0},
	{"the parent counted a step that was not seen",
	 {{START, 1, 0}, {STEP, 2, 1}, {DONE, 1, 2}},
	 "S s success:3:false:null",
	 0},
	{"rejected after it began",
	 {{START, 1, 0}, {STEP, 1, 1}, {REJECTED, 1, 0}, {DONE, 1, 1}, {EXIT, 1, 0}},
	 "S s R success:1:true:0",
	 0},
	{"rejected after it began, by a runner with an older header",
	 {{START, 1, 0}, {REJECTED, 1, 0}, {EXIT, 1, 0}},
	 "S R",
	 0},
	{"attached in the middle: the parent of the child that exits may go on",
	 {{STEP, 2, 1}, {EXIT, 2, 0}, {STEP, 1, 2}, {DONE, 1, 3}},
	 "s s success:3:false:2",
	 0},
	{"attached in the middle: a child that is killed ends the command",
	 {{STEP, 2, 1}, {KILL, 2, 0}},
	 "s aborted:1:false:null",
	 0},
};

static uint64_t last_lost_ns[PROBES_COUNT];
static uint64_t now_ns;

/* The process numbers of a scenario begin with 1. Process 1 begins the command; a fork has to bring
 * the context along, because its parent announced the command. */
static void feed_from(struct stream *stream, uint32_t pid, unsigned int probe, const void *span,
		      size_t bytes)
{
	struct command_span command = records__command();
	struct record_bytes made;

	if (probe == PROBE_COMMAND_START || probe == PROBE_COMMAND_REJECTED)
		made = records__introducing(probe, span, bytes);
	else
		made = records__with_context(probe, span, bytes, &command);
	feed(stream, records__from(records__at(made, now_ns), pid));
}

static void end_process(struct stream *stream, const struct act *act)
{
	struct process_end end = {
		.record = {.pid = act->pid, .time_ns = now_ns, .probe = PROCESS_ENDED},
		.status = act->what == KILL ? 9 : 0,
		.is_fork = act->pid != 1,
		.heirs_count = act->number ? 1 : 0,
		.heirs[0] = {.pid = act->number, .started_ns = now_ns - FORK_TIME_NS},
	};
	struct termination termination;

	if (act->what == EXEC)
		end.record.probe = PROCESS_EXECED;
	assert_int_equal(termination__of_record(&end, sizeof(end), &termination), 0);
	if (act->what == VANISH)
		termination = termination__vanished(act->pid, now_ns);
	stream__abort_process(stream, &termination);
}

static void feed_step_of(struct stream *stream, const struct act *act)
{
	struct step_span step = records__step();

	records__id(step.step_id, (uint8_t)(0x10 * act->number));
	feed_from(stream, act->pid, act->what == STEP ? PROBE_STEP_DONE : PROBE_STEP_START, &step,
		  sizeof(step));
}

static void perform(struct stream *stream, const struct act *act)
{
	struct command_span command = records__command();
	struct command_span done = records__command_done(act->number);
	struct rejected_span rejected = records__rejected();

	now_ns += 1000;
	switch (act->what) {
	case START:
		feed_from(stream, act->pid, PROBE_COMMAND_START, &command, sizeof(command));
		break;
	case DONE: feed_from(stream, act->pid, PROBE_COMMAND_DONE, &done, sizeof(done)); break;
	case REJECTED:
		feed_from(stream, act->pid, PROBE_COMMAND_REJECTED, &rejected, sizeof(rejected));
		break;
	case BEGIN:
	case STEP: feed_step_of(stream, act); break;
	case LOSE: last_lost_ns[PROBE_STEP_DONE] = now_ns; break;
	case NOTHING: break;
	default: end_process(stream, act); break;
	}
}

static void append_end(char *words, const cJSON *event)
{
	char *executed = member_text(event, "steps_executed");
	char *complete = member_text(event, "complete"), *lost = member_text(event, "steps_lost");

	sprintf(words + strlen(words), "%s:%s:%s:%s",
		cJSON_GetObjectItem(event, "outcome")->valuestring, executed, complete, lost);
	free(executed);
	free(complete);
	free(lost);
}

static void append_word(char *words, const char *line, size_t bytes)
{
	cJSON *event = cJSON_ParseWithLength(line, bytes);
	const char *kind = cJSON_GetObjectItem(event, "event")->valuestring;

	if (*words)
		strcat(words, " ");
	if (strcmp(kind, event_names[EVENT_COMMAND_STARTED]) == 0)
		strcat(words, "S");
	else if (strcmp(kind, event_names[EVENT_VALIDATION_FAILED]) == 0)
		strcat(words, "R");
	else if (strcmp(kind, event_names[EVENT_COMMAND_COMPLETED]) == 0)
		append_end(words, event);
	else if (strcmp(cJSON_GetObjectItem(event, "outcome")->valuestring, "aborted") == 0)
		strcat(words, "a");
	else
		strcat(words, "s");
	cJSON_Delete(event);
}

static void expect_lines(struct stream *stream, const struct scenario *scenario)
{
	const char *at = written(stream), *next;
	char words[512] = "";

	for (; *at; at = next) {
		next = strchr(at, '\n') + 1;
		append_word(words, at, (size_t)(next - at));
	}
	if (strcmp(words, scenario->lines) != 0)
		fail_msg("%s: '%s' instead of '%s'", scenario->name, words, scenario->lines);
}

static void every_scenario(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct stream_options options = options_for(FORMAT_JSON);
		struct stream *stream;

		memset(last_lost_ns, 0, sizeof(last_lost_ns));
		now_ns = record_time_ns;
		options.last_lost_ns = last_lost_ns;
		stream = stream_with(&options);
		for (size_t act = 0; act < ACTS_MAX; act++)
			perform(stream, &scenarios[i].acts[act]);
		expect_lines(stream, &scenarios[i]);
		assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), scenarios[i].unattributed);
		assert_int_equal(stream__executions_count(stream), 0);
		stream__free(stream);
	}
}

/* A child that was forked before the command began cannot go on with it. */
static void an_older_child_is_not_waited_for(void **state)
{
	const struct process_end end = {
		.record = {.pid = 1, .time_ns = 9000, .probe = PROCESS_ENDED},
		.heirs_count = 1,
		.heirs[0] = {.pid = 2, .started_ns = 500},
	};
	const struct act start = {START, 1, 0};
	struct stream *stream = json_stream();
	struct termination termination;

	(void)state;
	now_ns = 0;
	perform(stream, &start);
	written(stream);
	assert_int_equal(termination__of_record(&end, sizeof(end), &termination), 0);
	stream__abort_process(stream, &termination);
	assert_non_null(strstr(written(stream), "\"outcome\":\"aborted\""));
	assert_int_equal(stream__heirs_count(stream), 0);
	stream__free(stream);
}

/* `source` is that of the process that reported the boundary. */
static void each_event_names_its_own_process(void **state)
{
	struct command_span command = records__command();
	struct step_span step = records__step();
	struct stream *stream = json_stream();
	struct steptrace_process process = records__process();
	struct record_bytes bytes =
		records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command);
	static const struct member child[] = {{"source.pid", "2"},
					      {"source.comm", "\"child\""},
					      {"source.inner_pid", "17"},
					      {"source.uid", "1000"}};
	static const struct member parent[] = {
		{"source.pid", "4711"}, {"source.comm", "\"runner\""}, {"source.inner_pid", "-"}};

	(void)state;
	feed_started(stream);
	written(stream);
	strcpy(process.comm, "child");
	process.inner_pid = 17;
	memcpy(bytes.bytes + sizeof(struct steptrace_record) + sizeof(step), &process,
	       sizeof(process));
	EXPECT_MEMBERS(line_of(stream, records__from(bytes, 2)), child);
	EXPECT_MEMBERS(line_of(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step))),
		       parent);
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scenario),
		cmocka_unit_test(an_older_child_is_not_waited_for),
		cmocka_unit_test(each_event_names_its_own_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
