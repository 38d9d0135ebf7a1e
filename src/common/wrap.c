// SPDX-License-Identifier: BSD-2-Clause
#include "common/wrap.h"

#include <string.h>

#include "common/printable.h"

static const char separators[] = " \n";

void wrap__print(FILE *out, const char *text, size_t column, size_t from)
{
	size_t bytes, width;

	for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
		bytes = strcspn(text, separators);
		width = printable__columns(text, bytes);
		if (column > from && column + 1 + width > WRAP_COLUMNS) {
			fprintf(out, "\n%*s", (int)from, "");
			column = from;
		} else if (column > from) {
			fputc(' ', out);
			column++;
		}
		fwrite(text, 1, bytes, out);
		column += width;
		text += bytes;
	}
	fputc('\n', out);
}
