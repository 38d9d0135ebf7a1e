// SPDX-License-Identifier: BSD-2-Clause
/* The stacks of programs whose functions and their order are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include "skipping.h"
#include "symbols_fixture.h"

#define STEPS "innermost_step middle_step outermost_step main "

static bool has_ends(const char *names, const char *begin, const char *end)
{
	size_t bytes = strlen(names);

	return strncmp(names, begin, strlen(begin)) == 0 && bytes >= strlen(end) &&
	       strcmp(names + bytes - strlen(end), end) == 0;
}

/* Builds, stops, and compares the beginning and the end of the names. */
static void require_names(const char *flags, const char *mode, const char *begin, const char *end)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	char *names;

	build_stacks(flags, "stacks");
	stop_in(&stopped, "stacks", mode);
	names = stack_names(symbols, &stopped);
	if (!has_ends(names, begin, end))
		fail_msg("%s %s: %s", flags, mode, names);
	free(names);
	end_stopped(&stopped);
	symbols__close(symbols);
}

static void optimised_code_without_frame_pointers(void **state)
{
	(void)state;
	require_names("-O2 -fomit-frame-pointer", "plain", STEPS, " _start");
	require_names("-O2 -fomit-frame-pointer -no-pie", "plain", STEPS, " _start");
	require_names("-O0", "plain", STEPS, " _start");
}

static void static_programs(void **state)
{
	(void)state;
	require_names("-O2 -static -fomit-frame-pointer", "plain", STEPS, " _start");
	require_names("-O2 -static-pie -fomit-frame-pointer", "plain", STEPS, " _start");
}

static void code_without_tables_has_frame_pointers(void **state)
{
	(void)state;
	require_names("-O2 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer "
		      "-DKEEPS_FRAMES "
		      "-fno-asynchronous-unwind-tables -fno-unwind-tables",
		      "plain", STEPS, " _start");
}

static void tables_of_debug_frame(void **state)
{
	(void)state;
	require_names("-O2 -g -fomit-frame-pointer -fno-asynchronous-unwind-tables "
		      "-fno-unwind-tables",
		      "plain", STEPS, " _start");
}

static void a_thread(void **state)
{
	(void)state;
	require_names("-O2 -fomit-frame-pointer", "thread",
		      "innermost_step middle_step outermost_step in_thread start_thread ",
		      "clone3");
}

static void a_signal_handler(void **state)
{
	(void)state;
	require_names("-O2 -fomit-frame-pointer", "signal",
		      "innermost_step on_signal __restore_rt ", " _start");
	require_names("-O2 -static -fomit-frame-pointer", "signal",
		      "innermost_step on_signal __restore_rt ",
		      " raise interrupted_step main __libc_start_call_main "
		      "__libc_start_main _start");
}

static void a_deep_stack_is_cut(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	struct stack stack;

	(void)state;
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	stop_in(&stopped, "stacks", "deep");
	unwind(symbols, &stopped, &stack);
	assert_int_equal(stack.count, STACK_FRAMES_MAX);
	assert_true(stack.is_cut);
	end_stopped(&stopped);
	symbols__close(symbols);
}

static void few_copied_bytes_cut_the_stack(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	char *names;

	(void)state;
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	stop_in(&stopped, "stacks", "plain");
	stopped.copy->bytes_count = 16;
	names = stack_names(symbols, &stopped);
	assert_string_equal(names, "innermost_step middle_step …");
	free(names);
	end_stopped(&stopped);
	symbols__close(symbols);
}

static void the_last_frame_is_known_as_the_outermost(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	struct stack stack;

	(void)state;
	build_stacks("-O2", "stacks");
	stop_in(&stopped, "stacks", "plain");
	unwind(symbols, &stopped, &stack);
	symbols__resolve(symbols);
	for (size_t i = 0; i < stack.count; i++)
		assert_int_equal(symbols__name(symbols, stack.frames[i])->is_outermost,
				 i + 1 == stack.count);
	assert_string_equal(symbols__name(symbols, stack.frames[0])->module, "stacks");
	end_stopped(&stopped);
	symbols__close(symbols);
}

/* Stops the program where only its own file and the dynamic linker are mapped. */
static void start_unlinked(struct stopped *stopped)
{
	siginfo_t info;

	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	stopped->pid = start_traced(in_folder("stacks"), "plain", NULL);
	assert_int_equal(waitid(P_PID, (id_t)stopped->pid, &info, WSTOPPED | WNOWAIT), 0);
}

/* As the kernel would report them. */
static void report_mappings(struct symbols *symbols, pid_t pid)
{
	struct process_mapping mapping;
	struct process_maps maps;

	assert_int_equal(process_maps__open(&maps, pid), 0);
	while (process_maps__next(&maps, &mapping))
		if (mapping.permissions[2] == 'x' && mapping.inode)
			symbols__mapped(symbols, pid, &mapping);
	process_maps__close(&maps);
}

/* The process has ended when its stack is unwound, and its list was read before the C library was
 * mapped. */
static char *names_after_the_end(bool is_reported)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	char *names;

	start_unlinked(&stopped);
	symbols__look_at(symbols, stopped.pid);
	stopped.tid = wait_for_stop(stopped.pid);
	stopped.copy = copy_stack(stopped.tid);
	if (is_reported)
		report_mappings(symbols, stopped.pid);
	end_process(&stopped);
	names = stack_names(symbols, &stopped);
	free(stopped.copy);
	symbols__close(symbols);
	return names;
}

static void reported_mappings_of_a_process_that_ended(void **state)
{
	char *names = names_after_the_end(true);

	(void)state;
	if (!has_ends(names, STEPS, " _start"))
		fail_msg("%s", names);
	free(names);
	names = names_after_the_end(false);
	assert_true(has_ends(names, STEPS, " …"));
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(optimised_code_without_frame_pointers),
		cmocka_unit_test(static_programs),
		cmocka_unit_test(code_without_tables_has_frame_pointers),
		cmocka_unit_test(tables_of_debug_frame),
		cmocka_unit_test(a_thread),
		cmocka_unit_test(a_signal_handler),
		cmocka_unit_test(a_deep_stack_is_cut),
		cmocka_unit_test(few_copied_bytes_cut_the_stack),
		cmocka_unit_test(the_last_frame_is_known_as_the_outermost),
		cmocka_unit_test(reported_mappings_of_a_process_that_ended),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
