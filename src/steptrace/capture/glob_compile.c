// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/glob_compile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct compiler {
	struct glob *glob;
	const char *at;
	unsigned int position;
};

static void accept(struct compiler *compiler, unsigned int character)
{
	compiler->glob->accepts[character] |= 1ULL << compiler->position;
}

static void accept_any(struct compiler *compiler)
{
	for (unsigned int character = 1; character < 256; character++)
		accept(compiler, character);
}

/* Takes a class; `at` is after its '['. */
static int take_class(struct compiler *compiler)
{
	bool inverted = *compiler->at == '!' || *compiler->at == '^';
	const char *first = compiler->at + inverted;
	const char *at = first;
	bool members[256] = {false};

	for (; *at && (*at != ']' || at == first); at++) {
		unsigned int low = (uint8_t)*at, high = low;

		if (at[1] == '-' && at[2] && at[2] != ']') {
			high = (uint8_t)at[2];
			at += 2;
		}
		for (; low <= high; low++)
			members[low] = true;
	}
	if (*at != ']')
		return -EINVAL;
	for (unsigned int character = 1; character < 256; character++)
		if (members[character] != inverted)
			accept(compiler, character);
	compiler->at = at + 1;
	return 0;
}

static int take_element(struct compiler *compiler)
{
	char element = *compiler->at++;

	switch (element) {
	case '?': accept_any(compiler); return 0;
	case '[': return take_class(compiler);
	case '\\':
		element = *compiler->at++;
		if (!element)
			return -EINVAL;
		break;
	default: break;
	}
	accept(compiler, (uint8_t)element);
	return 0;
}

/* "!a" alone stands for "*,!a". */
static void accept_all_before(struct compiler *compiler)
{
	struct glob *glob = compiler->glob;

	glob->start |= 1ULL << compiler->position;
	glob->loops |= 1ULL << compiler->position;
	glob->final |= 1ULL << compiler->position++;
}

static int take_elements(struct compiler *compiler)
{
	for (; *compiler->at && *compiler->at != ',';) {
		if (*compiler->at == '*') {
			compiler->glob->loops |= 1ULL << compiler->position;
			compiler->at++;
			continue;
		}
		if (take_element(compiler))
			return -EINVAL;
		if (++compiler->position >= GLOB_POSITIONS)
			return -E2BIG;
	}
	return 0;
}

/* Takes one of the patterns between commas. */
static int take_pattern(struct compiler *compiler)
{
	bool excludes = *compiler->at == '!';
	struct glob *glob = compiler->glob;
	const char *begin = compiler->at += excludes;
	int code;

	if (excludes && compiler->position == 0)
		accept_all_before(compiler);
	if (compiler->position >= GLOB_POSITIONS)
		return -E2BIG;
	glob->start |= 1ULL << compiler->position;
	code = take_elements(compiler);
	if (code)
		return code;
	if (compiler->at == begin)
		return -EINVAL;
	if (excludes)
		glob->excluded |= 1ULL << compiler->position;
	glob->final |= 1ULL << compiler->position++;
	return 0;
}

/* Behind the patterns that were added before. */
static unsigned int next_position(const struct glob *glob)
{
	return glob->final ? 64 - (unsigned int)__builtin_clzll(glob->final) : 0;
}

int glob__add(const char *text, struct glob *glob, struct error *err)
{
	struct compiler compiler = {.glob = glob, .at = text, .position = next_position(glob)};
	int code = take_pattern(&compiler);

	while (!code && *compiler.at) {
		compiler.at++;
		code = take_pattern(&compiler);
	}
	if (code == -E2BIG)
		return error__set(err, -EINVAL,
				  "'%s' is too long: the patterns of an option have at most %d "
				  "characters together",
				  text, GLOB_POSITIONS - 1);
	return code ? error__set(err, -EINVAL,
				 "'%s' is not a pattern (for example: fragment.* or !health.*)",
				 text)
		    : 0;
}
