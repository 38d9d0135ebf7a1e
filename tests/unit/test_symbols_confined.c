// SPDX-License-Identifier: BSD-2-Clause
/* Symbols in a tracer that has dropped its privileges and limited its system calls, as the command
 * does it, and the mappings that are no files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <grp.h>
#include <sys/auxv.h>

#include "common/process_maps.h"
#include "skipping.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"
#include "symbols_fixture.h"

/* In a process of its own, which cannot go back. 0: it worked. */
static int look_confined(const struct stopped *stopped, const char *begin)
{
	struct symbols *symbols = open_symbols();
	struct privilege_needs needs = {.only_memory = true, .ends_child = symbols__child(symbols)};
	struct symbols_troubles troubles;
	char *names;

	if (privilege__drop(&needs, NULL) || seccomp__confine(&needs, NULL))
		return 1;
	symbols__look_at(symbols, stopped->pid);
	names = stack_names(symbols, stopped);
	symbols__troubles(symbols, &troubles);
	if (strncmp(names, begin, strlen(begin)) != 0) {
		print_message("%s\n", names);
		return 2;
	}
	if (troubles.files_unread || troubles.files_forbidden || troubles.children_lost ||
	    troubles.kernel_hidden)
		return 3;
	free(names);
	symbols__close(symbols);
	return 0;
}

static void a_confined_tracer(void **state)
{
	struct stopped stopped;
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can give up being root");
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	run("chmod 0700 %s %s", in_folder("stacks"), test_folder);
	stop_in(&stopped, "stacks", "plain");
	pid = fork();
	if (pid == 0)
		_exit(look_confined(&stopped, "innermost_step middle_step outermost_step main "));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	end_stopped(&stopped);
}

/* Another reader can still be had. */
static int lose_child(const struct stopped *stopped)
{
	struct symbols *symbols = open_symbols();
	struct privilege_needs needs = {.only_memory = true, .ends_child = symbols__child(symbols)};
	struct symbols_troubles troubles;
	struct stack stack;

	if (privilege__drop(&needs, NULL) || seccomp__confine(&needs, NULL))
		return 1;
	unwind(symbols, stopped, &stack);
	if (stack.is_cut)
		return 2;
	raise(SIGSTOP); /* the test makes the library shorter */
	free(names_of(symbols, &stack));
	symbols__troubles(symbols, &troubles);
	if (strcmp(symbols__name(symbols, stack.frames[0])->function, "innermost_step") != 0)
		return 3;
	symbols__close(symbols);
	return troubles.children_lost == 1 ? 0 : 4;
}

static void a_confined_tracer_whose_child_is_lost(void **state)
{
	struct stopped stopped;
	FILE *file;
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can give up being root");
	run("chmod 0755 %s", test_folder);
	file = fopen(in_folder("library.c"), "w");
	fputs("static volatile int after;\n"
	      "int library_step(int (*step)(int)) { return step(1) + after; }\n",
	      file);
	fclose(file);
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	run("cc -w -O2 -fPIC -shared %s -o %s", in_folder("library.c"), in_folder("libstep.so"));
	stop_with(&stopped, in_folder("stacks"), "library", in_folder("libstep.so"));
	pid = fork();
	if (pid == 0)
		_exit(lose_child(&stopped));
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	run("truncate -s 4096 %s", in_folder("libstep.so"));
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	end_stopped(&stopped);
}

/* ---- without the capability for map_files: by path */

enum { NOBODY = 65534 };

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		_exit(100);
}

static void stop_as_nobody(struct stopped *stopped)
{
	stopped->pid = fork();
	if (stopped->pid == 0) {
		become_nobody();
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(in_folder("stacks"), "stacks", "plain", NULL);
		_exit(127);
	}
	stopped->tid = wait_for_stop(stopped->pid);
	stopped->copy = copy_stack(stopped->tid);
}

/* A user without rights looks at a process of the same user. */
static int look_as_nobody(const struct stopped *stopped, const char *begin, uint64_t unread)
{
	struct symbols_troubles troubles;
	struct symbols *symbols;
	char *names;

	become_nobody();
	symbols = open_symbols();
	names = stack_names(symbols, stopped);
	symbols__troubles(symbols, &troubles);
	if (strncmp(names, begin, strlen(begin)) != 0) {
		print_message("%s\n", names);
		return 2;
	}
	return troubles.files_unread == unread ? 0 : 3;
}

static void require_as_nobody(const struct stopped *stopped, const char *begin, uint64_t unread)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(look_as_nobody(stopped, begin, unread));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_file_by_its_path(void **state)
{
	struct stopped stopped;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become another user");
	run("chmod 0755 %s", test_folder);
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	stop_as_nobody(&stopped);
	require_as_nobody(&stopped, "innermost_step middle_step outermost_step main ", 0);
	end_stopped(&stopped);
}

static void a_replaced_file_without_the_capability(void **state)
{
	struct stopped stopped;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become another user");
	run("chmod 0755 %s", test_folder);
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	stop_as_nobody(&stopped);
	/* the name that the kernel shows now is that of another file */
	run("cd %s && cp stacks 'stacks (deleted)' && rm stacks", test_folder);
	require_as_nobody(&stopped, "[stacks+0x", 1);
	end_stopped(&stopped);
}

/* ---- memory that is no file */

static bool is_named(struct symbols *symbols, const struct process_mapping *mapping,
		     const char *function)
{
	bool found = false;

	for (uint64_t at = mapping->start; at < mapping->end; at += 4)
		symbols__frame(symbols, getpid(), at, false);
	symbols__resolve(symbols);
	for (uint64_t at = mapping->start; !found && at < mapping->end; at += 4) {
		uint32_t frame = symbols__frame(symbols, getpid(), at, false);
		const struct symbol_name *name = symbols__name(symbols, frame);

		found = strcmp(name->function, function) == 0 &&
			strcmp(name->module, "[vdso]") == 0;
	}
	return found;
}

static void functions_of_the_vdso(void **state)
{
	struct symbols *symbols = open_symbols();
	struct process_mapping mapping;
	struct process_maps maps;
	bool found = false;

	(void)state;
	if (!getauxval(AT_SYSINFO_EHDR))
		skip_because("there is no vdso");
	assert_int_equal(process_maps__open(&maps, 0), 0);
	while (!found && process_maps__next(&maps, &mapping))
		if (strcmp(mapping.untrusted_path, "[vdso]") == 0)
#ifdef __x86_64__
			found = is_named(symbols, &mapping, "__vdso_clock_gettime");
#else
			found = is_named(symbols, &mapping, "__kernel_clock_gettime");
#endif
	process_maps__close(&maps);
	assert_true(found);
	symbols__close(symbols);
}

static void addresses_that_are_nowhere(void **state)
{
	struct symbols *symbols = open_symbols();
	struct symbols_troubles troubles;

	(void)state;
	assert_int_equal(symbols__frame(symbols, getpid(), 0, false), FRAME_UNKNOWN);
	assert_int_equal(symbols__frame(symbols, getpid(), 0, true), FRAME_UNKNOWN);
	assert_int_equal(symbols__frame(symbols, getpid(), UINT64_MAX, true), FRAME_UNKNOWN);
	assert_int_equal(symbols__frame(symbols, getpid(), (uintptr_t)&symbols, true),
			 FRAME_UNKNOWN);
	assert_int_equal(symbols__frame(symbols, 0, 0x1000, true), FRAME_UNKNOWN);
	assert_int_equal(symbols__frame(symbols, -1, 0x1000, true), FRAME_UNKNOWN);
	symbols__resolve(symbols);
	assert_string_equal(symbols__name(symbols, FRAME_UNKNOWN)->function, "[unknown]");
	assert_string_equal(symbols__name(symbols, 12345)->function, "[unknown]");
	symbols__troubles(symbols, &troubles);
	assert_int_equal(troubles.files_unread, 0);
	assert_int_equal(troubles.maps_refused, 0);
	symbols__close(symbols);
	symbols__close(NULL);
}

static void functions_of_the_kernel(void **state)
{
	struct symbols *symbols = open_symbols();
	FILE *list = fopen("/proc/kallsyms", "r");
	char name[256] = "", type = 0;
	unsigned long address = 0;
	const struct symbol_name *found;

	(void)state;
	if (geteuid() != 0)
		skip_because("the kernel shows its addresses to root alone");
	while (strcmp(name, "schedule") != 0 || type != 'T')
		assert_int_equal(fscanf(list, "%lx %c %255s%*[^\n]", &address, &type, name), 3);
	fclose(list);
	symbols__kernel_frame(symbols, address + 8, true);
	symbols__resolve(symbols);
	found = symbols__name(symbols, symbols__kernel_frame(symbols, address + 8, true));
	assert_string_equal(found->function, "schedule");
	assert_string_equal(found->module, "[kernel]");
	assert_true(found->is_kernel);
	assert_false(found->is_outermost);
	/* the address is not shown */
	symbols__kernel_frame(symbols, 0xffff000000001000, false);
	symbols__resolve(symbols);
	found = symbols__name(symbols, symbols__kernel_frame(symbols, 0xffff000000001000, false));
	assert_string_equal(found->function, "[kernel]");
	symbols__close(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_confined_tracer),
		cmocka_unit_test(a_confined_tracer_whose_child_is_lost),
		cmocka_unit_test(a_file_by_its_path),
		cmocka_unit_test(a_replaced_file_without_the_capability),
		cmocka_unit_test(functions_of_the_vdso),
		cmocka_unit_test(addresses_that_are_nowhere),
		cmocka_unit_test(functions_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
