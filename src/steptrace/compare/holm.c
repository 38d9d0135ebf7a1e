// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/holm.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
	const struct holm_test *one = left, *other = right;

	return (one->p > other->p) - (one->p < other->p);
}

/* The smallest p is multiplied by the number of tests, the next one by one less, and so on. */
void holm__correct(struct holm_test *tests, size_t count)
{
	double largest = 0;

	if (!count)
		return;
	qsort(tests, count, sizeof(*tests), compare);
	for (size_t i = 0; i < count; i++) {
		double corrected = tests[i].p * (double)(count - i);

		largest = corrected > largest ? corrected : largest;
		*tests[i].corrected = largest < 1 ? largest : 1;
	}
}
