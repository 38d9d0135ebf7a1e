/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands have in common before and after their work.
 *
 *	if (!command_line__is_work(parse(&request, argc, argv, &err), print_help, &err, &status))
 *		return status;
 *	return command_line__end(run(&request, &err), &err);
 */
#ifndef STEPTRACE_COMMAND_LINE_H
#define STEPTRACE_COMMAND_LINE_H

#include <stdbool.h>

#include "common/error.h"

/* `parsed` is OPTION_END, OPTION_HELP or OPTION_BAD. If there is nothing to do, prints the help, or
 * the sentence of wrong usage, and sets the exit status. */
bool command_line__is_work(int parsed, void (*print_help)(void), const struct error *err,
			   int *status);

/* Prints the sentence, if there is one. Returns the exit status. */
int command_line__end(int status, const struct error *err);

#endif
