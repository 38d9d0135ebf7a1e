// SPDX-License-Identifier: BSD-2-Clause
/* The steps that are open: which are dropped when there are too many, and that this is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdlib.h>

#include "records.h"
#include "steptrace/stream/open_steps.h"

static struct open_steps_store store;

static int tear_down(void **state)
{
	(void)state;
	open_steps__free_store(&store);
	return 0;
}

static void begin(struct open_steps *steps, uint32_t id)
{
	struct steptrace_record record = {.time_ns = id};
	struct step_span span = records__step();

	memset(span.step_id, 0, sizeof(span.step_id));
	memcpy(span.step_id, &id, sizeof(id));
	open_steps__begin(steps, &store, &record, &span);
}

static void end(struct open_steps *steps, uint32_t id)
{
	uint8_t step_id[16] = {0};

	memcpy(step_id, &id, sizeof(id));
	open_steps__end(steps, &store, step_id);
}

static void the_newest_come_first(void **state)
{
	struct open_steps steps = {.count = 0};

	(void)state;
	begin(&steps, 1);
	begin(&steps, 2);
	begin(&steps, 3);
	end(&steps, 2);
	end(&steps, 99); /* was never begun */
	assert_int_equal(steps.count, 2);
	assert_int_equal(steps.newest->record.time_ns, 3);
	assert_int_equal(steps.newest->older->record.time_ns, 1);
	assert_false(steps.is_cut);
	open_steps__clear(&steps, &store);
	assert_null(steps.newest);
}

static void an_execution_drops_its_oldest(void **state)
{
	struct open_steps steps = {.count = 0};

	(void)state;
	for (uint32_t id = 1; id <= OPEN_STEPS_PER_EXECUTION; id++)
		begin(&steps, id);
	assert_false(steps.is_cut);
	begin(&steps, OPEN_STEPS_PER_EXECUTION + 1);
	assert_true(steps.is_cut);
	assert_int_equal(steps.count, OPEN_STEPS_PER_EXECUTION);
	end(&steps, 1); /* was dropped */
	assert_int_equal(steps.count, OPEN_STEPS_PER_EXECUTION);
	end(&steps, 2);
	assert_int_equal(steps.count, OPEN_STEPS_PER_EXECUTION - 1);
	open_steps__clear(&steps, &store);
}

/* All executions together: no execution gets more, until others end their steps. */
static void the_total_is_limited(void **state)
{
	enum { EXECUTIONS = OPEN_STEPS_TOTAL / OPEN_STEPS_PER_EXECUTION };
	struct open_steps *all = calloc(EXECUTIONS, sizeof(*all)), late = {.count = 0};

	(void)state;
	assert_non_null(all);
	for (int i = 0; i < EXECUTIONS; i++)
		for (uint32_t id = 0; id < OPEN_STEPS_PER_EXECUTION; id++)
			begin(&all[i], id);
	assert_false(all[EXECUTIONS - 1].is_cut);
	begin(&late, 1);
	assert_int_equal(late.count, 0);
	assert_true(late.is_cut);
	end(&all[0], 7);
	begin(&late, 2);
	assert_int_equal(late.count, 1);
	begin(&late, 3);
	assert_int_equal(late.count, 1);
	open_steps__clear(&late, &store);
	for (int i = 0; i < EXECUTIONS; i++)
		open_steps__clear(&all[i], &store);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_newest_come_first, tear_down),
		cmocka_unit_test_teardown(an_execution_drops_its_oldest, tear_down),
		cmocka_unit_test_teardown(the_total_is_limited, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
