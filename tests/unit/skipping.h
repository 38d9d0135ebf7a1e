/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Skips the running test and says why. tests/run-unit prints the reason, and fails a program that
 * skips a test without one.
 *
 *	if (!folder)
 *		skip_because("STEPTRACE_WILD_PACKS names no folder");
 *
 * cmocka's own skip() takes no reason. Include <cmocka.h> first.
 */
#ifndef TESTS_SKIPPING_H
#define TESTS_SKIPPING_H

/* Does not return: cmocka jumps out of the test. */
#define skip_because(reason)                                                                       \
	do {                                                                                       \
		print_message("skipped: " reason "\n");                                            \
		skip();                                                                            \
	} while (0)

#endif
