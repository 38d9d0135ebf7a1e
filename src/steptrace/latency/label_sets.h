/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The samples of one metric: a value for each set of label values. The number of sets is limited.
 * All further sets share one value.
 */
#ifndef STEPTRACE_LABEL_SETS_H
#define STEPTRACE_LABEL_SETS_H

#include <stddef.h>

enum { LABELS_MAX = 3 };

struct label_sets;

/* Each value has `bytes` bytes, and begins as zeros. NULL: no memory. */
struct label_sets *label_sets__new(size_t limit, size_t bytes);
void label_sets__free(struct label_sets *sets);

/* The value of this set, which is made if need be. Labels that are not used are NULL. NULL: no
 * memory. */
void *label_sets__find(struct label_sets *sets, const char *const labels[LABELS_MAX]);

/* Calls `each` for every set, in the order in which they were made; for the shared value, if it is
 * used, last and with `labels` NULL. */
void label_sets__each(const struct label_sets *sets,
		      void (*each)(void *context, const char *const labels[LABELS_MAX],
				   const void *value),
		      void *context);

#endif
