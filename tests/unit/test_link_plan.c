// SPDX-License-Identifier: BSD-2-Clause
/* What is attached in a binary, and in which order. The functions of capture are defined here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "steptrace/attach/link_plan.h"
#include "steptrace/stream/event.h"

enum { NO_PROGRAM = -1, PROGRAM = 100 };

static unsigned int left_out; /* a bit for each probe that capture has no program for */

enum uprobe_method capture__method(const struct capture *capture)
{
	(void)capture;
	return UPROBE_MULTI;
}

int capture__program_fd(const struct capture *capture, enum steptrace_probe probe)
{
	(void)capture;
	return left_out & 1u << probe ? NO_PROGRAM : PROGRAM;
}

/* A binary with all probes, in the order of the table or the other way round. */
static void make_binary(struct binary *binary, bool is_reversed)
{
	*binary = (struct binary){.fd = 3, .notes.count = PROBES_COUNT};
	for (unsigned int i = 0; i < PROBES_COUNT; i++)
		binary->notes.notes[i] = (struct probe_note){
			.probe = is_reversed ? PROBES_COUNT - 1 - i : i,
			.offset = 1000 + 32 * i,
			.semaphore_offset = 5000,
			.sites = 1 << SITE_NOP1,
		};
}

static struct link_plan plan;

static void make_plan(bool is_reversed)
{
	static struct site_choice choice;
	static struct binary binary;

	make_binary(&binary, is_reversed);
	link_plan__make(&plan, &binary, NULL, &choice);
}

/* The place of the probe in the order; the count of places if it is not attached. */
static uint32_t place_of(enum steptrace_probe probe)
{
	uint32_t at = 0;

	while (at < plan.order.count && plan.order.places[at].cookie != probe)
		at++;
	return at;
}

/* When a start is recorded, its end is recorded as well, and so is the end of its command. */
static void ends_are_attached_before_their_starts(void **state)
{
	static const struct {
		enum steptrace_probe end, start;
	} spans[] = {{PROBE_COMMAND_DONE, PROBE_COMMAND_START},
		     {PROBE_STEP_DONE, PROBE_STEP_START},
		     {PROBE_TOOL_DONE, PROBE_TOOL_START}};

	(void)state;
	for (int is_reversed = 0; is_reversed < 2; is_reversed++) {
		make_plan(is_reversed);
		assert_int_equal(plan.order.count, PROBES_COUNT);
		for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
			assert_true(place_of(spans[i].end) < place_of(spans[i].start));
		assert_int_equal(plan.order.places[0].cookie, PROBE_COMMAND_DONE);
		assert_int_equal(plan.order.places[PROBES_COUNT - 1].cookie, PROBE_COMMAND_START);
	}
}

static void every_probe_is_at_its_own_place(void **state)
{
	(void)state;
	make_plan(true);
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		const struct uprobe_place *place = &plan.order.places[place_of(probe)];

		assert_int_equal(place->offset, 1000 + 32 * (PROBES_COUNT - 1 - probe));
		assert_int_equal(place->semaphore_offset, 5000);
	}
}

static void probes_without_a_program_are_left_out(void **state)
{
	(void)state;
	left_out = 1u << PROBE_STEP_START | 1u << PROBE_TOOL_START;
	make_plan(false);
	left_out = 0;
	assert_int_equal(plan.order.count, PROBES_COUNT - 2);
	assert_int_equal(place_of(PROBE_STEP_START), plan.order.count);
	assert_int_equal(place_of(PROBE_TOOL_START), plan.order.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_attached_before_their_starts),
		cmocka_unit_test(every_probe_is_at_its_own_place),
		cmocka_unit_test(probes_without_a_program_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
