// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"

enum { OUTPUT, DRY_RUN, LETTERLESS, VERBOSE, COUNT };

static const struct option_spec specs[] = {
	[OUTPUT] = {'o', "output", "FILE", "write events to FILE"},
	[DRY_RUN] = {'n', "dry-run", NULL, "change nothing"},
	[LETTERLESS] = {0, "fields", "SET", "which fields"},
	[VERBOSE] = {'v', "verbose", NULL, "say more"},
};

enum { WORDS_MAX = 8 };

/* The expected result as text: the options, as in "o=x n", then "|", then the operands. */
struct row {
	const char *words[WORDS_MAX];
	bool stop_at_operand;
	const char *said;
	bool saw_dashes;
};

static const char *letter_of(int which)
{
	static const char *const letters[] = {"o", "n", "f", "v"};

	if (which == OPTION_HELP)
		return "help";
	return which >= 0 && which < COUNT ? letters[which] : "BAD";
}

static int count_words(const char *const words[])
{
	int count = 0;

	while (count < WORDS_MAX && words[count])
		count++;
	return count;
}

/* Parses the words of a row and writes the result into `said`; returns the parser. */
static struct options_parser parse(const struct row *row, char *said, size_t bytes)
{
	char *argv[WORDS_MAX + 2] = {(char *)"steptrace"};
	struct options_parser parser = {.specs = specs,
					.count = COUNT,
					.argc = count_words(row->words) + 1,
					.argv = argv,
					.stop_at_operand = row->stop_at_operand};
	const char *value;
	size_t at = 0;
	int which;

	memcpy(&argv[1], row->words, sizeof(row->words));
	said[0] = 0;
	while ((which = options__next(&parser, &value)) != OPTION_END) {
		at += (size_t)snprintf(said + at, bytes - at, "%s%s%s ", letter_of(which),
				       value ? "=" : "", value ? value : "");
		if (which == OPTION_BAD)
			break;
	}
	if (which == OPTION_BAD)
		return parser;
	at += (size_t)snprintf(said + at, bytes - at, "|");
	for (int i = parser.operands; i < parser.argc; i++)
		at += (size_t)snprintf(said + at, bytes - at, " %s", argv[i]);
	parser.argv = NULL;
	return parser;
}

static void valid_command_lines(void **state)
{
	static const struct row rows[] = {
		{{NULL}, false, "|", false},
		{{"-o", "x"}, false, "o=x |", false},
		{{"-ox"}, false, "o=x |", false},
		{{"--output", "x"}, false, "o=x |", false},
		{{"--output=x"}, false, "o=x |", false},
		{{"--output="}, false, "o= |", false},
		{{"-nv"}, false, "n v |", false},
		{{"-nox"}, false, "n o=x |", false},
		{{"--dry-run", "--fields", "seed"}, false, "n f=seed |", false},
		{{"-n", "a", "-v", "b"}, false, "n v | a b", false},
		{{"a", "--", "-n"}, false, "| a -n", true},
		{{"-n", "--", "-v"}, false, "n | -v", true},
		{{"-n", "a", "-v", "b"}, true, "n | a -v b", false},
		{{"-n", "--", "-v"}, true, "n | -v", true},
		{{"-n", "a", "--", "b"}, true, "n | a -- b", false},
		{{"-h"}, false, "help |", false},
		{{"--help", "-n"}, false, "help n |", false},
		{{"-", "-o", "-"}, false, "o=- | -", false},
		{{"-o", "-n"}, false, "o=-n |", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char said[256];
		struct options_parser parser = parse(&rows[i], said, sizeof(said));

		assert_string_equal(said, rows[i].said);
		assert_int_equal(parser.saw_dashes, rows[i].saw_dashes);
	}
}

static void errors_name_the_option(void **state)
{
	static const struct {
		struct row row;
		const char *sentence;
	} rows[] = {
		{{{"-x"}, false, "", false}, "unknown option '-x' (see --help)"},
		{{{"-nx"}, false, "", false}, "unknown option '-x' (see --help)"},
		{{{"--colour"}, false, "", false}, "unknown option '--colour' (see --help)"},
		{{{"a", "--colour=1"}, false, "", false},
		 "unknown option '--colour=1' (see --help)"},
		{{{"-o"}, false, "", false}, "option '-o' needs a value (see --help)"},
		{{{"--output"}, false, "", false}, "option '--output' needs a value (see --help)"},
		{{{"--dry-run=1"}, false, "", false},
		 "option '--dry-run=1' takes no value (see --help)"},
		{{{"-o"}, true, "", false}, "option '-o' needs a value (see --help)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char said[256];
		struct options_parser parser = parse(&rows[i].row, said, sizeof(said));

		assert_non_null(strstr(said, "BAD"));
		assert_string_equal(parser.error.text, rows[i].sentence);
	}
}

/* The help text contains every row of the table, and --help. */
static void help_comes_from_the_table(void **state)
{
	static const char *const lines[] = {
		"  -o, --output FILE            write events to FILE\n",
		"  -n, --dry-run                change nothing\n",
		"      --fields SET             which fields\n",
		"  -h, --help                   show this help\n",
	};
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	options__print(out, specs, COUNT);
	fclose(out);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("no line '%s' in\n%s", lines[i], text);
	free(text);
}

/* A second parser in the same process starts at the beginning of its command line. */
static void two_parsers_one_after_the_other(void **state)
{
	static const struct row first = {{"-n", "-v", "a", "b"}, false, NULL, false};
	static const struct row second = {{"-v"}, false, NULL, false};
	char said[256];

	(void)state;
	parse(&first, said, sizeof(said));
	assert_string_equal(said, "n v | a b");
	parse(&second, said, sizeof(said));
	assert_string_equal(said, "v |");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_command_lines),
		cmocka_unit_test(errors_name_the_option),
		cmocka_unit_test(help_comes_from_the_table),
		cmocka_unit_test(two_parsers_one_after_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
