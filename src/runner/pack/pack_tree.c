// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_tree.h"

#include <string.h>

bool pack__is_slug(const char *text)
{
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.";
	size_t length = strlen(text);

	return text[0] >= 'a' && text[0] <= 'z' && strspn(text, rest) == length &&
	       length < PACK_SLUG_BYTES;
}

const char *pack_step__name(const struct pack_step *step)
{
	return step->id ? step->id : "?";
}
