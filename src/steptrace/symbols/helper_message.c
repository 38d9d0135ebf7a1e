// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/helper_message.h"

#include <string.h>

size_t helper_question__bytes(const struct helper_question *question)
{
	return offsetof(struct helper_question, places) +
	       question->places_count * sizeof(question->places[0]);
}

bool helper_question__is_valid(const struct helper_question *question, size_t bytes)
{
	if (bytes < offsetof(struct helper_question, places) ||
	    question->places_count > HELPER_PLACES_MAX ||
	    bytes != helper_question__bytes(question) || question->file >= HELPER_FILES_MAX)
		return false;
	switch (question->kind) {
	case HELPER_FILE:
	case HELPER_DEBUG:
	case HELPER_PERF_MAP: return question->places_count == 0;
	case HELPER_RULE: return question->places_count == 1;
	case HELPER_NAMES: return question->places_count > 0;
	default: return false;
	}
}

size_t helper_answer__bytes(uint32_t kind)
{
	const size_t head = offsetof(struct helper_answer, identity);

	switch (kind) {
	case HELPER_FILE: return head + sizeof(struct elf_identity);
	case HELPER_RULE: return head + sizeof(struct unwind_rule);
	default: return head;
	}
}

static bool texts_are_valid(const struct helper_answer *answer, size_t bytes, size_t count)
{
	const uint8_t *at = answer->texts, *end = (const uint8_t *)answer + bytes;
	uint16_t length;

	for (; count > 0; count--) {
		if (end - at < (ptrdiff_t)sizeof(length))
			return false;
		memcpy(&length, at, sizeof(length));
		at += sizeof(length);
		if (length > HELPER_TEXT_MAX || end - at < length)
			return false;
		at += length;
	}
	return at == end;
}

static bool identity_is_valid(const struct elf_identity *identity)
{
	return identity->build_id_bytes <= ELF_BUILD_ID_MAX &&
	       memchr(identity->debuglink, 0, sizeof(identity->debuglink)) &&
	       !strchr(identity->debuglink, '/') && identity->debuglink[0] != '.';
}

bool helper_answer__is_valid(const struct helper_answer *answer, size_t bytes,
			     const struct helper_question *question)
{
	if (bytes < offsetof(struct helper_answer, identity) || answer->kind != question->kind ||
	    answer->code > 0)
		return false;
	if (answer->kind == HELPER_NAMES && answer->code == 0)
		return texts_are_valid(answer, bytes, question->places_count);
	if (bytes != helper_answer__bytes(answer->kind))
		return false;
	if (answer->kind == HELPER_FILE)
		return identity_is_valid(&answer->identity);
	return answer->kind != HELPER_RULE || unwind_rule__is_valid(&answer->rule);
}

uint8_t *helper_answer__add_text(uint8_t *at, const char *text)
{
	uint16_t length = (uint16_t)strnlen(text, HELPER_TEXT_MAX);

	memcpy(at, &length, sizeof(length));
	memcpy(at + sizeof(length), text, length);
	return at + sizeof(length) + length;
}
