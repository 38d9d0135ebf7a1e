// SPDX-License-Identifier: BSD-2-Clause
/* Where the names come from: libraries, debug files, replaced files, other root directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <sched.h>
#include <sys/mount.h>

#include "skipping.h"
#include "symbols_fixture.h"

enum { NOBODY = 65534 };

/* ---- libraries */

/* library_step() calls back from a function, whose declaration is given. */
static void build_library(const char *compiler, const char *source, const char *flags)
{
	FILE *file = fopen(in_folder("library.source"), "w");

	assert_non_null(file);
	fputs(source, file);
	fclose(file);
	run("%s -w -g0 -O2 -fomit-frame-pointer -fPIC -shared %s %s -o %s", compiler, flags,
	    in_folder("library.source"), in_folder("libstep.so"));
}

static const char c_source[] =
	"static volatile int after;\n"
	"__attribute__((noinline, noclone)) int inner_function(int (*step)(int)) {\n"
	"	return step(1) + after; }\n"
	"int library_step(int (*step)(int)) { return inner_function(step) + after; }\n";

static void build_c_library(const char *flags)
{
	build_library("cc -x c", c_source, flags);
}

/* The names of the frames of stacks that call the library. */
static char *library_names(struct symbols *symbols)
{
	struct stopped stopped;
	char *names;

	stop_with(&stopped, in_folder("stacks"), "library", in_folder("libstep.so"));
	names = stack_names(symbols, &stopped);
	end_stopped(&stopped);
	return names;
}

static void require_library_names(const char *begin)
{
	struct symbols *symbols = open_symbols();
	char *names = library_names(symbols);

	if (strncmp(names, begin, strlen(begin)) != 0)
		fail_msg("%s", names);
	free(names);
	symbols__close(symbols);
}

static void a_shared_library(void **state)
{
	(void)state;
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	build_c_library("");
	require_library_names("innermost_step inner_function library_step main ");
}

static void exported_functions_of_a_stripped_library(void **state)
{
	(void)state;
	build_c_library("-s");
	require_library_names("innermost_step inner_function library_step main ");
}

/* Of the names of one function, the exported one is used, and without its version: as in the C
 * library, where pthread_mutex_lock is also __GI___pthread_mutex_lock. */
static void versions_are_left_out(void **state)
{
	FILE *map = fopen(in_folder("library.map"), "w");
	char flags[256];

	(void)state;
	assert_non_null(map);
	fputs("VERSION_1.0 { global: outer_function; library_step; local: *; };\n", map);
	fclose(map);
	snprintf(flags, sizeof(flags), "-x c -Wl,--version-script=%s", in_folder("library.map"));
	build_library("cc",
		      "static volatile int after;\n"
		      "__attribute__((noinline, noclone)) int __GI_outer(int (*step)(int)) {\n"
		      "	return step(1) + after; }\n"
		      "extern int outer_versioned(int (*step)(int))\n"
		      "	__attribute__((alias(\"__GI_outer\")));\n"
		      "__asm__(\".symver outer_versioned, outer_function@@VERSION_1.0\");\n"
		      "int library_step(int (*step)(int)) { return __GI_outer(step) + after; }\n",
		      flags);
	require_library_names("innermost_step outer_function library_step main ");
}

static void cplusplus_names_are_demangled(void **state)
{
	(void)state;
	build_library("c++ -x c++",
		      "static volatile int after;\n"
		      "struct Basket { __attribute__((noinline)) int add(int (*step)(int)); };\n"
		      "int Basket::add(int (*step)(int)) { return step(1) + after; }\n"
		      "extern \"C\" int library_step(int (*step)(int)) {\n"
		      "	Basket basket; return basket.add(step) + after; }\n",
		      "");
	require_library_names("innermost_step Basket::add library_step main ");
}

static void rust_names_are_demangled(void **state)
{
	(void)state;
	build_library("cc -x c",
		      "static volatile int after;\n"
		      "#define STEP(name) __asm__(name); __attribute__((noinline, noclone)) int\n"
		      "int legacy(int (*step)(int))\n"
		      "	STEP(\"_ZN4shop6basket3add17h05af221e174051e9E\")\n"
		      "legacy(int (*step)(int)) { return step(1) + after; }\n"
		      "int newer(int (*step)(int)) STEP(\"_RNvNtCs1234_7mycrate3foo3bar\")\n"
		      "newer(int (*step)(int)) { return legacy(step) + after; }\n"
		      "int library_step(int (*step)(int)) { return newer(step) + after; }\n",
		      "");
	require_library_names("innermost_step shop::basket::add mycrate::foo::bar library_step ");
}

static void a_place_in_no_function_is_named_by_its_address(void **state)
{
	struct symbols *symbols = open_symbols();
	char *names;
	unsigned int address = 0;

	(void)state;
	build_library("cc -x c",
		      "static volatile int after;\n"
		      "__attribute__((noinline, noclone, visibility(\"hidden\")))\n"
		      "int hidden(int (*step)(int)) { return step(1) + after; }\n"
		      "int library_step(int (*step)(int)) { return hidden(step) + after; }\n",
		      "-s");
	names = library_names(symbols);
	assert_int_equal(sscanf(names, "innermost_step [libstep.so+0x%x] library_step ", &address),
			 1);
	assert_true(address > 0x1000 && address < 0x2000);
	free(names);
	symbols__close(symbols);
}

/* ---- debug files */

static void split_debug(const char *name, const char *debug)
{
	run("objcopy --only-keep-debug %s %s && strip %s", in_folder(name), in_folder(debug),
	    in_folder(name));
}

static char *plain_names(struct symbols *symbols)
{
	struct stopped stopped;
	char *names;

	stop_in(&stopped, "stacks", "plain");
	names = stack_names(symbols, &stopped);
	end_stopped(&stopped);
	return names;
}

static bool has_steps(const char *names)
{
	const char *steps = "innermost_step middle_step outermost_step main ";

	return strncmp(names, steps, strlen(steps)) == 0;
}

static void require_steps(bool are_there)
{
	struct symbols *symbols = open_symbols();
	char *names = plain_names(symbols);

	if (has_steps(names) != are_there)
		fail_msg("%s", names);
	free(names);
	symbols__close(symbols);
}

static void a_debug_file_by_its_link(void **state)
{
	(void)state;
	build_stacks("-O2 -g -Wl,--build-id=none", "stacks");
	split_debug("stacks", "stacks.debug");
	require_steps(false);
	run("cd %s && objcopy --add-gnu-debuglink=stacks.debug stacks", test_folder);
	require_steps(true);
	run("mkdir -p %s/.debug && mv %s/stacks.debug %s/.debug/", test_folder, test_folder,
	    test_folder);
	require_steps(true);
}

static void a_debug_file_of_another_build_is_not_used(void **state)
{
	(void)state;
	run("cd %s && printf x >>.debug/stacks.debug", test_folder);
	require_steps(false);
	run("rm -r %s/.debug", test_folder);
	build_stacks("-O2 -g -Wl,--build-id=0x1122334455667788", "other");
	split_debug("other", "stacks.debug");
	build_stacks("-O2 -g -Wl,--build-id=0x1122334455667799", "stacks");
	run("cd %s && strip stacks && objcopy --add-gnu-debuglink=stacks.debug stacks",
	    test_folder);
	require_steps(false);
}

/* As Fedora packages its programs. */
static void symbols_that_are_compressed_in_the_file(void **state)
{
	(void)state;
	build_stacks("-O2 -Wl,--build-id=none", "stacks");
	split_debug("stacks", "small");
	require_steps(false);
	run("cd %s && xz small && objcopy --add-section .gnu_debugdata=small.xz stacks",
	    test_folder);
	require_steps(true);
}

/* ---- other root directories */

/* As build_stacks() and build_c_library(), with the C library, in FOLDER/root. */
static void make_root(void)
{
	run("mkdir -p %s/root%s", test_folder, test_folder);
	run("for file in $(ldd %s | grep -o '/[^ ]*'); do"
	    "	mkdir -p %s/root/$(dirname $file) && cp -L $file %s/root/$file || exit; done",
	    in_folder("stacks"), test_folder, test_folder);
	run("cp %s %s %s/root%s/", in_folder("stacks"), in_folder("libstep.so"), test_folder,
	    test_folder);
}

static void stop_in_root(struct stopped *stopped, const char *mode)
{
	stopped->pid = fork();
	if (stopped->pid == 0) {
		if (chroot(in_folder("root")) || chdir("/"))
			_exit(1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(in_folder("stacks"), "stacks", mode, in_folder("libstep.so"), NULL);
		_exit(127);
	}
	stopped->tid = wait_for_stop(stopped->pid);
	stopped->copy = copy_stack(stopped->tid);
}

/* As in a container: the process has other files at the same paths. */
static void stop_in_namespace(struct stopped *stopped)
{
	char inside[PATH_MAX];

	snprintf(inside, sizeof(inside), "%s/root%s", test_folder, test_folder);
	stopped->pid = fork();
	if (stopped->pid == 0) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount(inside, test_folder, NULL, MS_BIND, NULL))
			_exit(1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(in_folder("stacks"), "stacks", "library", in_folder("libstep.so"), NULL);
		_exit(127);
	}
	stopped->tid = wait_for_stop(stopped->pid);
	stopped->copy = copy_stack(stopped->tid);
}

static void another_library_at_the_same_path(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped inside;
	char *names;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can make a mount namespace");
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	build_c_library("-Dinner_function=inside_the_root");
	make_root();
	build_c_library("-Dinner_function=outside_the_root");
	stop_in_namespace(&inside);
	names = stack_names(symbols, &inside);
	if (!strstr(names, "innermost_step inside_the_root library_step main "))
		fail_msg("%s", names);
	free(names);
	end_stopped(&inside);
	names = library_names(symbols);
	if (!strstr(names, "innermost_step outside_the_root library_step main "))
		fail_msg("%s", names);
	free(names);
	symbols__close(symbols);
}

static void a_debug_file_by_build_id_in_the_root(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped inside;
	char *names;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can change the root directory");
	build_stacks("-O2 -g -Wl,--build-id=0x5511223344556677", "stacks");
	split_debug("stacks", "stacks.debug");
	make_root();
	run("cd %s && mkdir -p root/usr/lib/debug/.build-id/55 &&"
	    " mv stacks.debug root/usr/lib/debug/.build-id/55/11223344556677.debug",
	    test_folder);
	stop_in_root(&inside, "plain");
	names = stack_names(symbols, &inside);
	if (!has_steps(names))
		fail_msg("%s", names);
	free(names);
	end_stopped(&inside);
	symbols__close(symbols);
}

/* ---- files that change */

static void a_program_that_was_replaced(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	char *names;

	(void)state;
	build_stacks("-O2", "stacks");
	stop_in(&stopped, "stacks", "plain");
	run("rm %s", in_folder("stacks"));
	build_stacks("-O2 -Dmiddle_step=wrong_step", "stacks");
	names = stack_names(symbols, &stopped);
	if (!has_steps(names))
		fail_msg("%s", names);
	free(names);
	end_stopped(&stopped);
	names = plain_names(symbols);
	if (!strstr(names, "innermost_step wrong_step outermost_step "))
		fail_msg("%s", names);
	free(names);
	symbols__close(symbols);
}

static void a_process_that_has_ended(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	struct stack stack;
	char *names;

	(void)state;
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	stop_in(&stopped, "stacks", "plain");
	symbols__look_at(symbols, stopped.pid);
	end_process(&stopped);
	run("rm %s", in_folder("stacks"));
	unwind(symbols, &stopped, &stack);
	symbols__forget(symbols, stopped.pid);
	names = names_of(symbols, &stack);
	if (!has_steps(names))
		fail_msg("%s", names);
	free(names);
	free(stopped.copy);
	assert_int_equal(symbols__frame(symbols, stopped.pid, stack.addresses[0], false),
			 FRAME_UNKNOWN);
	symbols__close(symbols);
}

static void a_library_that_is_loaded_later(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	struct stack stack;
	char *names;
	pid_t pid;

	(void)state;
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	build_c_library("");
	pid = start_traced(in_folder("stacks"), "library", in_folder("libstep.so"));
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WSTOPPED | WNOWAIT), 0);
	symbols__look_at(symbols, pid); /* after the exec: there are no libraries */
	stopped = (struct stopped){.pid = pid, .tid = wait_for_stop(pid)};
	stopped.copy = copy_stack(stopped.tid);
	do /* the list is not read again all the time */
		unwind(symbols, &stopped, &stack);
	while (stack.is_cut);
	names = names_of(symbols, &stack);
	if (!strstr(names, "innermost_step inner_function library_step main "))
		fail_msg("%s", names);
	free(names);
	end_stopped(&stopped);
	symbols__close(symbols);
}

/* ---- rights */

static void become_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		_exit(1);
}

static void a_file_that_its_user_cannot_read(void **state)
{
	struct symbols *symbols = open_symbols();
	struct symbols_troubles troubles;
	struct stopped stopped = {0};
	char *names;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become another user");
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	run("chmod 0711 %s", in_folder("stacks"));
	stopped.pid = fork();
	if (stopped.pid == 0) {
		become_nobody();
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(in_folder("stacks"), "stacks", "plain", NULL);
		_exit(127);
	}
	stopped.tid = wait_for_stop(stopped.pid);
	stopped.copy = copy_stack(stopped.tid);
	names = stack_names(symbols, &stopped);
	assert_null(strstr(names, "innermost_step"));
	assert_non_null(strstr(names, "[stacks+0x"));
	symbols__troubles(symbols, &troubles);
	assert_int_equal(troubles.files_forbidden, 1);
	assert_int_equal(troubles.files_unread, 0);
	free(names);
	end_stopped(&stopped);
	symbols__close(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_library),
		cmocka_unit_test(versions_are_left_out),
		cmocka_unit_test(exported_functions_of_a_stripped_library),
		cmocka_unit_test(cplusplus_names_are_demangled),
		cmocka_unit_test(rust_names_are_demangled),
		cmocka_unit_test(a_place_in_no_function_is_named_by_its_address),
		cmocka_unit_test(a_debug_file_by_its_link),
		cmocka_unit_test(a_debug_file_of_another_build_is_not_used),
		cmocka_unit_test(symbols_that_are_compressed_in_the_file),
		cmocka_unit_test(another_library_at_the_same_path),
		cmocka_unit_test(a_debug_file_by_build_id_in_the_root),
		cmocka_unit_test(a_program_that_was_replaced),
		cmocka_unit_test(a_process_that_has_ended),
		cmocka_unit_test(a_library_that_is_loaded_later),
		cmocka_unit_test(a_file_that_its_user_cannot_read),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
