/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command-line options from one table. The parser and the help text both come from it, so that
 * they always name the same options.
 *
 *	static const struct option_spec specs[] = {
 *		{'o', "output", "FILE", "write events to FILE"},
 *		{0, "dry-run", NULL, "change nothing"},
 *	};
 *
 *	while ((which = options__next(&parser, &value)) >= 0)
 *		switch (which) { case 0: output = value; break; case 1: dry_run = true; break; }
 *
 * `-h` and `--help` need no row in the table: options__next returns OPTION_HELP for them. Options
 * may stand between operands, as in `list 70 --quiet`. The argument `--` ends the options. With
 * `stop_at_operand` the first operand also ends them.
 *
 * Nothing is allocated. Values are pointers into argv. The parser uses getopt_long, whose state is
 * global: only one parser may be in use at a time, in one thread.
 */
#ifndef STEPTRACE_COMMON_OPTIONS_H
#define STEPTRACE_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/error.h"

enum { OPTIONS_MAX = 96 };

/* What options__next returns when it does not return an index into the table. */
enum {
	OPTION_END = -1,  /* no more options; see `operands` */
	OPTION_HELP = -2, /* -h or --help */
	OPTION_BAD = -3,  /* wrong usage; the parser's `error` holds the sentence */
};

struct option_spec {
	char letter;          /* as in -o; 0: the option has no letter */
	const char *name;     /* as in --output, without the dashes */
	const char *argument; /* name of the value in the help text; NULL: the option takes none */
	const char *help;
};

/* The caller sets the first five fields and zeroes the others. */
struct options_parser {
	const struct option_spec *specs; /* borrowed; more than OPTIONS_MAX are OPTION_BAD */
	size_t count;
	int argc;
	char **argv; /* borrowed; getopt_long reorders it, operands last */
	bool stop_at_operand;
	int operands; /* after OPTION_END: index in argv of the first operand */
	struct error error;
	bool started;           /* internal */
	const char *last_value; /* internal */
	bool saw_dashes;        /* after OPTION_END: a "--" stood before the operands */
};

/* Returns the index of the next option in the table, or OPTION_END, OPTION_HELP or OPTION_BAD.
 * *value is the option's value; NULL for an option without one. */
int options__next(struct options_parser *parser, const char **value);

/*
 * Prints the table as help text, and a row for -h/--help at its end. Lines have at most 80 columns;
 * a newline in a row's `help` is like a blank.
 */
void options__print(FILE *out, const struct option_spec *specs, size_t count);
/* The same without the row for -h/--help: for a help text that has headings between the rows. */
void options__print_rows(FILE *out, const struct option_spec *specs, size_t count);

#endif
