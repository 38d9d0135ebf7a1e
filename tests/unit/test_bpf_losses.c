// SPDX-License-Identifier: BSD-2-Clause
/* bpf/emit.bpf.h and bpf/degrade.bpf.h: what is lost is counted, the reader learns what it missed,
 * and it is woken in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>

#include "kernel.h"
#include "records.h"

enum { ANNOUNCED_NS = 1500000000, NOW_NS = 2000000000 };

static struct command_span command;
static struct step_span step;
static struct tool_span tool;
static struct fragment_span fragment;
static struct rejected_span rejected;

/* Spans of a command that was announced when the probes were attached already. */
static int set_up(void **state)
{
	(void)state;
	kernel__begin();
	kernel.time_ns = NOW_NS;
	command = records__command_done(1);
	command.announced_ns = ANNOUNCED_NS;
	step = records__step();
	tool = records__tool();
	fragment = records__fragment();
	rejected = records__rejected();
	step.child.command_announced_ns = ANNOUNCED_NS;
	step.child.command = (uint64_t)&command;
	tool.child = step.child;
	fragment.child = step.child;
	return 0;
}

static const void *span_of(unsigned int probe)
{
	switch (probe_traits[probe].span) {
	case SPAN_COMMAND: return &command;
	case SPAN_STEP: return &step;
	case SPAN_TOOL: return &tool;
	case SPAN_FRAGMENT: return &fragment;
	case SPAN_REJECTED: return &rejected;
	}
	return NULL;
}

static void fire(unsigned int probe)
{
	hit((enum steptrace_probe)probe, span_of(probe));
}

static bool last_has_context(void)
{
	return kernel__last()->flags & RECORD_HAS_CONTEXT;
}

/* ---- records */

static void every_probe_makes_a_record(void **state)
{
	(void)state;
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		size_t before = kernel__count_submitted();

		fire(probe);
		assert_int_equal(kernel__count_submitted(), before + 1);
		assert_int_equal(kernel__last()->probe, probe);
		assert_int_equal(kernel__last()->time_ns, NOW_NS);
		assert_int_equal(kernel__last()->pid, 4711);
		assert_int_equal(kernel__last()->tid, 4712);
		assert_int_equal(kernel__last()->flags, 0);
		assert_int_equal(kernel__last()->reserved, 0);
	}
}

/* The reader may not know a command that was announced before the probes were attached. */
static void unknown_commands_bring_their_context(void **state)
{
	(void)state;
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		context_unknown_until_ns = ANNOUNCED_NS - 1;
		fire(probe);
		assert_false(last_has_context());
		context_unknown_until_ns = ANNOUNCED_NS;
		fire(probe);
		assert_int_equal(last_has_context(), probe_traits[probe].form != FORM_PROCESS);
	}
}

/* ---- losses */

static void expect_loss(unsigned int probe, const uint64_t *count)
{
	assert_int_equal(*count, 1);
	assert_int_equal(counts[0].hits[probe], 1);
	assert_int_equal(last_lost_ns[probe], NOW_NS);
	assert_int_equal(context_unknown_until_ns, NOW_NS);
	assert_int_equal(kernel__count_submitted(), 0);
}

static void a_full_buffer_is_a_loss(void **state)
{
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		set_up(state);
		kernel.is_ring_full = true;
		fire(probe);
		expect_loss(probe, (uint64_t *)&counts[0].full[probe]);
	}
}

static void an_unreadable_span_is_a_loss(void **state)
{
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		set_up(state);
		kernel.is_memory_gone = true;
		fire(probe);
		expect_loss(probe, (uint64_t *)&counts[0].unreadable[probe]);
	}
}

/* Of two losses on two processors the later one counts. */
static void an_earlier_loss_changes_no_time(void **state)
{
	(void)state;
	context_unknown_until_ns = last_lost_ns[PROBE_STEP_DONE] = NOW_NS + 7;
	kernel.is_ring_full = true;
	fire(PROBE_STEP_DONE);
	assert_int_equal(context_unknown_until_ns, NOW_NS + 7);
	assert_int_equal(last_lost_ns[PROBE_STEP_DONE], NOW_NS + 7);
}

/* ---- COMMAND_CLOSED: a filter drops the end of a command that the reader may know */

static void a_filtered_end_closes_the_command(void **state)
{
	(void)state;
	filters.by_span = filters.only_failed = 1;
	fire(PROBE_COMMAND_DONE);
	assert_int_equal(counts[0].filtered[PROBE_COMMAND_DONE], 1);
	assert_int_equal(kernel__last()->probe, COMMAND_CLOSED);
	assert_memory_equal(((const struct command_closed *)kernel__last())->execution_id,
			    command.head.execution_id, 16);
	assert_int_equal(last_lost_ns[PROBE_COMMAND_DONE], 0);
}

/* The reader still takes the command as open. It must not report it as aborted. */
static void a_lost_close_leaves_a_doubt(void **state)
{
	(void)state;
	filters.by_span = filters.only_failed = 1;
	kernel.is_ring_full = true;
	fire(PROBE_COMMAND_DONE);
	assert_int_equal(counts[0].filtered[PROBE_COMMAND_DONE], 1);
	assert_int_equal(last_lost_ns[PROBE_COMMAND_DONE], NOW_NS);
}

/* ---- --max-cpu */

static void sampling_drops_no_command(void **state)
{
	static const uint32_t probes_kept[] = {PROBE_COMMAND_START, PROBE_COMMAND_DONE,
					       PROBE_COMMAND_REJECTED};
	uint64_t dropped = 0;

	(void)state;
	degradation = 0xffu << DEGRADE_SAMPLE_SHIFT;
	for (uint8_t id = 0; id < 64; id++) {
		memset(command.head.execution_id, id, 4);
		memset(step.child.head.execution_id, id, 4);
		memset(rejected.head.execution_id, id, 4);
		kernel.records_count = 0;
		for (size_t i = 0; i < 3; i++)
			fire(probes_kept[i]);
		assert_int_equal(kernel__count_submitted(), 3);
		fire(PROBE_STEP_DONE);
	}
	for (size_t i = 0; i < 3; i++)
		dropped += counts[0].degraded[probes_kept[i]];
	assert_int_equal(dropped, 0);
	assert_in_range(counts[0].degraded[PROBE_STEP_DONE], 48, 64);
}

static void a_dropped_probe_is_counted(void **state)
{
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		set_up(state);
		degradation = 1u << probe;
		fire(probe);
		assert_int_equal(counts[0].degraded[probe], 1);
		assert_int_equal(last_lost_ns[probe], NOW_NS);
		assert_int_equal(kernel__count_submitted(), 0);
		fire((probe + 1) % PROBES_COUNT);
		assert_int_equal(kernel__count_submitted(), 1);
	}
}

/* Only a dropped start leaves a command unknown. */
static void a_dropped_start_is_made_up_for(void **state)
{
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		set_up(state);
		degradation = 1u << probe;
		fire(probe);
		degradation = 0;
		fire(PROBE_STEP_DONE);
		assert_int_equal(last_has_context(), probe == PROBE_COMMAND_START);
	}
}

/* ---- waking the reader */

static size_t count_wakeups(void)
{
	const struct kernel_record *record;
	size_t at = 0, count = 0;

	while ((record = kernel__submitted(&at))) {
		if (record->flags == BPF_RB_FORCE_WAKEUP)
			count++;
		else
			assert_int_equal(record->flags, BPF_RB_NO_WAKEUP);
	}
	return count;
}

static void the_reader_is_woken_when_much_is_unread(void **state)
{
	for (unsigned int probe = 0; probe < PROBES_COUNT; probe++) {
		set_up(state);
		kernel.unread_bytes = wakeup_bytes;
		for (int i = 0; i < 64; i++)
			fire(probe);
		assert_int_equal(count_wakeups(), 0);
		kernel.unread_bytes++;
		for (int i = 0; i < 64; i++)
			fire(probe);
		assert_int_equal(count_wakeups(), 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_probe_makes_a_record, set_up),
		cmocka_unit_test_setup(unknown_commands_bring_their_context, set_up),
		cmocka_unit_test_setup(a_full_buffer_is_a_loss, set_up),
		cmocka_unit_test_setup(an_unreadable_span_is_a_loss, set_up),
		cmocka_unit_test_setup(an_earlier_loss_changes_no_time, set_up),
		cmocka_unit_test_setup(a_filtered_end_closes_the_command, set_up),
		cmocka_unit_test_setup(a_lost_close_leaves_a_doubt, set_up),
		cmocka_unit_test_setup(sampling_drops_no_command, set_up),
		cmocka_unit_test_setup(a_dropped_probe_is_counted, set_up),
		cmocka_unit_test_setup(a_dropped_start_is_made_up_for, set_up),
		cmocka_unit_test_setup(the_reader_is_woken_when_much_is_unread, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
