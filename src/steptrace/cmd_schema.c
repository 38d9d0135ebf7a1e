// SPDX-License-Identifier: BSD-2-Clause
/* steptrace schema: the JSON Schemas of the events. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"
#include "steptrace/stream/schemas.h"

static void print_help(void)
{
	printf("usage: steptrace schema [EVENT]\n\n"
	       "Prints the JSON Schema (draft 2020-12) of EVENT. Without EVENT, prints one\n"
	       "schema for every line of a recording. (Lines of record --fields NAME,... do not\n"
	       "match it: they lack required fields.)\n\n"
	       "events:\n");
	for (size_t i = 0; i < schemas_count; i++)
		printf("  %s\n", schemas[i].event);
}

static void print_one(const struct schema *schema)
{
	fwrite(schema->text, 1, (size_t)(schema->end - schema->text), stdout);
}

static void print_all(void)
{
	printf("{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	       "\"title\": \"A line of a steptrace recording\",\n\"oneOf\": [\n");
	for (size_t i = 0; i < schemas_count; i++)
		printf("  {\"$ref\": \"#/$defs/%s\"}%s\n", schemas[i].event,
		       i + 1 < schemas_count ? "," : "");
	printf("],\n\"$defs\": {\n");
	for (size_t i = 0; i < schemas_count; i++) {
		printf("%s\"%s\": ", i > 0 ? "," : "", schemas[i].event);
		print_one(&schemas[i]);
	}
	printf("}\n}\n");
}

static int unknown(const char *event)
{
	log__error("there is no event '%s' (steptrace schema --help lists them)", event);
	return STATUS_USAGE;
}

static int print(const char *event)
{
	size_t i = 0;

	while (event && i < schemas_count && strcmp(schemas[i].event, event) != 0)
		i++;
	if (i == schemas_count)
		return unknown(event);
	if (event)
		print_one(&schemas[i]);
	else
		print_all();
	return STATUS_DONE;
}

int cmd_schema(int argc, char **argv)
{
	struct options_parser parser = {.argc = argc, .argv = argv};
	const char *value;
	int which = options__next(&parser, &value);

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
	return print(parser.operands < parser.argc ? argv[parser.operands] : NULL);
}
