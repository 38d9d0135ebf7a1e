// SPDX-License-Identifier: BSD-2-Clause
/* steptrace schema: the JSON Schemas of the events. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"
#include "steptrace/stream/schemas.h"

static const struct option_spec option_specs[] = {
	{0, "safe-integers", NULL, "print the schemas for record --safe-integers"},
};

static void print_help(void)
{
	printf("usage: steptrace schema [--safe-integers] [EVENT]\n\n"
	       "Prints the JSON Schema (draft 2020-12) of EVENT. Without EVENT, prints one\n"
	       "schema for all events. Lines of record --fields NAME,... do not match the\n"
	       "schemas, because required fields are missing.\n\n"
	       "options:\n");
	options__print(stdout, option_specs, sizeof(option_specs) / sizeof(option_specs[0]));
	printf("\nevents:\n");
	for (size_t i = 0; i < schemas_count; i++)
		printf("  %s\n", schemas[i].event);
}

static void print_one(const struct schema *schema)
{
	fwrite(schema->text, 1, (size_t)(schema->end - schema->text), stdout);
}

static void print_all(const struct schema *table)
{
	printf("{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	       "\"title\": \"A line of a steptrace recording\",\n\"oneOf\": [\n");
	for (size_t i = 0; i < schemas_count; i++)
		printf("  {\"$ref\": \"#/$defs/%s\"}%s\n", table[i].event,
		       i + 1 < schemas_count ? "," : "");
	printf("],\n\"$defs\": {\n");
	for (size_t i = 0; i < schemas_count; i++) {
		printf("%s\"%s\": ", i > 0 ? "," : "", table[i].event);
		print_one(&table[i]);
	}
	printf("}\n}\n");
}

static int unknown(const char *event)
{
	log__error("there is no event '%s' (steptrace schema --help lists them)", event);
	return STATUS_USAGE;
}

static int print(const struct schema *table, const char *event)
{
	size_t i = 0;

	while (event && i < schemas_count && strcmp(table[i].event, event) != 0)
		i++;
	if (i == schemas_count)
		return unknown(event);
	if (event)
		print_one(&table[i]);
	else
		print_all(table);
	return STATUS_DONE;
}

int cmd_schema(int argc, char **argv)
{
	struct options_parser parser = {
		.specs = option_specs,
		.count = sizeof(option_specs) / sizeof(option_specs[0]),
		.argc = argc,
		.argv = argv,
	};
	const struct schema *table = schemas;
	const char *value;
	int which;

	while ((which = options__next(&parser, &value)) >= 0)
		table = safe_schemas;
	if (which == OPTION_HELP) {
		print_help();
		return STATUS_DONE;
	}
	if (which == OPTION_BAD) {
		log__error("%s", parser.error.text);
		return STATUS_USAGE;
	}
	if (parser.argc - parser.operands > 1) {
		log__error("give one event at most (steptrace schema --help lists them)");
		return STATUS_USAGE;
	}
	return print(table, parser.operands < parser.argc ? argv[parser.operands] : NULL);
}
