/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups of command-line options that store their own values. Several commands can share a group;
 * the help prints each group under its title.
 *
 *	static const struct option_row rows[] = {
 *		{{0, "dry-run", NULL, "change nothing"}, OPTION_STORES(FLAG, struct job, dry_run)},
 *		{{'n', "count", "N", "stop after N"}, OPTION_STORES(NUMBER, struct job, count),
 *		 .min = 1, .max = 100, .range = "a number from 1 to 100", .example = "5"},
 *		{{'o', "output", "FILE", "write to FILE"}, .set = set_output},
 *	};
 *	const struct option_group groups[] = {{"options", rows, 3, &job}};
 */
#ifndef STEPTRACE_COMMON_OPTION_GROUPS_H
#define STEPTRACE_COMMON_OPTION_GROUPS_H

#include <stdint.h>

#include "common/error.h"
#include "common/options.h"

/* The type of the member at `offset` in the group's context. */
enum option_type {
	OPTION_CALL,    /* no member: `set` is called */
	OPTION_FLAG,    /* bool */
	OPTION_TEXT,    /* const char *, borrowed from argv */
	OPTION_NUMBER,  /* uint64_t */
	OPTION_SIZE,    /* uint64_t, bytes: "16M" */
	OPTION_TIME,    /* uint64_t, nanoseconds: "50ms" */
	OPTION_PERCENT, /* double: "2.5" */
};

struct option_row {
	struct option_spec spec;
	enum option_type type;
	size_t offset;
	uint64_t min, max;   /* of numbers, sizes and times; percentages: `min` is in tenths */
	const char *range;   /* for the error message: "a size from 64K to 1G" */
	const char *example; /* for the error message: "16M" */
	int (*set)(void *context, const char *value, struct error *err);
};

/* OPTION_STORES(FLAG, struct job, dry_run): type and offset of a row that stores its value. */
#define OPTION_STORES(kind, context, member)                                                       \
	.type = OPTION_##kind, .offset = offsetof(context, member)

struct option_group {
	const char *title; /* of the group in the help; borrowed, as all pointers here */
	const struct option_row *rows;
	size_t count;
	void *context; /* may be NULL for option_groups__print() */
};

/*
 * Parses argv[1] and what follows, and stores the values. Returns OPTION_END, OPTION_HELP or
 * OPTION_BAD with a sentence in `err`. After OPTION_END `parser` tells where the operands begin.
 * All groups together have at most OPTIONS_MAX rows.
 */
int option_groups__parse(const struct option_group *groups, size_t count, int argc, char **argv,
			 struct options_parser *parser, struct error *err);

/* Like option_groups__parse(), but stores nothing: calls `on_option` for each option. */
int option_groups__scan(const struct option_group *groups, size_t count, int argc, char **argv,
			void (*on_option)(void *context, const char *name, const char *value),
			void *context, struct options_parser *parser, struct error *err);

/* Stores one option by its long name; `value` is NULL where none was given. 0, or negative errno
 * with a sentence: there is no such option, or its value is wrong. */
int option_groups__store(const struct option_group *groups, size_t count, const char *name,
			 const char *value, struct error *err);

/* Every group under its title, then the row for -h/--help. */
void option_groups__print(FILE *out, const struct option_group *groups, size_t count);

#endif
