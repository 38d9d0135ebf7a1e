// SPDX-License-Identifier: BSD-2-Clause
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/printable.h"

int error__set(struct error *err, int code, const char *format, ...)
{
	char raw[ERROR_TEXT_BYTES];
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	printable__to(err->text, raw);
	return code;
}

int error__prefix(struct error *err, int code, const char *format, ...)
{
	char raw[2 * ERROR_TEXT_BYTES];
	size_t used;
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	vsnprintf(raw, ERROR_TEXT_BYTES, format, args);
	va_end(args);
	used = strlen(raw);
	snprintf(raw + used, sizeof(raw) - used, ": %s", err->text);
	printable__to(err->text, raw);
	return code;
}
