/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fisher's exact test, two-sided: whether two proportions differ. It is right for any numbers,
 * also where failures are rare.
 *
 * Of all tables with the same sums, p is the share of those that are not more probable than this
 * one. The probabilities follow from each other, from the most probable table outwards; those that
 * are smaller than 1e-100 of it are left out.
 */
#ifndef STEPTRACE_COMPARE_EXACT_TEST_H
#define STEPTRACE_COMPARE_EXACT_TEST_H

#include <stdint.h>

/* How many of how many; failed <= count. */
struct proportion {
	uint64_t failed, count;
};

/* 1 where a count is 0. */
double exact_test__p(struct proportion old, struct proportion new);

#endif
