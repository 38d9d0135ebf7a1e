// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <string.h>

#include "steptrace/attach/copies.h"

enum { PROBE_AT = 0x2100, OTHER_PROBE_AT = 0x3100, SEMAPHORE_AT = 0x8010, FILE_BYTES = 0xa000 };

static const struct probe_notes notes = {
	.notes = {{.offset = PROBE_AT, .semaphore_offset = SEMAPHORE_AT},
		  {.offset = OTHER_PROBE_AT, .semaphore_offset = SEMAPHORE_AT}},
	.count = 2,
};

static const struct probe_notes without_semaphores = {
	.notes = {{.offset = PROBE_AT}},
	.count = 1,
};

/* Like a line of /proc/PID/maps: the access, and which part of the file. */
struct row {
	const char *access;
	uint64_t from, to;
};

/* clang-format off */
#define HEADERS {"r--p", 0, 0x2000}
#define CODE    {"r-xp", 0x2000, 0x6000}
#define CONST   {"r--p", 0x6000, 0x8000}
#define DATA    {"rw-p", 0x8000, 0xa000}
/* clang-format on */

static enum loading judge(const struct probe_notes *of, const struct row *rows, size_t count)
{
	struct copies copies = {0};

	for (size_t i = 0; i < count; i++) {
		const struct mapped_part part = {
			.offset = rows[i].from,
			.bytes = rows[i].to - rows[i].from,
			.writable = rows[i].access[1] == 'w',
			.executable = rows[i].access[2] == 'x',
			.shared = rows[i].access[3] == 's',
		};

		copies__add(&copies, of, &part);
	}
	return copies__judge(&copies, of);
}

enum { ROWS_MAX = 8 };

static void mappings_are_judged(void **state)
{
	static const struct {
		const char *what;
		struct row rows[ROWS_MAX];
		enum loading loading;
	} cases[] = {
		{"nothing", {{0}}, LOADED_ONCE},
		{"a load", {HEADERS, CODE, CONST, DATA}, LOADED_ONCE},
		{"a load that has only begun", {HEADERS, CODE}, LOADED_ONCE},
		{"two loads", {HEADERS, CODE, DATA, HEADERS, CODE, DATA}, LOADED_TWICE},
		{"a second load that has only begun", {CODE, DATA, CODE}, LOADED_TWICE},
		{"a private copy of the file", {CODE, DATA, {"rw-p", 0, FILE_BYTES}}, LOADED_TWICE},
		{"a copy of the data", {CODE, DATA, {"rw-p", 0x8000, 0x9000}}, LOADED_TWICE},
		{"the file, to read it", {CODE, DATA, {"r--p", 0, FILE_BYTES}}, LOADED_ONCE},
		{"the file, shared", {CODE, DATA, {"r--s", 0, FILE_BYTES}}, LOADED_ONCE},
		{"the file, written", {CODE, DATA, {"rw-s", 0, FILE_BYTES}}, LOADED_ONCE},
		{"only the file, to read it", {{"r--p", 0, FILE_BYTES}}, LOADED_ONCE},
		{"only a private copy", {{"rw-p", 0, FILE_BYTES}}, LOADED_ONCE},
		{"a hole of the linker", {CODE, DATA, {"---p", 0x2000, 0x8000}}, LOADED_ONCE},
		{"a page of code and data", {CODE, {"r--p", 0x2000, 0x3000}, DATA}, LOADED_ONCE},
		{"code in two parts",
		 {{"r-xp", 0x2000, 0x3000}, {"r-xp", 0x3000, 0x6000}, DATA},
		 LOADED_ONCE},
		{"code that was moved", {HEADERS, CONST, DATA}, LOADED_MOVED},
		{"one probe that was moved", {{"r-xp", 0x2000, 0x3000}, CONST, DATA}, LOADED_MOVED},
		{"code that is written to", {{"rwxp", 0x2000, 0x6000}, DATA}, LOADED_MOVED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t count = 0;

		while (count < ROWS_MAX && cases[i].rows[count].access)
			count++;
		if (judge(&notes, cases[i].rows, count) != cases[i].loading)
			fail_msg("%s: %d instead of %d", cases[i].what,
				 judge(&notes, cases[i].rows, count), cases[i].loading);
	}
}

/* Then the kernel raises nothing: every load can be traced. */
static void without_semaphores_all_is_well(void **state)
{
	static const struct row rows[] = {CODE, DATA, CODE, DATA};

	(void)state;
	assert_int_equal(judge(&without_semaphores, rows, 4), LOADED_ONCE);
}

static void the_last_byte_of_a_mapping_is_not_part_of_it(void **state)
{
	static const struct row rows[] = {CODE, DATA, {"rw-p", 0, SEMAPHORE_AT}};
	static const struct row more[] = {CODE, DATA, {"rw-p", 0, SEMAPHORE_AT + 1}};

	(void)state;
	assert_int_equal(judge(&notes, rows, 3), LOADED_ONCE);
	assert_int_equal(judge(&notes, more, 3), LOADED_TWICE);
}

static void each_but_once_has_words(void **state)
{
	(void)state;
	assert_null(loading__text(LOADED_ONCE));
	assert_non_null(strstr(loading__text(LOADED_TWICE), "more than once"));
	assert_non_null(strstr(loading__text(LOADED_MOVED), "moved"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_are_judged),
		cmocka_unit_test(without_semaphores_all_is_well),
		cmocka_unit_test(the_last_byte_of_a_mapping_is_not_part_of_it),
		cmocka_unit_test(each_but_once_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
