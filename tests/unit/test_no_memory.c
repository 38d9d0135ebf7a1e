// SPDX-License-Identifier: BSD-2-Clause
/* Where the stream gets no memory, it loses events, and counts them. The linker replaces realloc()
 * in this program (see the Makefile). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "stream_fixture.h"

void *__real_realloc(void *old, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);

static bool is_refused;

void *__wrap_realloc(void *old, size_t bytes)
{
	return is_refused ? NULL : __real_realloc(old, bytes);
}

/* Without the text that its lines share, a command is unknown. */
static void a_command_that_cannot_be_described(void **state)
{
	struct stream *stream = json_stream();

	(void)state;
	is_refused = true;
	feed_started(stream);
	is_refused = false;
	assert_string_equal(written(stream), "");
	assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), 1);
	assert_int_equal(stream__executions_count(stream), 0);
	feed_step(stream);
	assert_string_equal(written(stream), "");
	assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), 2);
	feed_started(stream);
	assert_non_null(strstr(written(stream), "\"command_slug\":\"fragment.update\""));
	stream__free(stream);
}

/* Nor may it have the text of the command whose memory it got. */
static void a_longer_command_after_a_short_one(void **state)
{
	struct stream *stream = json_stream();
	struct command_span command = records__command();

	(void)state;
	feed_started(stream);
	feed_completed(stream, 0);
	written(stream);
	memset(command.slug, 'x', sizeof(command.slug));
	is_refused = true;
	feed(stream, records__introducing(PROBE_COMMAND_START, &command, sizeof(command)));
	is_refused = false;
	assert_string_equal(written(stream), "");
	assert_int_equal(lost(stream, LOSS_UNATTRIBUTED), 1);
	stream__free(stream);
}

/* Without memory for all lines of an execution none of them is written (--whole). */
static void an_execution_that_cannot_be_written(void **state)
{
	enum { STEPS = 1000 };
	struct stream_options options = options_for(FORMAT_JSON);
	struct command_span command = records__command_done(STEPS);
	struct record_bytes end = records__plain(PROBE_COMMAND_DONE, &command, sizeof(command));
	struct step_span step = records__step();
	struct stream *stream;

	(void)state;
	options.whole =
		(struct whole){.conditions = WHOLE_SLOWER, .slower_ns = 1, .hold_bytes = 4 << 20};
	stream = stream_with(&options);
	feed_started(stream);
	for (int i = 0; i < STEPS; i++)
		feed_step(stream);
	is_refused = true;
	assert_int_equal(stream__record(stream, end.bytes, end.size_bytes), -ENOMEM);
	is_refused = false;
	assert_string_equal(written(stream), "");
	assert_int_equal(lost(stream, LOSS_NOT_WRITTEN), STEPS + 2);
	assert_int_equal(stream__held(stream)->bytes, 0);
	command = records__command(); /* what follows is not written either */
	feed(stream, records__with_context(PROBE_STEP_DONE, &step, sizeof(step), &command));
	assert_string_equal(written(stream), "");
	feed_started(stream);
	feed_completed(stream, 0);
	assert_non_null(strstr(written(stream), "command.execution.completed"));
	stream__free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_that_cannot_be_described),
		cmocka_unit_test(a_longer_command_after_a_short_one),
		cmocka_unit_test(an_execution_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
