/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command-line options as one table: the parser and the help text both come from it, so neither
 * can name an option that the other does not know.
 *
 *	static const struct option_spec specs[] = {
 *		{'o', "output", "FILE", "write events to FILE"},
 *		{0, "dry-run", NULL, "change nothing"},
 *	};
 *
 *	while ((which = options__next(&parser, &value)) >= 0)
 *		switch (which) { case 0: output = value; break; case 1: dry_run = true; break; }
 *
 * `-h/--help` needs no row: it is reported as OPTION_HELP. Options may stand between operands;
 * `--` ends them. With `stop_at_operand` the first operand ends them too.
 */
#ifndef STEPTRACE_COMMON_OPTIONS_H
#define STEPTRACE_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/error.h"

enum { OPTIONS_MAX = 40 };

/* What options__next returns beside an index into the table. */
enum {
	OPTION_END = -1,
	OPTION_HELP = -2,
	OPTION_BAD = -3, /* the sentence is in the parser's `error` */
};

struct option_spec {
	char letter;          /* 0: none */
	const char *name;     /* without the dashes */
	const char *argument; /* name of its value in the help; NULL: it takes none */
	const char *help;
};

struct options_parser {
	const struct option_spec *specs; /* borrowed */
	size_t count;
	int argc;
	char **argv;
	bool stop_at_operand;
	int operands; /* after OPTION_END: index in argv of the first operand */
	struct error error;
	bool started;
	const char *last_value;
	bool saw_dashes; /* after OPTION_END: a "--" stood before the operands */
};

int options__next(struct options_parser *parser, const char **value);

/*
 * Prints the table as help text, and a row for -h/--help at its end. A newline in a row's `help`
 * begins another line in the same column.
 */
void options__print(FILE *out, const struct option_spec *specs, size_t count);
/* The same without the row for -h/--help: for a help text that has headings between the rows. */
void options__print_rows(FILE *out, const struct option_spec *specs, size_t count);

#endif
