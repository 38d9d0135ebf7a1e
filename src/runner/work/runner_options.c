// SPDX-License-Identifier: BSD-2-Clause
#include "runner/work/runner_options.h"

#include <errno.h>
#include <stdlib.h>

#include "common/parse.h"
#include "runner/run/clock_file.h"

int option_list__add(struct option_list *list, const char *item, const char *option,
		     struct error *err)
{
	if (list->count == OPTION_LIST_MAX)
		return error__set(err, -EINVAL, "--%s is given more than %d times", option,
				  OPTION_LIST_MAX);
	list->items[list->count++] = item;
	return 0;
}

static int add_packs(void *context, const char *value, struct error *err)
{
	return option_list__add(&((struct runner_options *)context)->packs, value, "packs", err);
}

static int add_without(void *context, const char *value, struct error *err)
{
	return option_list__add(&((struct runner_options *)context)->switched_off, value, "without",
				err);
}

static int set_now(void *context, const char *value, struct error *err)
{
	return id_source__fix_now(&((struct runner_options *)context)->ids, value, err);
}

static int set_clock(void *context, const char *value, struct error *err)
{
	(void)err;
	((struct runner_options *)context)->ids.clock_path = value;
	return 0;
}

static int set_seed(void *context, const char *value, struct error *err)
{
	uint64_t seed;

	if (parse__u64(value, 0, UINT64_MAX, &seed))
		return error__set(err, -EINVAL, "--seed takes a number from 0 to %llu, not '%s'",
				  (unsigned long long)UINT64_MAX, value);
	id_source__seed(&((struct runner_options *)context)->ids, seed);
	return 0;
}

#define ROW_PACKS(help)                                                                            \
	{                                                                                          \
		{'p', "packs", "DIR", help}, .set = add_packs                                      \
	}
#define ROW_DB                                                                                     \
	{                                                                                          \
		{0, "db", "FILE", "the database (default: steprun.db)"},                           \
			OPTION_STORES(TEXT, struct runner_options, database)                       \
	}
#define ROW_CLOCK                                                                                  \
	{                                                                                          \
		{0, "clock", "FILE", "take the time from a clock file (see steprun(1))"},          \
			.set = set_clock                                                           \
	}

const struct option_row runner_option_packs = ROW_PACKS(
	"the command must be in this folder; may be repeated\n(default: it may be missing)");
const struct option_row runner_option_db = ROW_DB;
const struct option_row runner_option_clock = ROW_CLOCK;

const struct option_row runner_option_rows[RUNNER_OPTION_ROWS] = {
	ROW_PACKS("folder of packs; may be repeated (default: packs)"),
	ROW_DB,
	{{0, "timeout", "TIME", "cancel an execution after TIME, such as 30s"},
	 OPTION_STORES(TIME, struct runner_options, timeout_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "500ms or 30s"},
	{{0, "tools", "FILE", "the tools that packs may call (default: none)"},
	 OPTION_STORES(TEXT, struct runner_options, tools_path)},
	{{0, "without", "CAPABILITY", "disable a capability; may be repeated"}, .set = add_without},
	{{0, "ai-url", "URL", "address of the model (or STEPRUN_AI_URL)"},
	 OPTION_STORES(TEXT, struct runner_options, ai_url)},
	{{0, "ai-model", "NAME", "name of the model (or STEPRUN_AI_MODEL)"},
	 OPTION_STORES(TEXT, struct runner_options, ai_model)},
	{{0, "now", "TIME", "use this time, such as 2025-03-01T08:30:00Z"}, .set = set_now},
	ROW_CLOCK,
	{{0, "seed", "N", "create the same ids in every run with this N"}, .set = set_seed},
};

void runner_options__set_defaults(struct runner_options *options)
{
	*options = (struct runner_options){
		.database = RUNNER_DEFAULT_DATABASE,
		.ai_url = getenv("STEPRUN_AI_URL"),
		.ai_model = getenv("STEPRUN_AI_MODEL"),
		.ai_key = getenv("STEPRUN_AI_KEY"),
	};
}

int runner_options__finish(struct runner_options *options, struct error *err)
{
	int64_t now_us;

	if (!options->packs.count)
		options->packs.items[options->packs.count++] = RUNNER_DEFAULT_PACKS;
	if (options->ids.clock_path && options->ids.has_fixed_now)
		return error__set(err, -EINVAL, "--now and --clock exclude each other");
	return options->ids.clock_path ? clock_file__now(options->ids.clock_path, &now_us, err) : 0;
}
