/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said about a recording that could not be read as a whole: one warning for each reason. */
#ifndef STEPTRACE_RECORDING_WORDS_H
#define STEPTRACE_RECORDING_WORDS_H

#include "steptrace/recording/recording_reader.h"

void recording_words__warn(const struct recording_counts *counts);

#endif
