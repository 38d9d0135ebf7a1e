// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/compare/verdict_words.h"

const char *const duration_verdict_names[VERDICTS_COUNT] = {
	"slower", "faster", "no_difference_found", "too_few", "new", "gone", "unknown",
};

const char *const failure_verdict_names[VERDICTS_COUNT] = {
	"more", "fewer", "no_difference_found", "too_few", "new", "gone", "unknown",
};

const char *const duration_words[VERDICTS_COUNT] = {
	"slower", "faster", "no difference found", "too few", "new", "gone", "unknown",
};

const char *const failure_words[VERDICTS_COUNT] = {
	"more", "fewer", "no difference found", "too few", "new", "gone", "unknown",
};
