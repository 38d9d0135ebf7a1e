// SPDX-License-Identifier: BSD-2-Clause
/* The code of a process: here that of the test itself, with a perf map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "steptrace/symbols/code_maps.h"

static char map_path[64];

static int write_perf_map(void **state)
{
	FILE *map;

	(void)state;
	snprintf(map_path, sizeof(map_path), "/tmp/perf-%d.map", getpid());
	map = fopen(map_path, "w");
	return map && fputs("1000 10 compiled\n", map) >= 0 && fclose(map) == 0 ? 0 : -1;
}

static int remove_perf_map(void **state)
{
	(void)state;
	return unlink(map_path);
}

/* Whether the perf map is opened when so many modules may have descriptors; and what is said. */
static bool is_opened(size_t opened_max, uint64_t *refused)
{
	struct helper helper = {.keeper_fd = -1, .reader_fd = -1};
	struct modules modules = {.opened_max = opened_max};
	struct symbols_troubles troubles = {0};
	struct mapped mapped = {.modules = &modules, .helper = &helper, .troubles = &troubles};
	struct code_maps processes = {.mapped = &mapped};
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct code_place place;
	bool is_opened;

	assert_true(code != MAP_FAILED);
	assert_true(code_maps__find(&processes, getpid(), (uintptr_t)code, &place));
	assert_int_equal(modules__at(&modules, place.module)->kind, MODULE_JIT);
	is_opened = modules__at(&modules, place.module)->fd >= 0;
	*refused = troubles.maps_refused;
	code_maps__free(&processes);
	modules__free(&modules);
	munmap(code, 4096);
	return is_opened;
}

static void a_perf_map(void **state)
{
	uint64_t refused;

	(void)state;
	assert_true(is_opened(1000, &refused));
	assert_int_equal(refused, 0);
}

/* Each process may have one: without a limit they would take all descriptors. */
static void a_perf_map_too_many(void **state)
{
	uint64_t refused;

	(void)state;
	assert_false(is_opened(2, &refused));
	assert_int_equal(refused, 1);
}

/* More than are kept, of two processes in turns. */
static void reported_mappings(void **state)
{
	struct process_mapping mapping = {.untrusted_path = "/lib/a.so"};
	uint64_t count = 0;
	struct seen_mappings seen = {0};

	(void)state;
	assert_null(seen_mappings__latest(&seen, 1, 0, &count));
	for (uint64_t i = 0; i < SEEN_MAPPINGS_MAX + 10; i++) {
		mapping.start = i;
		seen_mappings__add(&seen, 1 + (pid_t)(i % 2), &mapping);
	}
	count = seen.count;
	assert_null(seen_mappings__latest(&seen, 3, 0, &count));
	count = seen.count;
	assert_null(seen_mappings__latest(&seen, 1, seen.count - 1, &count));
	assert_int_equal(count, seen.count - 1);
	count = seen.count;
	for (uint64_t i = 1; i <= SEEN_MAPPINGS_MAX / 2; i++) {
		const struct process_mapping *found = seen_mappings__latest(&seen, 2, 0, &count);

		assert_non_null(found);
		assert_int_equal(found->start, SEEN_MAPPINGS_MAX + 10 + 1 - 2 * i);
		assert_string_equal(found->untrusted_path, "/lib/a.so");
	}
	assert_null(seen_mappings__latest(&seen, 2, 0, &count));
	seen_mappings__free(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_perf_map, write_perf_map, remove_perf_map),
		cmocka_unit_test_setup_teardown(a_perf_map_too_many, write_perf_map,
						remove_perf_map),
		cmocka_unit_test(reported_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
