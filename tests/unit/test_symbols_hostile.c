// SPDX-License-Identifier: BSD-2-Clause
/* Perf maps and files that are not what they should be. Nothing may end or stop the tracer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include "skipping.h"
#include "symbols_fixture.h"

static struct symbols_troubles troubles_of(const struct symbols *symbols)
{
	struct symbols_troubles troubles;

	symbols__troubles(symbols, &troubles);
	return troubles;
}

static bool begins(const char *names, const char *with)
{
	return strncmp(names, with, strlen(with)) == 0;
}

/* ---- perf maps */

static char map_path[64];

/* Stops in code of a just-in-time compiler, with a map as the program writes it. */
static void stop_in_jit(struct stopped *stopped, const char *name)
{
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	stop_with(stopped, in_folder("stacks"), "jit", name);
	snprintf(map_path, sizeof(map_path), "/tmp/perf-%d.map", stopped->pid);
}

static void end_jit(struct stopped *stopped)
{
	unlink(map_path);
	end_stopped(stopped);
}

static void functions_of_a_perf_map(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	struct stack stack;
	char *names;

	(void)state;
	stop_in_jit(&stopped, "LazyCompile:*handle /srv/shop server.js:12");
	unwind(symbols, &stopped, &stack);
	names = names_of(symbols, &stack);
	if (!begins(names, "innermost_step call_back "
			   "LazyCompile:*handle /srv/shop server.js:12 main "))
		fail_msg("%s", names);
	assert_string_equal(symbols__name(symbols, stack.frames[2])->module, "[perf map]");
	assert_int_equal(troubles_of(symbols).maps_refused, 0);
	assert_int_equal(troubles_of(symbols).files_unread, 0);
	free(names);
	end_jit(&stopped);
	symbols__close(symbols);
}

static void code_without_a_perf_map(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	char *names;

	(void)state;
	stop_in_jit(&stopped, NULL);
	names = stack_names(symbols, &stopped);
	if (!begins(names, "innermost_step call_back [anonymous] main "))
		fail_msg("%s", names);
	assert_int_equal(troubles_of(symbols).maps_refused, 0);
	free(names);
	end_jit(&stopped);
	symbols__close(symbols);
}

static void a_perf_map_that_grows(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	struct stack stack;
	char *names;
	FILE *map;

	(void)state;
	stop_in_jit(&stopped, "older");
	unwind(symbols, &stopped, &stack);
	map = fopen(map_path, "a");
	fprintf(map, "%lx 10 newer\n%lx 10 unfin", (unsigned long)(stack.addresses[2] & ~0xfful),
		(unsigned long)(stack.addresses[2] & ~0xfful));
	fclose(map);
	names = names_of(symbols, &stack);
	if (!begins(names, "innermost_step call_back newer main "))
		fail_msg("%s", names);
	free(names);
	end_jit(&stopped);
	symbols__close(symbols);
}

/* Replaces the map by what the command makes, whose %s is its path. */
static void require_refused(const char *command, uint64_t refused)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	char *names;

	stop_in_jit(&stopped, "of_the_process");
	unlink(map_path);
	run(command, map_path, map_path);
	names = stack_names(symbols, &stopped);
	if (!begins(names, "innermost_step call_back [anonymous] main "))
		fail_msg("%s: %s", command, names);
	assert_int_equal(troubles_of(symbols).maps_refused, refused);
	assert_int_equal(troubles_of(symbols).children_lost, 0);
	free(names);
	end_jit(&stopped);
	symbols__close(symbols);
}

static void perf_maps_that_are_not_the_process_s_own(void **state)
{
	(void)state;
	require_refused("ln -s /etc/passwd %s", 1);
	require_refused("mkfifo %s", 1);
	require_refused("mkdir %s", 1);
	run("rmdir %s", map_path);
	require_refused("echo 1000 ffffffff0000 foreign >%s && chmod 0666 %s", 1);
	if (geteuid() == 0)
		require_refused("echo 1000 ffffffff0000 foreign >%s && chown 12345 %s", 1);
}

static void perf_maps_that_are_no_maps(void **state)
{
	(void)state;
	require_refused("truncate -s 10G %s", 1);
	require_refused("head -c 100000 /dev/zero >%s", 1);
	require_refused("echo 'no numbers at all' >%s", 0);
	require_refused(": >%s", 0);
}

/* ---- program files */

/* A library that is damaged by a command while a process has it mapped. */
static void stop_with_library(struct stopped *stopped)
{
	FILE *file = fopen(in_folder("library.c"), "w");

	assert_non_null(file);
	fputs("static volatile int after;\n"
	      "__attribute__((noinline, noclone)) int inner_function(int (*step)(int)) {\n"
	      "	return step(1) + after; }\n"
	      "int library_step(int (*step)(int)) { return inner_function(step) + after; }\n",
	      file);
	fclose(file);
	build_stacks("-O2 -fomit-frame-pointer", "stacks");
	run("cc -w -O2 -fomit-frame-pointer -fPIC -shared %s -o %s", in_folder("library.c"),
	    in_folder("libstep.so"));
	stop_with(stopped, in_folder("stacks"), "library", in_folder("libstep.so"));
}

/* The other files are still read. */
static void a_file_that_ends_the_child(void **state)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	struct stack stack;
	char *names;

	(void)state;
	stop_with_library(&stopped);
	unwind(symbols, &stopped, &stack);
	assert_false(stack.is_cut);
	run("truncate -s 4096 %s", in_folder("libstep.so")); /* reading is SIGBUS now */
	names = names_of(symbols, &stack);
	if (!begins(names, "innermost_step [libstep.so+0x") || !strstr(names, "] main ") ||
	    !strstr(names, " _start"))
		fail_msg("%s", names);
	free(names);
	assert_int_equal(troubles_of(symbols).children_lost, 1);
	end_stopped(&stopped);
	symbols__close(symbols);
}

/* Nothing is known about what these files make of the stack: only that it has an end. */
static void damaged(const char *command)
{
	struct symbols *symbols = open_symbols();
	struct stopped stopped;
	char *names;

	stop_with_library(&stopped);
	run(command, in_folder("libstep.so"));
	names = stack_names(symbols, &stopped);
	if (!begins(names, "innermost_step "))
		fail_msg("%s: %s", command, names);
	free(names);
	end_stopped(&stopped);
	symbols__close(symbols);
}

static void damaged_files(void **state)
{
	static const char *const commands[] = {
		"truncate -s 100 %s",
		"truncate -s 5000 %s",
		"truncate -s 0 %s",
		/* an absurd table of sections: where it is, how large entries are, how many */
		"printf '\\377\\377\\377\\377\\377\\377\\377\\177' |"
		" dd of=%s bs=1 seek=40 conv=notrunc status=none",
		"printf '\\377\\377\\377\\377\\377\\377' |"
		" dd of=%s bs=1 seek=58 conv=notrunc status=none",
		/* of segments */
		"printf '\\001' | dd of=%s bs=1 seek=32 conv=notrunc status=none",
		"printf '\\377\\377' | dd of=%s bs=1 seek=56 conv=notrunc status=none",
		/* another architecture */
		"printf '\\363' | dd of=%s bs=1 seek=18 conv=notrunc status=none",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		damaged(commands[i]);
}

/* Where a section is in the file. */
static void find_section(const char *name, unsigned long *offset, unsigned long *bytes)
{
	char command[512];
	FILE *found;

	snprintf(command, sizeof(command),
		 "readelf -SW %s | sed 's/^ *\\[ *//' | awk '$2 == \"%s\" { print $5, $6 }'",
		 in_folder("libstep.so"), name);
	found = popen(command, "r");
	assert_non_null(found);
	assert_int_equal(fscanf(found, "%lx %lx", offset, bytes), 2);
	pclose(found);
}

/* Writes random bytes over a section, or over every twentieth byte of it. */
static void overwrite(const char *section, bool is_whole)
{
	int fd = open(in_folder("libstep.so"), O_WRONLY | O_CLOEXEC);
	unsigned long offset, bytes;

	find_section(section, &offset, &bytes);
	for (unsigned long i = 0; i < bytes; i++) {
		uint8_t byte = (uint8_t)random();

		if (is_whole || random() % 20 == 0)
			assert_int_equal(pwrite(fd, &byte, 1, (off_t)(offset + i)), 1);
	}
	close(fd);
}

static void damaged_sections(void **state)
{
	static const char *const sections[] = {".eh_frame", ".eh_frame_hdr", ".symtab",
					       ".strtab",   ".dynsym",       ".note.gnu.build-id"};
	const size_t count = sizeof(sections) / sizeof(sections[0]);

	(void)state;
	srandom(1);
	for (size_t i = 0; i < 6 * count; i++) {
		struct symbols *symbols = open_symbols();
		struct stopped stopped;
		char *names;

		stop_with_library(&stopped);
		overwrite(sections[i % count], i % 2);
		names = stack_names(symbols, &stopped);
		assert_int_equal(strncmp(names, "innermost_step ", 15), 0);
		free(names);
		end_stopped(&stopped);
		symbols__close(symbols);
	}
}

static void too_few_bytes_and_wild_registers(void **state)
{
	struct symbols *symbols = open_symbols();
	uint64_t addresses[STACK_FRAMES_MAX];
	struct stopped stopped;
	bool is_cut;

	(void)state;
	build_stacks("-O2", "stacks");
	stop_in(&stopped, "stacks", "plain");
	for (int i = 0; i < 5000; i++) {
		struct stack_copy *copy = stopped.copy;
		size_t count;

		copy->bytes_count = (uint32_t)(random() % 500);
		for (int j = 0; j < 16; j++)
			((uint64_t *)(copy + 1))[random() % 64] = (uint64_t)random() * random();
		if (i % 2)
			copy->registers.values[random() % 8] = (uint64_t)random() << 33;
		count = symbols__unwind(symbols, stopped.pid, copy, addresses, STACK_FRAMES_MAX,
					&is_cut);
		assert_true(count >= 1 && count <= STACK_FRAMES_MAX);
	}
	end_stopped(&stopped);
	symbols__close(symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_of_a_perf_map),
		cmocka_unit_test(code_without_a_perf_map),
		cmocka_unit_test(a_perf_map_that_grows),
		cmocka_unit_test(perf_maps_that_are_not_the_process_s_own),
		cmocka_unit_test(perf_maps_that_are_no_maps),
		cmocka_unit_test(a_file_that_ends_the_child),
		cmocka_unit_test(damaged_files),
		cmocka_unit_test(damaged_sections),
		cmocka_unit_test(too_few_bytes_and_wild_registers),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
