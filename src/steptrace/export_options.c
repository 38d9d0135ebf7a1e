// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export_options.h"

#include <errno.h>
#include <string.h>

#include "common/option_groups.h"
#include "common/parse.h"
#include "steptrace/output/otlp_address.h"
#include "steptrace/output/sink.h"

static int set_format(void *context, const char *value, struct error *err)
{
	struct export_request *request = context;

	const struct sink_kind *kind = sink__kind(value);

	if (kind->is_kafka || kind->is_otlp) {
		request->where = value;
		return sink__check(value, err);
	}
	request->format = export_format__named(value);
	if (!request->format)
		return error__set(err, -EINVAL, "--to cannot be '%s': give %s", value,
				  export_format_names);
	return 0;
}

static int set_table(void *context, const char *value, struct error *err)
{
	struct export_request *request = context;

	for (int i = 0; i < CSV_TABLES_COUNT; i++)
		if (strcmp(value, csv_table_names[i]) == 0) {
			request->table = (enum csv_table)i;
			request->has_table = true;
			return 0;
		}
	return error__set(err, -EINVAL, "--table cannot be '%s': give commands, steps or tools",
			  value);
}

static int set_from(void *context, const char *value, struct error *err)
{
	struct export_request *request = context;
	const char *colon = strchr(value, ':');
	char part[24];

	if (colon && (size_t)(colon - value) < sizeof(part)) {
		memcpy(part, value, (size_t)(colon - value));
		part[colon - value] = '\0';
		if (parse__u64(part, 1, UINT32_MAX, &request->from.part) == 0 &&
		    parse__u64(colon + 1, 0, INT64_MAX, &request->from.byte) == 0)
			return 0;
	}
	return error__set(
		err, -EINVAL,
		"--from cannot be '%s': give PART:BYTE, as an interrupted export printed it",
		value);
}

static const struct option_row rows[] = {
	{{0, "to", "FORMAT",
	  "chrome: a timeline (Chrome trace event JSON), for Perfetto,\n"
	  "the Firefox profiler and chrome://tracing; speedscope: a\n"
	  "profile, for speedscope; csv: a table, for spreadsheets;\n"
	  "clickhouse: a row for each event, for ClickHouse;\n"
	  "kafka:BROKER[,BROKER...]/TOPIC: messages;\n"
	  "otlp:http://HOST:4318 or otlp:https://...: spans and log\n"
	  "records, for an OTLP receiver; the option must be given"},
	 .set = set_format},
	{{0, "table", "TABLE",
	  "with --to csv: one row for each of the commands, the steps\n"
	  "or the tools (tool calls) (default: commands)"},
	 .set = set_table},
	{{0, "from", "PART:BYTE",
	  "with --to csv, clickhouse, kafka or otlp: go on at this place\n"
	  "of the recording, which an interrupted export has printed"},
	 .set = set_from},
	{{0, "kafka-config", "FILE",
	  "with --to kafka: settings of librdkafka, as record has them\n"
	  "(default: none)"},
	 OPTION_STORES(TEXT, struct export_request, kafka_settings)},
	{{'o', "output", "FILE", "write to FILE (default: standard output)"},
	 OPTION_STORES(TEXT, struct export_request, output)},
};

enum { GROUPS_COUNT = 2 };

static void collect_groups(struct export_request *request, struct option_group groups[GROUPS_COUNT])
{
	groups[0] = (struct option_group){"options", rows, sizeof(rows) / sizeof(rows[0]), request};
	groups[1] = otlp_options__group(request ? &request->otlp : NULL);
}

void export_options__print(FILE *out)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	option_groups__print(out, groups, GROUPS_COUNT);
}

static bool sends_to(const struct export_request *request, bool otlp)
{
	return request->where && sink__kind(request->where)->is_otlp == otlp;
}

/* What belongs to one receiver alone, and what to none. */
static int check_receiver(const struct export_request *request, struct error *err)
{
	if (request->where && request->format)
		return error__set(err, -EINVAL, "--to %s: give no other format", request->where);
	if (request->where && (request->output || request->has_table))
		return error__set(err, -EINVAL, "--to %s: -o and --table cannot be given",
				  request->where);
	if (request->kafka_settings && !sends_to(request, false))
		return error__set(err, -EINVAL, "--kafka-config needs --to kafka:BROKER/TOPIC");
	if (otlp_options__are_given(&request->otlp) && !sends_to(request, true))
		return error__set(err, -EINVAL, "%s need --to otlp:http://HOST:PORT",
				  otlp_option_names);
	if (request->otlp.otlp.authorities && !otlp_address__is_encrypted(request->where))
		return error__set(err, -EINVAL, "--otlp-ca needs --to otlp:https://HOST:PORT");
	return 0;
}

static int check(const struct export_request *request, struct error *err)
{
	if (check_receiver(request, err))
		return -EINVAL;
	if (!request->format && !request->where)
		return error__set(err, -EINVAL,
				  "give a format with --to: %s (see: steptrace export --help)",
				  export_format_names);
	if (request->has_table && !request->format->has_tables)
		return error__set(err, -EINVAL, "--table belongs to --to csv");
	if (request->from.part && request->format && !request->format->reopen)
		return error__set(err, -EINVAL,
				  "--to %s has one document for the whole recording, so --from "
				  "cannot be given",
				  request->format->name);
	if (request->files_count == 0)
		return error__set(err, -EINVAL,
				  "give a recording, or - for standard input (for example: "
				  "steptrace export --to chrome events.ndjson)");
	return 0;
}

int export_options__parse(struct export_request *request, int argc, char **argv, struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	int result;

	*request = (struct export_request){.table = CSV_COMMANDS};
	collect_groups(request, groups);
	result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (result != OPTION_END)
		return result;
	request->files = (const char *const *)argv + parser.operands;
	request->files_count = (size_t)(argc - parser.operands);
	return check(request, err) ? OPTION_BAD : OPTION_END;
}
