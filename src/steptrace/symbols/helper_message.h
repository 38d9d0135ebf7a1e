/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tracer asks the child that reads foreign files, and what the child answers. One message
 * each, over a socket that keeps the limits of messages.
 *
 *	question		with		answer
 *	HELPER_FILE		a descriptor	code, struct elf_identity
 *	HELPER_DEBUG		a descriptor	code
 *	HELPER_PERF_MAP		a descriptor	code
 *	HELPER_RULE		one place	code, struct unwind_rule
 *	HELPER_NAMES		places		code, texts
 *
 * Files have numbers, which the tracer chooses. Places are offsets in a program or library, and
 * addresses in a perf map. In a list of texts, each begins with its length in two bytes. A place in
 * no function gives "" or "+0x1234".
 *
 * The tracer takes no answer for granted: the child has read foreign bytes.
 */
#ifndef STEPTRACE_HELPER_MESSAGE_H
#define STEPTRACE_HELPER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/symbols/elf_module.h"
#include "steptrace/symbols/unwind_rule.h"

enum { HELPER_FILES_MAX = 16384, HELPER_PLACES_MAX = 100, HELPER_TEXT_MAX = 511 };

enum helper_kind {
	HELPER_FILE = 1,
	HELPER_DEBUG,
	HELPER_PERF_MAP,
	HELPER_RULE,
	HELPER_NAMES,
};

struct helper_question {
	uint32_t kind; /* enum helper_kind */
	uint32_t file; /* below HELPER_FILES_MAX */
	uint32_t places_count;
	uint32_t reserved;
	uint64_t places[HELPER_PLACES_MAX];
};

struct helper_answer {
	uint32_t kind;
	int32_t code; /* 0 or negative errno */
	union {
		struct elf_identity identity;
		struct unwind_rule rule;
		uint8_t texts[HELPER_PLACES_MAX * (2 + HELPER_TEXT_MAX)];
	};
};

/* How many bytes of a question are sent. */
size_t helper_question__bytes(const struct helper_question *question);
/* Whether `bytes` bytes that were received are a question. */
bool helper_question__is_valid(const struct helper_question *question, size_t bytes);

/* Whether `bytes` bytes that were received are an answer to the question. */
bool helper_answer__is_valid(const struct helper_answer *answer, size_t bytes,
			     const struct helper_question *question);

/* How many bytes of an answer without texts are sent. */
size_t helper_answer__bytes(uint32_t kind);

/* Adds at most HELPER_TEXT_MAX bytes of a text. Returns where the next one goes. */
uint8_t *helper_answer__add_text(uint8_t *at, const char *text);

#endif
