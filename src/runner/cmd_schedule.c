// SPDX-License-Identifier: BSD-2-Clause
/* steprun schedule: creates, shows and changes schedules. `serve` and `work` execute them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/option_groups.h"
#include "common/printable.h"
#include "runner/commands.h"
#include "runner/input.h"
#include "runner/pack/pack.h"
#include "runner/run/clock_file.h"
#include "runner/schedule/schedules.h"
#include "runner/schedule_print.h"
#include "runner/store/store_row.h"
#include "runner/work/runner_options.h"

struct schedule_options {
	struct runner_options runner; /* of these: packs, database, now and clock */
	struct option_list pairs;     /* KEY=VALUE of the payload */
	const char *context_path, *timezone;
	uint64_t max_runs;
	bool json;
};

struct session {
	struct schedule_options options;
	char **operands; /* behind the verb */
	struct store *store;
	int64_t now_us;
	struct error err;
};

/* ------------------------------------------------------------------ options */

static int add_pair(void *context, const char *value, struct error *err)
{
	if (value[0] == '=' || !strchr(value, '='))
		return error__set(err, -EINVAL, "--set takes KEY=VALUE, not '%s'", value);
	return option_list__add(&((struct schedule_options *)context)->pairs, value, "set", err);
}

static const struct option_row add_rows[] = {
	{{'z', "timezone", "NAME", "IANA name, such as Europe/Berlin (default: UTC)"},
	 OPTION_STORES(TEXT, struct schedule_options, timezone)},
	{{'c', "context", "FILE", "take the input of the command from a JSON file ('-': stdin)"},
	 OPTION_STORES(TEXT, struct schedule_options, context_path)},
	{{'s', "set", "KEY=VALUE", "set a key of this input; may be repeated"}, .set = add_pair},
	{{0, "max-runs", "N", "end after N runs (default: no limit)"},
	 OPTION_STORES(NUMBER, struct schedule_options, max_runs),
	 .min = 1,
	 .max = INT32_MAX,
	 .range = "a number from 1",
	 .example = "10"},
};

static const struct option_row form_rows[] = {
	{{0, "json", NULL, "print rows as lines of JSON"},
	 OPTION_STORES(FLAG, struct schedule_options, json)},
};

enum { GROUPS_COUNT = 5 };

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void collect_groups(struct schedule_options *options,
			   struct option_group groups[GROUPS_COUNT])
{
	struct runner_options *runner = options ? &options->runner : NULL;

	groups[0] = (struct option_group){"a new schedule", add_rows, COUNT(add_rows), options};
	groups[1] = (struct option_group){"output", form_rows, COUNT(form_rows), options};
	groups[2] = (struct option_group){"where", &runner_option_db, 1, runner};
	groups[3] = (struct option_group){"for 'add'", &runner_option_packs, 1, runner};
	groups[4] = (struct option_group){"time", &runner_option_clock, 1, runner};
}

/* ------------------------------------------------------------------ verbs */

static int read_payload(struct session *session, cJSON **payload)
{
	const struct schedule_options *options = &session->options;
	int err = 0;

	*payload = NULL;
	if (options->context_path)
		err = input__load(options->context_path, payload, &session->err);
	else if (!(*payload = cJSON_CreateObject()))
		err = error__set(&session->err, -ENOMEM, "out of memory");
	for (size_t i = 0; !err && i < options->pairs.count; i++)
		err = input__set_pair(*payload, options->pairs.items[i], &session->err);
	return err;
}

/* With --packs, the command must be there. */
static int check_command(struct session *session, const char *command)
{
	const struct option_list *packs = &session->options.runner.packs;
	const struct pack_path path = {packs->items, packs->count};
	struct pack *pack;
	int err;

	if (!packs->count)
		return 0;
	err = pack__find(&path, command, &pack, &session->err);
	if (!err)
		pack__free(pack);
	return err;
}

static int add_schedule(struct session *session, const struct schedule_draft *draft)
{
	char name[SCHEDULE_SHOWN_BYTES], next[SCHEDULE_TIME_BYTES];
	cJSON *row = NULL;
	int err = store__begin(session->store, &session->err);

	if (err)
		return err;
	err = schedules__create(session->store, draft, session->now_us, &row, &session->err);
	err = store__end(session->store, err, &session->err);
	if (!err && session->options.json)
		err = schedule_print__json(row);
	else if (!err)
		printf("schedule %" PRId64 " '%s' runs next at %s\n", store_row__number(row, "id"),
		       printable__to(name, draft->name),
		       schedule_print__time(row, "next_run_at", next));
	cJSON_Delete(row);
	return err;
}

static int add(struct session *session)
{
	struct schedule_draft draft = {.name = session->operands[0],
				       .command = session->operands[1],
				       .recurrence = session->operands[2],
				       .timezone = session->options.timezone,
				       .max_runs = (int64_t)session->options.max_runs};
	cJSON *payload = NULL;
	int err = check_command(session, draft.command);

	if (!err)
		err = read_payload(session, &payload);
	draft.payload = payload;
	if (!err)
		err = add_schedule(session, &draft);
	cJSON_Delete(payload);
	return err;
}

static int list(struct session *session)
{
	cJSON *rows;
	const cJSON *row;
	int err = schedules__list(session->store, INT64_MAX, &rows, &session->err);

	if (err)
		return err;
	if (!session->options.json)
		schedule_print__row_titles();
	cJSON_ArrayForEach (row, rows) {
		if (session->options.json)
			schedule_print__json(row);
		else
			schedule_print__row(row);
	}
	cJSON_Delete(rows);
	return 0;
}

static int show(struct session *session)
{
	cJSON *row, *runs = NULL;
	const cJSON *run;
	int err = schedules__find(session->store, session->operands[0], &row, &session->err);

	if (!err)
		err = schedules__runs(session->store, store_row__number(row, "id"),
				      SCHEDULE_RUNS_SHOWN, &runs, &session->err);
	if (!err && session->options.json) {
		cJSON_AddItemToObject(row, "runs", runs);
		err = schedule_print__json(row);
		runs = NULL;
	} else if (!err) {
		schedule_print__details(row);
		schedule_print__run_titles();
		cJSON_ArrayForEach (run, runs)
			schedule_print__run(run);
	}
	cJSON_Delete(runs);
	cJSON_Delete(row);
	return err;
}

static int tell_changed(const struct session *session, const cJSON *row)
{
	char name[SCHEDULE_SHOWN_BYTES], next[SCHEDULE_TIME_BYTES];

	if (session->options.json)
		return schedule_print__json(row);
	printf("schedule %" PRId64 " '%s' is %s; next run: %s\n", store_row__number(row, "id"),
	       schedule_print__column(row, "name", name), store_row__text(row, "status"),
	       schedule_print__time(row, "next_run_at", next));
	return 0;
}

static int change(struct session *session, enum schedule_change change)
{
	cJSON *row = NULL;
	int err = store__begin(session->store, &session->err);

	if (err)
		return err;
	err = schedules__find(session->store, session->operands[0], &row, &session->err);
	if (!err)
		err = schedules__change(session->store, change, false, session->now_us, &row,
					&session->err);
	err = store__end(session->store, err, &session->err);
	if (!err)
		err = tell_changed(session, row);
	cJSON_Delete(row);
	return err;
}

static int pause_schedule(struct session *session)
{
	return change(session, SCHEDULE_PAUSE);
}

static int resume(struct session *session)
{
	return change(session, SCHEDULE_RESUME);
}

static int delete (struct session *session)
{
	char name[SCHEDULE_SHOWN_BYTES];
	cJSON *row = NULL;
	int err = store__begin(session->store, &session->err);

	if (err)
		return err;
	err = schedules__find(session->store, session->operands[0], &row, &session->err);
	if (!err)
		err = schedules__delete(session->store, store_row__number(row, "id"),
					&session->err);
	err = store__end(session->store, err, &session->err);
	if (!err)
		printf("schedule %" PRId64 " '%s' and its runs are deleted\n",
		       store_row__number(row, "id"), schedule_print__column(row, "name", name));
	cJSON_Delete(row);
	return err;
}

static int run_now(struct session *session)
{
	char name[SCHEDULE_SHOWN_BYTES];
	cJSON *row = NULL, *run = NULL;
	int err = store__begin(session->store, &session->err);

	if (err)
		return err;
	err = schedules__find(session->store, session->operands[0], &row, &session->err);
	if (!err)
		err = schedules__run_now(session->store, row, session->now_us, &run, &session->err);
	err = store__end(session->store, err, &session->err);
	if (!err && session->options.json)
		err = schedule_print__json(run);
	else if (!err)
		printf("run %" PRId64 " of '%s' waits for 'steprun serve' or 'steprun work'\n",
		       store_row__number(run, "id"), schedule_print__column(row, "name", name));
	cJSON_Delete(run);
	cJSON_Delete(row);
	return err;
}

static const struct verb {
	const char *name, *operands, *help;
	int operand_count;
	int (*run)(struct session *session);
} verbs[] = {
	{"add", "NAME COMMAND RECURRENCE", "create a schedule", 3, add},
	{"list", "", "list all schedules", 0, list},
	{"show", "ID|NAME", "show a schedule and its last runs", 1, show},
	{"pause", "ID|NAME", "plan no further run", 1, pause_schedule},
	{"resume", "ID|NAME", "plan runs again, from now on", 1, resume},
	{"delete", "ID|NAME", "delete a schedule and its runs", 1, delete},
	{"run-now", "ID|NAME", "run it once, as soon as possible", 1, run_now},
};

/* ------------------------------------------------------------------ the command */

static void print_help(void)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	printf("usage: steprun schedule VERB [OPERANDS] [OPTIONS]\n\n");
	for (size_t i = 0; i < COUNT(verbs); i++)
		printf("  %-8s %-24s  %s\n", verbs[i].name, verbs[i].operands, verbs[i].help);
	printf("\nRECURRENCE is one of\n\n"
	       "  one_off:2025-03-01 08:30    once\n"
	       "  daily_at:08:30              every day\n"
	       "  weekly_at:mon-fri:08:30     on days of the week\n"
	       "  cron:30 8 * * mon-fri       as in cron\n\n"
	       "'steprun serve' and 'steprun work' execute the runs.\n");
	option_groups__print(stdout, groups, GROUPS_COUNT);
	printf("\nexample: steprun schedule add morning digest daily_at:08:30 -z Europe/Berlin\n\n"
	       "exit status: 0 done, 1 an error, 2 wrong usage\n");
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* A clock that cannot be read counts as the system's clock later on. */
static int check_clock(const struct id_source *ids, struct error *err)
{
	int64_t now_us;

	return ids->clock_path ? clock_file__now(ids->clock_path, &now_us, err) : 0;
}

/* Returns 0 or a negative errno with a sentence. */
static int check(struct session *session, const struct verb **verb, char **operands, int count)
{
	const struct schedule_options *options = &session->options;
	struct error *err = &session->err;

	if (count < 1)
		return error__set(err, -EINVAL, "no verb given (see: steprun schedule --help)");
	*verb = find_verb(operands[0]);
	if (!*verb)
		return error__set(err, -EINVAL, "unknown verb '%s' (see: steprun schedule --help)",
				  operands[0]);
	if (count - 1 != (*verb)->operand_count)
		return error__set(err, -EINVAL, "usage: steprun schedule %s %s%s", (*verb)->name,
				  (*verb)->operands,
				  count - 1 > (*verb)->operand_count
					  ? " (put quotes around an operand with blanks)"
					  : "");
	if ((*verb)->run != add && (options->timezone || options->context_path ||
				    options->pairs.count || options->max_runs))
		return error__set(err, -EINVAL,
				  "--timezone, --context, --set and --max-runs are for 'add' only");
	session->operands = operands + 1;
	return check_clock(&options->runner.ids, err);
}

static int run(struct session *session, const struct verb *verb)
{
	const char *database = session->options.runner.database;
	int err;

	if (verb->run != add && access(database, F_OK) != 0)
		return error__set(&session->err, -ENOENT, "there is no database '%s' (see --db)",
				  database);
	err = store__open(database, &session->store, &session->err);
	session->now_us = id_source__now_us(&session->options.runner.ids);
	if (!err)
		err = verb->run(session);
	if (!err && fflush(stdout))
		err = error__set(&session->err, -EIO, "cannot write: %s", strerror(errno));
	store__close(session->store);
	return err;
}

int cmd_schedule(int argc, char **argv)
{
	struct session session = {.operands = NULL};
	struct option_group groups[GROUPS_COUNT];
	const struct verb *verb = NULL;
	struct options_parser parser;
	int which;

	runner_options__set_defaults(&session.options.runner);
	collect_groups(&session.options, groups);
	which = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, &session.err);
	if (which == OPTION_HELP) {
		print_help();
		return EXIT_DONE;
	}
	if (which == OPTION_BAD ||
	    check(&session, &verb, argv + parser.operands, argc - parser.operands)) {
		log__error("%s", session.err.text);
		return EXIT_USAGE;
	}
	if (run(&session, verb)) {
		log__error("%s", session.err.text);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}
