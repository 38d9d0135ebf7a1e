/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holm's correction of p-values for the number of tests: if nothing differs at all, the
 * probability that one of the corrected p-values is below 0.05 is at most 5 %. It holds also where
 * the tests depend on each other, as those of a command and of its steps.
 */
#ifndef STEPTRACE_COMPARE_HOLM_H
#define STEPTRACE_COMPARE_HOLM_H

#include <stddef.h>

/* A test: its own p, and where the corrected one goes. */
struct holm_test {
	double p;
	double *corrected;
};

/* Changes the order of the tests. */
void holm__correct(struct holm_test *tests, size_t count);

#endif
