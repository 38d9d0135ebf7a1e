// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes a recording into the streams of many hosts: each host executes what was recorded, at
 * another time and with other ids. See --help.
 *
 * What host H of a replay with this seed writes depends on the seed and on H only. With
 *
 *	mix(x)		the finalizer of splitmix64
 *	first		the timestamp of the first line of the recording, and its monotonic_ns
 *
 * an event at t of the recording is in repetition R of host H at
 *
 *	begin + (mix(seed + H) mod 1 s), in whole ticks, + R * period + (t - first) / speed_up
 *
 * where period is the time of the whole recording / speed_up + 1 s. A UUID is combined (exclusive
 * or) with two numbers of seed, H and R; its version and variant stay. Other ids, and UUIDs of
 * version 0, are the same on all hosts. Durations stay as they are.
 *
 * The lines of hosts alternate. With --disorder N a line waits in one of N places until another
 * line wants it; a duplicate does so in one of 16 * N places. trace.started does not wait.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/parse.h"
#include "line_template.h"

struct settings {
	uint64_t hosts, repeat, speed_up, disorder, seed, begin_s, first_host, tick_ns;
	double duplicates; /* percent */
	const char *folder;
	bool has_label, has_host;
};

struct reference {
	uint32_t host, repeat, line;
};

/* Places in which lines wait. */
struct pool {
	struct reference *places;
	size_t count, used;
};

struct replay {
	struct settings settings;
	char *text; /* of the recording */
	struct line_template *lines;
	size_t lines_count, bytes_max;
	int64_t period_ns;
	uint64_t random;
	struct pool disorder, late;
	FILE *out;
	char *room; /* for one line */
	uint64_t written, duplicates, bytes;
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "replay_hosts: %s: %s\n", what, why);
	exit(1);
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t next_random(struct replay *replay)
{
	return mix(++replay->random);
}

/* ---- the recording */

static void read_recording(struct replay *replay, const char *path)
{
	FILE *file = fopen(path, "r");
	size_t room = 0;
	ssize_t bytes = file ? getdelim(&replay->text, &room, '\0', file) : -1;

	if (bytes < 0)
		die(path, file && !ferror(file) ? "it is empty" : strerror(errno));
	fclose(file);
}

static void add_line(struct replay *replay, size_t *room, const char *text, size_t bytes)
{
	const char *wrong;

	if (replay->lines_count == *room) {
		*room = *room ? 2 * *room : 1024;
		replay->lines = reallocarray(replay->lines, *room, sizeof(*replay->lines));
		if (!replay->lines)
			die("the recording", strerror(ENOMEM));
	}
	wrong = line_template__parse(&replay->lines[replay->lines_count], text, bytes);
	if (wrong) {
		fprintf(stderr, "replay_hosts: line %zu: %s\n", replay->lines_count + 1, wrong);
		exit(1);
	}
	if (replay->lines[replay->lines_count].bytes_max > replay->bytes_max)
		replay->bytes_max = replay->lines[replay->lines_count].bytes_max;
	replay->lines_count++;
}

static void parse_recording(struct replay *replay)
{
	size_t room = 0;
	int64_t last = 0;

	for (const char *at = replay->text; *at;) {
		size_t bytes = strcspn(at, "\n");

		add_line(replay, &room, at, bytes);
		at += bytes + (at[bytes] == '\n');
	}
	for (size_t i = 0; i < replay->lines_count; i++)
		if (replay->lines[i].realtime_ns > last)
			last = replay->lines[i].realtime_ns;
	replay->period_ns =
		(last - replay->lines[0].realtime_ns) / (int64_t)replay->settings.speed_up +
		1000000000;
	replay->room = malloc(replay->bytes_max);
	if (!replay->room)
		die("the recording", strerror(ENOMEM));
}

/* ---- lines */

static void write_bytes(struct replay *replay, const char *text, size_t bytes)
{
	if (fwrite_unlocked(text, 1, bytes, replay->out) != bytes)
		die("the output", strerror(errno));
	replay->bytes += bytes;
}

static void write_line(struct replay *replay, struct reference one)
{
	const struct settings *settings = &replay->settings;
	const struct line_template *first = &replay->lines[0];
	uint64_t key = mix(settings->seed + one.host);
	uint64_t offset_ns = key % 1000000000 / settings->tick_ns * settings->tick_ns;
	int64_t shift_ns = (int64_t)offset_ns + one.repeat * replay->period_ns;
	char host[HOST_NAME_BYTES];
	struct rendering how = {
		.host = host,
		.has_label = settings->has_label,
		.id_mask = {mix(key + 2 * one.repeat) & ~0xf000ull,
			    mix(key + 2 * one.repeat + 1) & ~(0xfull << 60)},
		.realtime_from = first->realtime_ns,
		.realtime_to = (int64_t)settings->begin_s * 1000000000 + shift_ns,
		.monotonic_from = first->monotonic_ns,
		.monotonic_to = first->monotonic_ns + shift_ns,
		.speed_up = (int64_t)settings->speed_up,
	};
	char *end;

	snprintf(host, sizeof(host), "host-%05u", one.host);
	if (settings->has_host) {
		write_bytes(replay, host, strlen(host));
		write_bytes(replay, "\t", 1);
	}
	end = line_template__render(&replay->lines[one.line], &how, replay->room);
	write_bytes(replay, replay->room, (size_t)(end - replay->room));
	replay->written++;
}

/* ---- disorder and duplicates */

static void make_pool(struct pool *pool, size_t count)
{
	pool->count = count;
	pool->places = calloc(count ? count : 1, sizeof(*pool->places));
	if (!pool->places)
		die("--disorder", strerror(ENOMEM));
}

/* The line takes a place; the line that had it is written. */
static void wait_in(struct replay *replay, struct pool *pool, struct reference one)
{
	struct reference *place;

	if (pool->used < pool->count) {
		pool->places[pool->used++] = one;
		return;
	}
	if (pool->count) {
		place = &pool->places[next_random(replay) % pool->count];
		write_line(replay, *place);
		*place = one;
	} else {
		write_line(replay, one);
	}
}

static void empty_pool(struct replay *replay, struct pool *pool)
{
	for (; pool->used; pool->used--) {
		struct reference *place = &pool->places[next_random(replay) % pool->used];

		write_line(replay, *place);
		*place = pool->places[pool->used - 1];
	}
}

static bool is_duplicated(struct replay *replay)
{
	return (double)(next_random(replay) >> 11) * 0x1p-53 * 100 < replay->settings.duplicates;
}

static void send_line(struct replay *replay, struct reference one)
{
	if (replay->lines[one.line].is_start)
		write_line(replay, one);
	else
		wait_in(replay, &replay->disorder, one);
	if (is_duplicated(replay)) {
		replay->duplicates++;
		wait_in(replay, &replay->late, one);
	}
}

static void end_lines(struct replay *replay)
{
	empty_pool(replay, &replay->disorder);
	empty_pool(replay, &replay->late);
	if (fflush(replay->out))
		die("the output", strerror(errno));
}

/* ---- streams */

static uint32_t host_number(const struct replay *replay, uint64_t host)
{
	return (uint32_t)(replay->settings.first_host + host);
}

static void write_one_stream(struct replay *replay)
{
	replay->out = stdout;
	for (uint32_t repeat = 0; repeat < replay->settings.repeat; repeat++)
		for (uint32_t line = 0; line < replay->lines_count; line++)
			for (uint64_t host = 0; host < replay->settings.hosts; host++)
				send_line(replay, (struct reference){host_number(replay, host),
								     repeat, line});
	end_lines(replay);
}

static void write_file(struct replay *replay, uint32_t host)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/host-%05u.ndjson", replay->settings.folder, host);
	replay->out = fopen(path, "we");
	if (!replay->out)
		die(path, strerror(errno));
	for (uint32_t repeat = 0; repeat < replay->settings.repeat; repeat++)
		for (uint32_t line = 0; line < replay->lines_count; line++)
			send_line(replay, (struct reference){host, repeat, line});
	end_lines(replay);
	if (fclose(replay->out))
		die(path, strerror(errno));
}

/* ---- the command line */

enum option {
	HOSTS,
	FIRST_HOST,
	REPEAT,
	BEGIN,
	SPEED_UP,
	TICK,
	DUPLICATES,
	DISORDER,
	SEED,
	LABEL,
	HOST,
	FOLDER,
};

static const struct option_spec specs[] = {
	[HOSTS] = {0, "hosts", "N", "how many hosts (default: 10)"},
	[FIRST_HOST] = {0, "first-host", "N", "the number of the first host (default: 0)"},
	[REPEAT] = {0, "repeat", "N", "how often each host repeats the recording (default: 1)"},
	[BEGIN] = {0, "begin", "SECONDS",
		   "when the streams begin, in seconds since 1970 (default: 1767225600, which is "
		   "2026-01-01)"},
	[SPEED_UP] = {0, "speed-up", "N", "divides the times between the events by N (default: 1)"},
	[TICK] = {0, "tick", "TIME",
		  "hosts begin up to a second apart, in whole ticks; with a large tick, some hosts "
		  "have the same times (default: 1ns)"},
	[DUPLICATES] = {0, "duplicates", "PERCENT",
			"how many of the lines are written twice (default: 0)"},
	[DISORDER] = {0, "disorder", "N",
		      "in how many places lines wait: N lines come in between on average "
		      "(default: 0, in order)"},
	[SEED] = {0, "seed", "N", "other ids, times, disorder and duplicates (default: 1)"},
	[LABEL] = {0, "label", NULL,
		   "each event gets the label host, as record --label host=NAME "
		   "--labels-everywhere writes it"},
	[HOST] = {0, "host", NULL,
		  "the name of the host and a tab are in front of each line, for a producer that "
		  "writes the header"},
	[FOLDER] = {'o', "output", "FOLDER", "a file HOST.ndjson for each host in this folder"},
};

static void print_help(void)
{
	printf("usage: replay_hosts [OPTIONS] FILE\n\n"
	       "Makes a recording into the streams of many hosts. FILE is NDJSON of steptrace\n"
	       "record, without labels. Without -o, all hosts are in one stream on standard\n"
	       "output.\n\n");
	options__print(stdout, specs, sizeof(specs) / sizeof(specs[0]));
}

static void usage(const char *option, const char *value)
{
	fprintf(stderr, "replay_hosts: --%s cannot be '%s' (see: replay_hosts --help)\n", option,
		value);
	exit(2);
}

static void set_number(enum option which, const char *value, uint64_t min, uint64_t max,
		       uint64_t *number)
{
	if (parse__u64(value, min, max, number))
		usage(specs[which].name, value);
}

static void set_option(struct settings *settings, enum option which, const char *value)
{
	switch (which) {
	case HOSTS: set_number(which, value, 1, 100000, &settings->hosts); break;
	case FIRST_HOST: set_number(which, value, 0, 100000, &settings->first_host); break;
	case REPEAT: set_number(which, value, 1, 100000, &settings->repeat); break;
	case BEGIN: set_number(which, value, 0, 4000000000, &settings->begin_s); break;
	case SPEED_UP: set_number(which, value, 1, 1000000, &settings->speed_up); break;
	case TICK:
		if (parse__duration_ns(value, &settings->tick_ns) || !settings->tick_ns)
			usage(specs[which].name, value);
		break;
	case DISORDER: set_number(which, value, 0, 10000000, &settings->disorder); break;
	case SEED: set_number(which, value, 0, INT64_MAX, &settings->seed); break;
	case DUPLICATES:
		if (parse__percent(value, 0, 100, &settings->duplicates))
			usage(specs[which].name, value);
		break;
	case LABEL: settings->has_label = true; break;
	case HOST: settings->has_host = true; break;
	case FOLDER: settings->folder = value; break;
	}
}

/* Returns the path of the recording. */
static const char *parse(struct settings *settings, int argc, char **argv)
{
	struct options_parser parser = {.specs = specs,
					.count = sizeof(specs) / sizeof(specs[0]),
					.argc = argc,
					.argv = argv};
	const char *value;
	int which;

	while ((which = options__next(&parser, &value)) >= 0)
		set_option(settings, (enum option)which, value);
	if (which == OPTION_HELP) {
		print_help();
		exit(0);
	}
	if (which == OPTION_END && parser.operands == argc - 1)
		return argv[parser.operands];
	fprintf(stderr, "replay_hosts: %s (see: replay_hosts --help)\n",
		which == OPTION_BAD ? parser.error.text : "give one recording");
	exit(2);
}

int main(int argc, char **argv)
{
	struct replay replay = {.settings = {.hosts = 10,
					     .repeat = 1,
					     .speed_up = 1,
					     .tick_ns = 1,
					     .seed = 1,
					     .begin_s = 1767225600}};
	const char *path = parse(&replay.settings, argc, argv);

	read_recording(&replay, path);
	parse_recording(&replay);
	replay.random = mix(replay.settings.seed);
	make_pool(&replay.disorder, replay.settings.disorder);
	make_pool(&replay.late, replay.settings.disorder * 16);
	if (replay.settings.folder)
		for (uint64_t host = 0; host < replay.settings.hosts; host++)
			write_file(&replay, host_number(&replay, host));
	else
		write_one_stream(&replay);
	fprintf(stderr,
		"replay_hosts: %llu lines (%llu of them twice), %llu bytes, %zu lines of each host "
		"and repetition\n",
		(unsigned long long)replay.written, (unsigned long long)replay.duplicates,
		(unsigned long long)replay.bytes, replay.lines_count);
	free(replay.room);
	free(replay.disorder.places);
	free(replay.late.places);
	free(replay.lines);
	free(replay.text);
	return 0;
}
