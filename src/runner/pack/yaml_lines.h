/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of a YAML file, for the positions of texts in it (yaml.h). */
#ifndef STEPTRACE_RUNNER_YAML_LINES_H
#define STEPTRACE_RUNNER_YAML_LINES_H

#include <stddef.h>

/* A line of the source. Lines are looked at in order, so the source is walked only once. */
struct yaml_lines {
	const char *at;
	size_t number; /* from 0 */
};

/* The columns in front of the text of a literal block whose first line has that number. `text` is
 * the value: it can begin with blanks itself. */
unsigned int yaml_lines__indentation(struct yaml_lines *lines, size_t number, const char *text);

#endif
