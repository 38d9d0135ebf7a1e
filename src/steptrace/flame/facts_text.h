/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a profile covers, as sentences. What is missing comes first, because all other numbers
 * depend on it.
 *
 *	1,204 samples were lost in the kernel. Their time is missing.
 *	31 of 8,114 samples have cut stacks: the outermost functions are missing. …
 *	30.0 s from 2026-11-24 09:28:38 UTC. 12 executions ended and passed the filters.
 *	On-CPU: 99 samples a second, stacks by frame pointers.
 */
#ifndef STEPTRACE_FLAME_FACTS_TEXT_H
#define STEPTRACE_FLAME_FACTS_TEXT_H

#include <stdbool.h>

#include "steptrace/profile/folded.h"

enum { FACTS_SENTENCES = 16, FACTS_SENTENCE_BYTES = 240 };

struct facts_sentence {
	char text[FACTS_SENTENCE_BYTES];
	bool is_loss;
};

struct facts_text {
	struct facts_sentence sentences[FACTS_SENTENCES];
	size_t count;
};

void facts_text__write(struct facts_text *text, const struct folded_facts *facts);

/* "1,234,567" */
enum { COUNT_TEXT_BYTES = 32 };
const char *count_text__write(uint64_t count, char text[COUNT_TEXT_BYTES]);

#endif
