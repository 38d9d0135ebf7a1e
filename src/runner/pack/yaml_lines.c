// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/yaml_lines.h"

#include <string.h>

/* The blanks in front of the first line that is not empty. */
static unsigned int leading_blanks(const char *at)
{
	size_t blanks = strspn(at, " ");

	while (at[blanks] == '\n' || at[blanks] == '\r') {
		at += blanks + 1;
		blanks = strspn(at, " ");
	}
	return (unsigned int)blanks;
}

unsigned int yaml_lines__indentation(struct yaml_lines *lines, size_t number, const char *text)
{
	unsigned int blanks, own = leading_blanks(text);

	for (; lines->number < number; lines->number++) {
		const char *end = strchr(lines->at, '\n');

		if (!end)
			return 0;
		lines->at = end + 1;
	}
	blanks = leading_blanks(lines->at);
	return blanks > own ? blanks - own : 0;
}
