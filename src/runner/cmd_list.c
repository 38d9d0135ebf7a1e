// SPDX-License-Identifier: BSD-2-Clause
/* steprun list: prints one line for each pack. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/options.h"
#include "common/printable.h"
#include "runner/commands.h"
#include "runner/pack/pack_list.h"

static const struct option_spec specs[] = {
	{'p', "packs", "DIR", "folder of packs; may be repeated (default: packs)"},
};

enum { OPT_PACKS };

static void print_help(void)
{
	printf("usage: steprun list [--packs DIR]...\n\n"
	       "Lists the command packs: slug, version, number of steps, trigger, name.\n\n");
	options__print(stdout, specs, sizeof(specs) / sizeof(specs[0]));
}

static const char *slash_of(const struct pack *pack)
{
	const cJSON *triggers = cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "triggers");
	const char *slash =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(triggers, "slash"));

	return slash && *slash ? slash : "-";
}

static bool is_hidden(const struct pack_list *list, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (!list->entries[i].problems.count &&
		    !strcmp(list->entries[i].pack->slug, list->entries[at].pack->slug))
			return true;
	return false;
}

/* Slug and version were checked; trigger and name may be any text. */
static void print_pack(const struct pack *pack)
{
	char slash[256], name[1024];

	printf("%-20s %-8s %5zu  %-18s %s\n", pack->slug, pack->version, pack->step_count,
	       printable__to(slash, slash_of(pack)), printable__to(name, pack->name));
}

static void print_list(const struct pack_list *list)
{
	printf("%-20s %-8s %5s  %-18s %s\n", "SLUG", "VERSION", "STEPS", "TRIGGER", "NAME");
	for (size_t i = 0; i < list->count; i++) {
		const struct pack_entry *entry = &list->entries[i];
		struct error err;

		if (entry->problems.count) {
			pack_problem__tell(&entry->problems.items[0], &err);
			log__warn("%s", err.text);
		} else if (!is_hidden(list, i)) {
			print_pack(entry->pack);
		}
	}
}

static int list_packs(struct pack_list *list, struct options_parser *parser)
{
	const char *value;
	struct error err = {0};
	int which, code = 0;

	while (!code && (which = options__next(parser, &value)) == OPT_PACKS)
		code = pack_list__add(list, value, NULL, &err);
	if (!code && which == OPTION_HELP) {
		print_help();
		return EXIT_DONE;
	}
	if (!code && (which == OPTION_BAD || parser->operands < parser->argc)) {
		log__error("%s", which == OPTION_BAD ? parser->error.text
						     : "list takes no operands (see --help)");
		return EXIT_USAGE;
	}
	if (!code && !list->count)
		code = pack_list__add(list, COMMANDS_DEFAULT_PACKS, NULL, &err);
	if (code) {
		log__error("%s (give the folder of packs with --packs)", err.text);
		return EXIT_FAILED;
	}
	print_list(list);
	return fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

int cmd_list(int argc, char **argv)
{
	struct options_parser parser = {.specs = specs,
					.count = sizeof(specs) / sizeof(specs[0]),
					.argc = argc,
					.argv = argv};
	struct pack_list list = {0};
	int status = list_packs(&list, &parser);

	pack_list__free(&list);
	return status;
}
