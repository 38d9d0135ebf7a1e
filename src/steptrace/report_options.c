// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report_options.h"

#include <errno.h>

#include "common/option_groups.h"
#include "steptrace/capture/glob_compile.h"
#include "steptrace/recording/recorded_value.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* "2026-11-24", "2026-11-24T09:28", "2026-11-24T09:28:38" and both with decimals and Z: the rest is
 * taken from a whole timestamp. */
static int read_time(const char *option, const char *value, uint64_t *ns, struct error *err)
{
	static const char rest[] = "0000-00-00T00:00:00Z";
	char text[sizeof(rest) + 16];
	size_t bytes = strlen(value);

	if (bytes < sizeof(text) - 2) {
		bool is_short = bytes == 10 || bytes == 16 || (bytes == 19 && value[18] != 'Z');
		bool has_zone = bytes > 0 && value[bytes - 1] == 'Z';

		snprintf(text, sizeof(text), "%s%s", value,
			 is_short   ? rest + bytes
			 : has_zone ? ""
				    : "Z");
		if (recorded_time__read(text, strlen(text), ns))
			return 0;
	}
	return error__set(err, -EINVAL,
			  "--%s wants a time in UTC, not '%s' (for example 2026-11-24T09:28:38)",
			  option, value);
}

static int set_since(void *context, const char *value, struct error *err)
{
	struct report_request *request = context;

	return read_time("since", value, &request->summary.since_ns, err);
}

static int set_until(void *context, const char *value, struct error *err)
{
	struct report_request *request = context;

	return read_time("until", value, &request->summary.until_ns, err);
}

static int set_command(void *context, const char *value, struct error *err)
{
	struct report_request *request = context;

	request->summary.has_command = true;
	return glob__add(value, &request->summary.command, err);
}

static const struct option_row selection_rows[] = {
	{{0, "since", "WHEN",
	  "only events from WHEN on (UTC): 2026-11-24, 2026-11-24T09:28 or\n"
	  "2026-11-24T09:28:38.5"},
	 .set = set_since},
	{{0, "until", "WHEN", "only events before WHEN"}, .set = set_until},
	{{0, "command", "GLOB",
	  "only commands with this slug, such as 'mail.*' or\n"
	  "'!health.*'; may be repeated"},
	 .set = set_command},
};

static const struct option_row output_rows[] = {
	{{0, "slow-command", "TIME", "bottlenecks: commands that took longer (default: 5s)"},
	 OPTION_STORES(TIME, struct report_request, summary.slow_command_ns),
	 .min = 0,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "500ms"},
	{{0, "slow-step", "TIME", "bottlenecks: steps that took longer (default: 3s)"},
	 OPTION_STORES(TIME, struct report_request, summary.slow_step_ns),
	 .min = 0,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "100ms"},
	{{0, "slowest", "N", "draw the N slowest executions (0 to 100; default: 5)"},
	 OPTION_STORES(NUMBER, struct report_request, summary.slowest),
	 .min = 0,
	 .max = 100,
	 .range = "a number from 0 to 100",
	 .example = "10"},
	{{0, "rows", "N",
	  "print at most N rows of each table (default: 20; all in JSON\n"
	  "and HTML)"},
	 OPTION_STORES(NUMBER, struct report_request, summary.rows),
	 .min = 1,
	 .max = 1000000,
	 .range = "a number from 1 to 1000000",
	 .example = "100"},
	{{0, "json", NULL, "write one JSON object, with all rows"},
	 OPTION_STORES(FLAG, struct report_request, is_json)},
	{{0, "html", NULL,
	  "write one HTML page for a browser or a printer, with pictures;\n"
	  "it needs no other file and no network"},
	 OPTION_STORES(FLAG, struct report_request, is_html)},
};

enum { GROUPS_COUNT = 3, TEXT_ROWS = 20 };

static void collect_groups(struct report_request *request, struct option_group groups[GROUPS_COUNT])
{
	groups[0] = (struct option_group){"what to count", selection_rows, COUNT(selection_rows),
					  request};
	groups[1] = (struct option_group){"what to show", output_rows, COUNT(output_rows), request};
	groups[2] = compare_options__group(request ? &request->compare : NULL);
}

void report_options__print(FILE *out)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	option_groups__print(out, groups, GROUPS_COUNT);
}

static bool is_standard_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

static int check_compare(const struct report_request *request, struct error *err)
{
	const struct compare_request *compare = &request->compare;
	size_t inputs = 0;

	if (!compare->old_count && compare->fail_slower != COMPARE_NO_LIMIT)
		return error__set(err, -EINVAL, "--fail-slower is for --compare OLD");
	if (compare->old_count && !request->paths_count)
		return error__set(err, -EINVAL,
				  "name the new recording as well (for example: steptrace report "
				  "--compare old.ndjson new.ndjson)");
	for (size_t i = 0; i < compare->old_count; i++)
		inputs += is_standard_input(compare->old[i]);
	for (size_t i = 0; i < request->paths_count; i++)
		inputs += is_standard_input(request->paths[i]);
	if (compare->old_count && inputs > 1)
		return error__set(err, -EINVAL, "standard input can be only one of the recordings");
	return 0;
}

static int check(const struct report_request *request, struct error *err)
{
	const struct summary_options *summary = &request->summary;

	if (summary->until_ns && summary->until_ns <= summary->since_ns)
		return error__set(err, -EINVAL, "--until must be later than --since");
	if (request->is_json && request->is_html)
		return error__set(err, -EINVAL, "--json and --html exclude each other");
	if (request->compare.old_count && request->is_html)
		return error__set(err, -EINVAL, "--compare and --html exclude each other");
	if (check_compare(request, err))
		return -EINVAL;
	if (!request->paths_count)
		return error__set(err, -EINVAL,
				  "name a recording (FILE...), or '-' for standard input");
	return 0;
}

int report_options__parse(struct report_request *request, int argc, char **argv, struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	int result;

	*request = (struct report_request){
		.summary = {.slow_command_ns = 5000000000,
			    .slow_step_ns = 3000000000,
			    .slowest = 5},
		.compare = {.fail_slower = COMPARE_NO_LIMIT},
	};
	collect_groups(request, groups);
	result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (result != OPTION_END)
		return result;
	request->paths = (const char *const *)(argv + parser.operands);
	request->paths_count = (size_t)(argc - parser.operands);
	if (!request->summary.rows)
		request->summary.rows = request->is_html ? UINT64_MAX : TEXT_ROWS;
	return check(request, err) ? OPTION_BAD : OPTION_END;
}

void report_options__free(struct report_request *request)
{
	compare_options__free(&request->compare);
}
