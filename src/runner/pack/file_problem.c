// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/file_problem.h"

#include <stdarg.h>
#include <stdio.h>

int file_problem__set(struct file_problem *problem, int code, unsigned int line,
		      unsigned int column, const char *format, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problem->line = line;
	problem->column = column;
	return error__set(&problem->sentence, code, "%s", text);
}

int file_problem__tell(const struct file_problem *problem, int code, const char *file,
		       struct error *err)
{
	if (!problem->line)
		return error__set(err, code, "%s: %s", file, problem->sentence.text);
	return error__set(err, code, "%s:%u:%u: %s", file, problem->line, problem->column,
			  problem->sentence.text);
}
