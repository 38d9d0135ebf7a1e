// SPDX-License-Identifier: BSD-2-Clause
/*
 * The filters upper, lower and capitalize. They change ASCII, Latin-1, Latin Extended-A, Greek and
 * Cyrillic letters, and do not depend on the locale. A letter whose other case has more than one
 * letter, such as the German sharp s, is not changed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/filters.h"
#include "runner/value/value.h"

struct case_range {
	unsigned int first, last; /* code points of the lower-case letters */
	/* Code point of the lower-case letter minus that of the upper-case letter. 1: upper-case
	 * and lower-case letters alternate. */
	unsigned int distance;
};

/* The first range with the letter counts: the capital sigma becomes 0x3c3, not the final 0x3c2. */
static const struct case_range ranges[] = {
	{'a', 'z', 32},      {0xe0, 0xf6, 32},   {0xf8, 0xfe, 32},   {0x101, 0x12f, 1},
	{0x133, 0x137, 1},   {0x13a, 0x148, 1},  {0x14b, 0x177, 1},  {0x17a, 0x17e, 1},
	{0xff, 0xff, -121u}, {0x3ac, 0x3ac, 38}, {0x3ad, 0x3af, 37}, {0x3b1, 0x3c1, 32},
	{0x3c3, 0x3cb, 32},  {0x3c2, 0x3c2, 31}, {0x3cc, 0x3cc, 64}, {0x3cd, 0x3ce, 63},
	{0x3d9, 0x3ef, 1},   {0x430, 0x44f, 32}, {0x450, 0x45f, 80}, {0x461, 0x481, 1},
	{0x48b, 0x4bf, 1},   {0x4c2, 0x4ce, 1},  {0x4cf, 0x4cf, 15}, {0x4d1, 0x52f, 1},
};

static unsigned int fold(unsigned int code, bool up)
{
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const struct case_range *range = &ranges[i];
		unsigned int lower = up ? code : code + range->distance;

		if (lower < range->first || lower > range->last)
			continue;
		if (range->distance == 1 && (lower - range->first) % 2 != 0)
			continue;
		return up ? code - range->distance : lower;
	}
	return code;
}

/* Writes one character. Only characters of one or two bytes are changed; the table has no
 * longer ones. */
static void write_folded(struct strbuf *out, const char *text, size_t size, bool up)
{
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned int code;

	if (size > 2 || (size == 1 && bytes[0] >= 0x80)) {
		strbuf__bytes(out, text, size);
		return;
	}
	code = size == 1 ? bytes[0] : (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
	code = fold(code, up);
	if (code >= 0x80) {
		strbuf__char(out, (char)(0xc0 | code >> 6));
		code = 0x80 | (code & 0x3f);
	}
	strbuf__char(out, (char)code);
}

static int change_case(const struct filter_call *call, bool up, size_t characters, cJSON **result)
{
	struct strbuf out;
	char *text;
	size_t length, size;
	int err = filter__text(call, call->input, &text);

	if (err)
		return err;
	length = strlen(text);
	strbuf__init(&out, FILTER_TEXT_BYTES);
	for (size_t at = 0; at < length && characters > 0; at += size, characters--) {
		size = utf8__size(text + at, length - at);
		write_folded(&out, text + at, size, up);
	}
	if (out.length < length)
		strbuf__text(&out, text + out.length);
	free(text);
	return filter__give_text(call, &out, result);
}

int filter_text__upper(const struct filter_call *call, cJSON **result)
{
	return change_case(call, true, SIZE_MAX, result);
}

int filter_text__lower(const struct filter_call *call, cJSON **result)
{
	return change_case(call, false, SIZE_MAX, result);
}

/* Changes only the first letter: "mcDonald" becomes "McDonald". */
int filter_text__capitalize(const struct filter_call *call, cJSON **result)
{
	return change_case(call, true, 1, result);
}
