/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a file, and where: for functions that do not print the file's name themselves.
 * The caller owns the struct; nothing is allocated.
 *
 *	return file_problem__set(problem, -EINVAL, 3, 4, "not valid UTF-8");
 */
#ifndef STEPTRACE_RUNNER_FILE_PROBLEM_H
#define STEPTRACE_RUNNER_FILE_PROBLEM_H

#include "common/error.h"

struct file_problem {
	unsigned int line, column; /* from 1; 0: the file as a whole */
	struct error sentence;
};

/* Returns `code`. */
int file_problem__set(struct file_problem *problem, int code, unsigned int line,
		      unsigned int column, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* Writes "FILE:LINE:COLUMN: SENTENCE", or "FILE: SENTENCE"; returns `code`. */
int file_problem__tell(const struct file_problem *problem, int code, const char *file,
		       struct error *err);

#endif
