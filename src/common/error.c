// SPDX-License-Identifier: BSD-2-Clause
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void tame(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

int error__set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	tame(err->text);
	return code;
}

int error__prefix(struct error *err, int code, const char *format, ...)
{
	char old[ERROR_TEXT_BYTES];
	va_list args;
	int used;

	if (!err)
		return code;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	used = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (used >= 0 && (size_t)used < sizeof(err->text))
		snprintf(err->text + used, sizeof(err->text) - (size_t)used, ": %s", old);
	tame(err->text);
	return code;
}
