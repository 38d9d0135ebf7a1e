/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdicts of a comparison in words. */
#ifndef STEPTRACE_COMPARE_VERDICT_WORDS_H
#define STEPTRACE_COMPARE_VERDICT_WORDS_H

#include "steptrace/compare/comparison.h"

/* In JSON. */
extern const char *const duration_verdict_names[VERDICTS_COUNT]; /* "no_difference_found" */
extern const char *const failure_verdict_names[VERDICTS_COUNT];

/* For people, after a number of rows. */
extern const char *const duration_words[VERDICTS_COUNT]; /* "no difference found" */
extern const char *const failure_words[VERDICTS_COUNT];

#endif
