// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <unistd.h>

#include "steptrace/attach/attachments.h"

/* The child that measures could not be started, or was killed: every kernel has the trap. */
static void without_a_measurement_the_first_site_is_used(void **state)
{
	struct attachments set = {.measurer_fd = -1};
	struct error err;
	int ends[2];

	(void)state;
	assert_int_equal(attachments__open(&set, NULL, &err), 0);
	assert_int_equal(attachments__site(&set), SITE_NOP1);
	writers__close(&set.writers);
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	set.measurer_fd = ends[0];
	assert_int_equal(attachments__open(&set, NULL, &err), 0);
	assert_int_equal(attachments__site(&set), SITE_NOP1);
	assert_int_equal(set.measurer_fd, -1);
	writers__close(&set.writers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_measurement_the_first_site_is_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
