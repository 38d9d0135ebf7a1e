// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record_config.h"

#include <errno.h>
#include <string.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct option_row config_rows[] = {
	{{0, "config", "FILE",
	  "read options from FILE: one option a line, without the\n"
	  "dashes; # begins a comment; options of the command line\n"
	  "replace those of FILE"},
	 OPTION_STORES(TEXT, struct record_config, path)},
	{{0, "check", NULL,
	  "check the options, and the files and folders that they\n"
	  "name; record nothing; if steptrace.service uses the file of\n"
	  "--config: check that the sandbox of the service allows the\n"
	  "outputs"},
	 OPTION_STORES(FLAG, struct record_config, checks_only)},
	{{0, "unit", "FILE",
	  "check the sandbox of the systemd unit FILE (default: the\n"
	  "installed steptrace.service, if it uses the file of\n"
	  "--config)"},
	 OPTION_STORES(TEXT, struct record_config, unit_path)},
};

struct option_group record_config__group(struct record_config *config)
{
	return (struct option_group){"configuration", config_rows, COUNT(config_rows), config};
}

static bool is_own(const char *name)
{
	for (size_t i = 0; i < COUNT(config_rows); i++)
		if (strcmp(config_rows[i].spec.name, name) == 0)
			return true;
	return false;
}

/* ---- what the command line replaces */

/* `name` on the command line also replaces `other` in the file. PROGRAM: a program after "--". */
#define PROGRAM "--"

static const struct {
	const char *name, *other;
} replaced_together[] = {
	{"output", "when-full"},
	{"output", "rotate-size"},
	{"output", "rotate-age"},
	{"output", "keep"},
	{"output", "file-mode"},
	{"output", "file-group"},
	{"output", "tcp-timeout"},
	{"output", "tls-ca"},
	{"output", "tls-cert"},
	{"output", "tls-key"},
	{"output", "kafka-config"},
	{"output", "otlp-headers"},
	{"output", "otlp-ca"},
	{"output", "otlp-compression"},
	{"output", "service"},
	{"pid", "exe"},
	{"pid", "all"},
	{"exe", "pid"},
	{"exe", "all"},
	{"all", "pid"},
	{"all", "exe"},
	{PROGRAM, "pid"},
	{PROGRAM, "all"},
};

enum { GIVEN_MAX = OPTIONS_MAX + 1 };

struct given {
	const char *names[GIVEN_MAX]; /* each once */
	size_t count;
	const char *path; /* of the last --config */
};

static bool is_given(const struct given *given, const char *name)
{
	for (size_t i = 0; i < given->count; i++)
		if (strcmp(given->names[i], name) == 0)
			return true;
	return false;
}

static void on_option(void *context, const char *name, const char *value)
{
	struct given *given = context;

	if (!is_given(given, name) && given->count < GIVEN_MAX)
		given->names[given->count++] = name;
	if (strcmp(name, "config") == 0)
		given->path = value;
}

static bool is_replaced(const struct given *given, const char *name)
{
	if (is_given(given, name))
		return true;
	for (size_t i = 0; i < COUNT(replaced_together); i++)
		if (strcmp(replaced_together[i].other, name) == 0 &&
		    is_given(given, replaced_together[i].name))
			return true;
	return false;
}

/* ---- the file */

static int apply_line(const struct option_line *line, const struct option_group *groups,
		      size_t count, const struct given *given, struct error *err)
{
	if (is_own(line->name))
		return error__set(err, -EINVAL, "'%s' can be given on the command line only",
				  line->name);
	if (is_replaced(given, line->name))
		return 0;
	return option_groups__store(groups, count, line->name, line->value, err);
}

static int apply_file(const struct option_file *file, const struct option_group *groups,
		      size_t count, const struct given *given, struct error *err)
{
	for (size_t i = 0; i < file->count; i++)
		if (apply_line(&file->lines[i], groups, count, given, err)) {
			error__prefix(err, OPTION_BAD, "%s:%u", file->path, file->lines[i].number);
			return OPTION_BAD;
		}
	return 0;
}

int record_config__apply(struct record_config *config, const struct option_group *groups,
			 size_t count, int argc, char **argv, struct error *err)
{
	struct given given = {.count = 0};
	struct options_parser parser;
	int result =
		option_groups__scan(groups, count, argc, argv, on_option, &given, &parser, err);

	if (result != OPTION_END)
		return result;
	if (parser.saw_dashes)
		on_option(&given, PROGRAM, NULL);
	if (!given.path)
		return 0;
	if (option_file__read(&config->file, given.path, err))
		return OPTION_BAD;
	return apply_file(&config->file, groups, count, &given, err);
}

int record_config__finish(const struct record_config *config, struct error *err)
{
	if (config->unit_path && !config->checks_only)
		return error__set(err, -EINVAL, "--unit needs --check");
	return 0;
}

void record_config__free(struct record_config *config)
{
	option_file__free(&config->file);
}
