// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>

#include "steptrace/attach/seen_files.h"

static struct seen_files seen;

static void what_was_added_is_found(void **state)
{
	const struct steptrace_file file = {.inode = 5, .file_system = 6, .changed_ns = 7};
	const struct seen_key one = {1, 5, 0}, other = {2, 5, 0}, newer = {1, 5, 1};

	(void)state;
	seen = (struct seen_files){0};
	assert_null(seen_files__find(&seen, &one));
	seen_files__add(&seen, &one, &file);
	assert_true(seen_files__find(&seen, &one)->is_attached);
	assert_int_equal(seen_files__find(&seen, &one)->file.changed_ns, 7);
	assert_null(seen_files__find(&seen, &other));
	assert_null(seen_files__find(&seen, &newer));
	seen_files__add(&seen, &one, NULL);
	assert_false(seen_files__find(&seen, &one)->is_attached);
}

/* More files than there is room for: some are forgotten, and none is taken for another one. */
static void there_may_be_too_many(void **state)
{
	size_t found = 0;

	(void)state;
	seen = (struct seen_files){0};
	for (uint64_t inode = 1; inode <= 4 * SEEN_FILES_COUNT; inode++) {
		const struct seen_key key = {0x801, inode, inode % 3};
		const struct steptrace_file file = {.inode = inode};

		seen_files__add(&seen, &key, &file);
		assert_int_equal(seen_files__find(&seen, &key)->file.inode, inode);
	}
	for (uint64_t inode = 1; inode <= 4 * SEEN_FILES_COUNT; inode++) {
		const struct seen_key key = {0x801, inode, inode % 3};
		const struct seen_file *entry = seen_files__find(&seen, &key);

		found += entry != NULL;
		assert_true(!entry || entry->file.inode == inode);
	}
	assert_in_range(found, SEEN_FILES_COUNT / 2, SEEN_FILES_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found),
		cmocka_unit_test(there_may_be_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
