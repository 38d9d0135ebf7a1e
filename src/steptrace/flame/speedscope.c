// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "common/strbuf.h"
#include "steptrace/flame/json_out.h"
#include "steptrace/flame/writers.h"
#include "steptrace/version.h"

/* Consecutive rows of one command. */
struct range {
	size_t first, end;
	uint64_t time_ns;
};

struct speedscope {
	struct json_out out;
	const struct flame_rows *rows;
	size_t profiles_count;
};

static void put_frames(struct speedscope *scope)
{
	struct json_out *out = &scope->out;
	const struct flame_names *names = &scope->rows->names;

	json_out__word(out, "\"shared\":{\"frames\":[");
	for (size_t i = 0; i < names->count; i++) {
		json_out__text(out, i ? ",\n{\"name\":" : "{\"name\":", names->list[i].text);
		if (names->list[i].module[0])
			json_out__text(out, ",\"file\":", names->list[i].module);
		json_out__word(out, "}");
	}
	/* The states are the last frames. */
	for (int state = 0; state < STACK_STATES_COUNT; state++) {
		json_out__word(out, names->count || state ? ",\n" : "");
		json_out__word(out, "{\"name\":\"[");
		json_out__word(out, stack_state__name(state));
		json_out__word(out, "]\"}");
	}
	json_out__word(out, "]}");
}

static bool is_in(const struct flame_row *row, bool is_on_cpu)
{
	return (row->state == STATE_ON_CPU) == is_on_cpu && row->time_ns;
}

static void put_sample(struct json_out *out, const struct speedscope *scope,
		       const struct flame_row *row)
{
	json_out__word(out, "[");
	for (size_t i = 0; i < row->path_count; i++)
		json_out__number(out, i ? "," : "", row->path[i]);
	if (row->state != STATE_ON_CPU)
		json_out__number(out, ",", scope->rows->names.count + row->state);
	json_out__word(out, "]");
}

static void put_weight(struct json_out *out, const struct speedscope *scope,
		       const struct flame_row *row)
{
	(void)scope;
	json_out__number(out, "", row->time_ns);
}

typedef void put_row_fn(struct json_out *out, const struct speedscope *scope,
			const struct flame_row *row);

static void put_each(struct speedscope *scope, const struct range *range, bool is_on_cpu,
		     put_row_fn *put)
{
	const char *between = "";

	for (size_t i = range->first; i < range->end; i++) {
		if (!is_in(&scope->rows->list[i], is_on_cpu))
			continue;
		json_out__word(&scope->out, between);
		put(&scope->out, scope, &scope->rows->list[i]);
		between = ",\n";
	}
}

static uint64_t time_of(const struct speedscope *scope, const struct range *range, bool is_on_cpu)
{
	uint64_t time_ns = 0;

	for (size_t i = range->first; i < range->end; i++)
		if (is_in(&scope->rows->list[i], is_on_cpu))
			time_ns += scope->rows->list[i].time_ns;
	return time_ns;
}

static void put_profile(struct speedscope *scope, const struct range *range, bool is_on_cpu,
			const char *command)
{
	struct json_out *out = &scope->out;
	struct strbuf name;

	strbuf__init(&name, SIZE_MAX);
	strbuf__printf(&name, "%s: %s", command, is_on_cpu ? "on-CPU" : "off-CPU");
	out->has_failed |= name.err != 0;
	json_out__word(out, scope->profiles_count++ ? ",\n" : "\n");
	json_out__text(out, "{\"type\":\"sampled\",\"name\":", name.err ? "" : name.text);
	json_out__word(out, ",\"unit\":\"nanoseconds\",\"startValue\":0");
	json_out__number(out, ",\"endValue\":", time_of(scope, range, is_on_cpu));
	json_out__word(out, ",\n\"samples\":[");
	put_each(scope, range, is_on_cpu, put_sample);
	json_out__word(out, "],\n\"weights\":[");
	put_each(scope, range, is_on_cpu, put_weight);
	json_out__word(out, "]}");
	strbuf__free(&name);
}

static void put_profiles(struct speedscope *scope, const struct range *range, const char *command)
{
	if (time_of(scope, range, true))
		put_profile(scope, range, true, command);
	if (time_of(scope, range, false))
		put_profile(scope, range, false, command);
}

static int by_time(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	if (left->time_ns != right->time_ns)
		return left->time_ns < right->time_ns ? 1 : -1;
	return left->first < right->first ? -1 : 1;
}

/* The commands, the one with the most time first. */
static size_t find_commands(const struct flame_rows *rows, struct range *commands)
{
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		if (i == 0 || rows->list[i].path[0] != rows->list[i - 1].path[0])
			commands[count++] = (struct range){.first = i};
		commands[count - 1].end = i + 1;
		commands[count - 1].time_ns += rows->list[i].time_ns;
	}
	qsort(commands, count, sizeof(*commands), by_time);
	return count;
}

int flame_speedscope__write(FILE *file, const struct flame_rows *rows)
{
	struct speedscope scope = {.rows = rows};
	struct range all = {0, rows->count, 0};
	struct range *commands = calloc(rows->count + 1, sizeof(*commands));
	size_t count = commands ? find_commands(rows, commands) : 0;

	if (!commands)
		return -ENOMEM;
	json_out__init(&scope.out, file);
	json_out__word(&scope.out, "{\"$schema\":"
				   "\"https://www.speedscope.app/file-format-schema.json\",\n"
				   "\"exporter\":\"steptrace " STEPTRACE_VERSION "\",\n"
				   "\"name\":\"steptrace profile\",\n");
	put_frames(&scope);
	json_out__word(&scope.out, ",\n\"profiles\":[");
	put_profiles(&scope, &all, "all commands");
	for (size_t i = 0; i < count; i++) {
		const struct flame_row *row = &rows->list[commands[i].first];

		put_profiles(&scope, &commands[i], rows->names.list[row->path[0]].text);
	}
	/* Without a profile, speedscope would say that the file is damaged. */
	if (scope.profiles_count == 0)
		put_profile(&scope, &all, true, "all commands");
	json_out__word(&scope.out, "]}\n");
	free(commands);
	return json_out__end(&scope.out);
}
