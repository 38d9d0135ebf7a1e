// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/option_groups.h"

struct job {
	bool dry_run;
	const char *name;
	uint64_t count, bytes, pause_ns;
	double share;
};

struct target {
	int calls;
};

static int set_target(void *context, const char *value, struct error *err)
{
	struct target *target = context;

	if (strcmp(value, "bad") == 0)
		return error__set(err, -EINVAL, "the target is bad");
	target->calls++;
	return 0;
}

static const struct option_row job_rows[] = {
	{{0, "dry-run", NULL, "change nothing"}, OPTION_STORES(FLAG, struct job, dry_run)},
	{{'n', "name", "NAME", "call it NAME"}, OPTION_STORES(TEXT, struct job, name)},
	{{0, "count", "N", "stop after N"},
	 OPTION_STORES(NUMBER, struct job, count),
	 .min = 2,
	 .max = 9,
	 .range = "a number from 2 to 9",
	 .example = "5"},
	{{0, "size", "SIZE", "use SIZE"},
	 OPTION_STORES(SIZE, struct job, bytes),
	 .min = 1024,
	 .max = 1 << 20,
	 .range = "a size from 1K to 1M",
	 .example = "4K"},
	{{0, "pause", "TIME", "wait TIME"},
	 OPTION_STORES(TIME, struct job, pause_ns),
	 .min = 1000000,
	 .max = 1000000000,
	 .range = "a time from 1ms to 1s",
	 .example = "20ms"},
	{{0, "share", "PERCENT", "use PERCENT"},
	 OPTION_STORES(PERCENT, struct job, share),
	 .min = 1,
	 .range = "a number from 0.1 to 100",
	 .example = "5"},
};

static const struct option_row target_rows[] = {
	{{'t', "target", "NAME", "a target"}, .set = set_target},
};

static int parse(char *const words[], struct job *job, struct target *target,
		 struct options_parser *parser, struct error *err)
{
	const struct option_group groups[] = {
		{"the job", job_rows, sizeof(job_rows) / sizeof(job_rows[0]), job},
		{"targets", target_rows, 1, target},
	};
	char *argv[12] = {(char *)"program"};
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = words[argc - 1];
	*job = (struct job){.dry_run = false};
	*target = (struct target){.calls = 0};
	err->text[0] = 0;
	return option_groups__parse(groups, 2, argc, argv, parser, err);
}

#define PARSE(...) parse((char *const[]){__VA_ARGS__, NULL}, &job, &target, &parser, &err)

static void every_type_is_stored(void **state)
{
	struct options_parser parser;
	struct target target;
	struct error err;
	struct job job;

	(void)state;
	assert_int_equal(PARSE("--dry-run", "-n", "x", "--count", "9", "--size", "4K", "--pause",
			       "20ms", "operand"),
			 OPTION_END);
	assert_true(job.dry_run);
	assert_string_equal(job.name, "x");
	assert_int_equal(job.count, 9);
	assert_int_equal(job.bytes, 4096);
	assert_int_equal(job.pause_ns, 20000000);
	assert_int_equal(parser.argc - parser.operands, 1);
	assert_int_equal(PARSE("--share", "0.1", "-t", "a", "-t", "b"), OPTION_END);
	assert_true(job.share == 0.1);
	assert_int_equal(target.calls, 2);
	assert_false(job.dry_run);
}

static void values_out_of_range_are_refused_with_an_example(void **state)
{
	static const struct {
		const char *option, *value, *message;
	} rows[] = {
		{"--count", "1",
		 "--count cannot be '1': give a number from 2 to 9 (for example: "
		 "--count 5)"},
		{"--count", "10", "--count cannot be '10'"},
		{"--count", "", "--count cannot be ''"},
		{"--size", "1023", "--size cannot be '1023': give a size from 1K to 1M"},
		{"--size", "2M", "--size cannot be '2M'"},
		{"--pause", "999us", "--pause cannot be '999us': give a time from 1ms to 1s"},
		{"--pause", "2s", "--pause cannot be '2s'"},
		{"--share", "0.09", "--share cannot be '0.09': give a number from 0.1 to 100"},
		{"--share", "101", "--share cannot be '101'"},
		{"-t", "bad", "the target is bad"},
		{"--unknown", "x", "unknown option '--unknown'"},
	};
	struct options_parser parser;
	struct target target;
	struct error err;
	struct job job;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(PARSE((char *)rows[i].option, (char *)rows[i].value), OPTION_BAD);
		assert_non_null(strstr(err.text, rows[i].message));
	}
	assert_int_equal(PARSE("--count"), OPTION_BAD);
	assert_non_null(strstr(err.text, "needs a value"));
	assert_int_equal(PARSE("--dry-run", "--help"), OPTION_HELP);
}

static void the_help_shows_each_group_under_its_title(void **state)
{
	const struct option_group groups[] = {
		{"the job", job_rows, sizeof(job_rows) / sizeof(job_rows[0]), NULL},
		{"targets", target_rows, 1, NULL},
	};
	char *text = NULL, *job, *share, *targets, *target, *help;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	option_groups__print(out, groups, 2);
	fclose(out);
	job = strstr(text, "\nthe job:\n");
	share = strstr(text, "--share PERCENT");
	targets = strstr(text, "\ntargets:\n");
	target = strstr(text, "-t, --target NAME");
	help = strstr(text, "-h, --help");
	assert_non_null(job);
	assert_true(job < share && share < targets && targets < target && target < help);
	free(text);
}

/* A table that grew too large is refused. No row is left out, and nothing is written behind the
 * room. */
static void more_rows_than_there_is_room_for(void **state)
{
	static struct option_row rows[OPTIONS_MAX];
	static char names[OPTIONS_MAX][8];
	struct job job = {.dry_run = false};
	struct option_group groups[] = {{"many", rows, OPTIONS_MAX, &job},
					{"one more", job_rows, 1, &job}};
	char *argv[] = {(char *)"program", (char *)"--dry-run", NULL};
	struct options_parser parser;
	struct error err = {""};
	char words[64];

	(void)state;
	for (int i = 0; i < OPTIONS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "o%d", i);
		rows[i] = (struct option_row){.spec = {0, names[i], NULL, "an option"},
					      OPTION_STORES(FLAG, struct job, dry_run)};
	}
	assert_int_equal(option_groups__parse(groups, 1, 1, argv, &parser, &err), OPTION_END);
	assert_int_equal(option_groups__parse(groups, 2, 2, argv, &parser, &err), OPTION_BAD);
	snprintf(words, sizeof(words), "there are %d options", OPTIONS_MAX + 1);
	assert_non_null(strstr(err.text, words));
	assert_false(job.dry_run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_is_stored),
		cmocka_unit_test(values_out_of_range_are_refused_with_an_example),
		cmocka_unit_test(the_help_shows_each_group_under_its_title),
		cmocka_unit_test(more_rows_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
