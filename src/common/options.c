// SPDX-License-Identifier: BSD-2-Clause
#include "common/options.h"

#include <getopt.h>
#include <string.h>

#include "common/wrap.h"

enum { LONG_BASE = 256, LONG_HELP = 1000 };
enum { TEXT_COLUMN = 31 }; /* of the help: where the text of a row begins */

static int index_of_letter(const struct options_parser *parser, int letter)
{
	for (size_t i = 0; i < parser->count; i++)
		if (parser->specs[i].letter == letter)
			return (int)i;
	return -1;
}

static void build(const struct options_parser *parser, char *letters, struct option *longs)
{
	size_t at = 0;

	letters[at++] = parser->stop_at_operand ? '+' : ':';
	if (parser->stop_at_operand)
		letters[at++] = ':';
	letters[at++] = 'h';
	for (size_t i = 0; i < parser->count; i++) {
		const struct option_spec *spec = &parser->specs[i];

		longs[i] = (struct option){
			.name = spec->name,
			.has_arg = spec->argument ? required_argument : no_argument,
			.val = LONG_BASE + (int)i,
		};
		if (!spec->letter)
			continue;
		letters[at++] = spec->letter;
		if (spec->argument)
			letters[at++] = ':';
	}
	letters[at] = 0;
	longs[parser->count] = (struct option){.name = "help", .val = LONG_HELP};
	longs[parser->count + 1] = (struct option){0};
}

static int complain(struct options_parser *parser, int code)
{
	const char *word = parser->argv[optind > 1 ? optind - 1 : 1];

	if (code == ':')
		return error__set(&parser->error, OPTION_BAD,
				  "option '%s' needs a value (see --help)", word);
	if (optopt > 0 && optopt < LONG_BASE && index_of_letter(parser, optopt) < 0)
		return error__set(&parser->error, OPTION_BAD, "unknown option '-%c' (see --help)",
				  optopt);
	if (optopt >= LONG_BASE)
		return error__set(&parser->error, OPTION_BAD,
				  "option '%s' takes no value (see --help)", word);
	return error__set(&parser->error, OPTION_BAD, "unknown option '%s' (see --help)", word);
}

int options__next(struct options_parser *parser, const char **value)
{
	struct option longs[OPTIONS_MAX + 2];
	char letters[2 * OPTIONS_MAX + 4];
	int code;

	*value = NULL;
	if (parser->count > OPTIONS_MAX)
		return error__set(&parser->error, OPTION_BAD,
				  "there are %zu options; the parser has room for %d",
				  parser->count, OPTIONS_MAX);
	if (!parser->started) {
		optind = 0; /* makes glibc start again, also for a second parser in one process */
		opterr = 0;
		parser->started = true;
	}
	build(parser, letters, longs);
	code = getopt_long(parser->argc, parser->argv, letters, longs, NULL);
	*value = optarg;
	if (code != -1)
		parser->last_value = optarg;
	if (code == -1) {
		parser->operands = optind;
		parser->saw_dashes = optind > 1 && strcmp(parser->argv[optind - 1], "--") == 0 &&
				     parser->argv[optind - 1] != parser->last_value;
		return OPTION_END;
	}
	if (code == 'h' || code == LONG_HELP)
		return OPTION_HELP;
	if (code == '?' || code == ':')
		return complain(parser, code);
	if (code >= LONG_BASE)
		return code - LONG_BASE;
	return index_of_letter(parser, code);
}

static void print_row(FILE *out, const char *left, const char *text)
{
	int column = fprintf(out, "  %s", left);

	if (column >= TEXT_COLUMN) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", TEXT_COLUMN - column, "");
	wrap__print(out, text, TEXT_COLUMN, TEXT_COLUMN);
}

void options__print_rows(FILE *out, const struct option_spec *specs, size_t count)
{
	char left[64];

	for (size_t i = 0; i < count; i++) {
		const struct option_spec *spec = &specs[i];
		char letter[5] = "    ";

		if (spec->letter)
			snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, spec->name,
			 spec->argument ? " " : "", spec->argument ? spec->argument : "");
		print_row(out, left, spec->help);
	}
}

void options__print(FILE *out, const struct option_spec *specs, size_t count)
{
	options__print_rows(out, specs, count);
	print_row(out, "-h, --help", "show this help");
}
