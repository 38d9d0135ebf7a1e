// SPDX-License-Identifier: BSD-2-Clause
/* Options of `steptrace profile` that depend on the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/options.h"
#include "steptrace/profile_options.h"
#include "steptrace/stack_record.h"

/* `unwind`: the value of --unwind; NULL: not given. */
static struct profile_request parsed(const char *unwind)
{
	char *argv[] = {"profile", "-a", unwind ? "--unwind" : NULL, (char *)unwind, NULL};
	struct profile_request request;
	struct error err;

	assert_int_equal(profile_options__parse(&request, unwind ? 4 : 2, argv, &err), OPTION_END);
	return request;
}

static void test_copies_are_the_default(void **state)
{
	struct profile_request request = parsed(NULL);

	(void)state;
	assert_true(profile_options__choose_unwind(&request, true));
	assert_int_equal(request.stacks.on_copy_bytes, STACK_COPY_DEFAULT);
	assert_int_equal(request.stacks.off_copy_bytes, STACK_COPY_DEFAULT);
}

static void test_an_old_kernel_follows_frame_pointers(void **state)
{
	struct profile_request request = parsed(NULL);

	(void)state;
	assert_false(profile_options__choose_unwind(&request, false));
	assert_int_equal(request.stacks.on_copy_bytes, 0);
	assert_int_equal(request.stacks.off_copy_bytes, 0);
}

/* Loading the programs then fails with a sentence: what was asked for is not replaced. */
static void test_what_was_given_stays(void **state)
{
	struct profile_request dwarf = parsed("dwarf,2K"), fp = parsed("fp");

	(void)state;
	assert_true(profile_options__choose_unwind(&dwarf, false));
	assert_int_equal(dwarf.stacks.on_copy_bytes, 2048);
	assert_int_equal(dwarf.stacks.off_copy_bytes, 2048);
	assert_true(profile_options__choose_unwind(&fp, true));
	assert_int_equal(fp.stacks.on_copy_bytes, 0);
	assert_int_equal(fp.stacks.off_copy_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_are_the_default),
		cmocka_unit_test(test_an_old_kernel_follows_frame_pointers),
		cmocka_unit_test(test_what_was_given_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
