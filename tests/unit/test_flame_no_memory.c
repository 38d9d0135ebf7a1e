// SPDX-License-Identifier: BSD-2-Clause
/* flame__write() where memory is short. The program is linked with --wrap for what allocates. */
#include "flame_fixture.h"

#include <errno.h>

/* How many allocations succeed before one fails; negative: all do. */
static long allocations_left = -1;

static bool is_refused(void)
{
	if (allocations_left < 0 || allocations_left-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	return is_refused() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	return is_refused() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
	return is_refused() ? NULL : __real_realloc(memory, bytes);
}

/* Refuses one allocation after the other, until all that were needed have been refused once. */
static void refuse_each(enum flame_format format)
{
	struct folded folded = {.facts = facts, .stacks = few, .stacks_count = 6};
	long refused = 0;
	int err = -ENOMEM;

	for (bool was_refused = true; was_refused; refused++) {
		FILE *out = fopen("/dev/null", "w");

		assert_non_null(out);
		allocations_left = refused;
		err = flame__write(out, format, &folded);
		was_refused = allocations_left < 0;
		allocations_left = -1;
		assert_int_equal(err, was_refused ? -ENOMEM : 0);
		fclose(out);
	}
	assert_true(refused > 40);
}

static void test_each_format(void **state)
{
	(void)state;
	for (int i = 0; i < FLAME_FORMATS_COUNT; i++)
		refuse_each((enum flame_format)i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_format)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
