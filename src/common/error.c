// SPDX-License-Identifier: BSD-2-Clause
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/printable.h"

int error__set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	printable__text(err->text);
	return code;
}

int error__prefix(struct error *err, int code, const char *format, ...)
{
	char old[ERROR_TEXT_BYTES];
	size_t used, rest;
	va_list args;

	if (!err)
		return code;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	rest = sizeof(err->text) - 1 - used;
	strncat(err->text, ": ", rest);
	strncat(err->text, old, rest > 2 ? rest - 2 : 0);
	printable__text(err->text);
	return code;
}
