// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner with empty steps, which reports them in one of several ways and measures what a step
 * costs:
 *
 *	loop probes		the probes of usdt/steptrace.h, at begin and end
 *	loop stdio FILE		a line of JSON, buffered
 *	loop write FILE		a line of JSON, one write(2) for each
 *	loop cjson FILE		the same event built and printed by cJSON, buffered
 *	loop lttng		an event of LTTng-UST with the same fields (if built with it)
 *
 * Each line of stdin is a number of steps to run; the answer is the time of one step in ns.
 */
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <steptrace.h>

#ifdef WITH_LTTNG
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "step_tracepoint.h"
#endif

enum { LINE_BYTES = 2048 };

struct ids {
	uint8_t execution[16];
	uint64_t step[2]; /* counted up, which is unique enough for a benchmark */
};

static struct ids ids = {{1, 2, 3, 4}, {5, 6}};
static FILE *file;
static int fd = -1;

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Processor time of this thread in user space and in the kernel. Elapsed time would include waiting
 * for a processor, because the readers of the contenders need processors too. */
static uint64_t used_ns(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

static void put_uuid(char text[37], const uint8_t id[16])
{
	static const char digits[] = "0123456789abcdef";
	char *at = text;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[id[i] >> 4];
		*at++ = digits[id[i] & 15];
	}
	*at = 0;
}

static void put_time(char text[40], uint64_t *ns)
{
	static char written[40];
	static time_t written_s;
	struct timespec now;
	struct tm date;

	clock_gettime(CLOCK_REALTIME, &now);
	*ns = now_ns();
	if (now.tv_sec != written_s) { /* computes the date once a second, as steptrace does */
		gmtime_r(&now.tv_sec, &date);
		strftime(written, sizeof(written), "%Y-%m-%dT%H:%M:%S", &date);
		written_s = now.tv_sec;
	}
	memcpy(text, written, sizeof(written));
}

struct words {
	char execution[37], step[37], time[40];
	uint64_t ns;
};

static void put_words(struct words *words)
{
	ids.step[1]++;
	put_uuid(words->execution, ids.execution);
	put_uuid(words->step, (const uint8_t *)ids.step);
	put_time(words->time, &words->ns);
}

/* Formats a line like an efficient logger inside the runner: only the fields of
 * dsl.step.executed. */
static int print_line(char line[LINE_BYTES], const struct steptrace_step *step,
		      const struct words *words, uint64_t start_ns)
{
	return snprintf(line, LINE_BYTES,
			"{\"event\":\"dsl.step.executed\",\"correlation_id\":\"%s\","
			"\"execution_id\":\"%s\",\"step_id\":\"%s\",\"step_type\":\"%s\","
			"\"command_slug\":\"%s\",\"fragment_id\":null,"
			"\"duration_ms\":%.6f,\"mutations_count\":%" PRIu64 ",\"dry_run\":false,"
			"\"outcome\":\"success\",\"user_id\":\"%s\",\"timestamp\":\"%s.%09" PRIu64
			"Z\","
			"\"monotonic_ns\":%" PRIu64 ",\"step\":{\"name\":\"%s\",\"index\":%u}}\n",
			words->execution, words->execution, words->step, "DatabaseUpdateStep",
			"fragment.update", (double)(words->ns - start_ns) / 1e6,
			(uint64_t)step->mutations_count, "local-default", words->time,
			words->ns % 1000000000, words->ns, "set-title", step->index);
}

/* ---- the ways */

static void by_probes(struct steptrace_step *step)
{
	steptrace_step_begin(step);
	step->mutations_count = 1;
	steptrace_step_end(step, STEPTRACE_SUCCESS);
}

static void by_stdio(struct steptrace_step *step)
{
	uint64_t start_ns = now_ns();
	char line[LINE_BYTES];
	struct words words;

	put_words(&words);
	fwrite(line, 1, (size_t)print_line(line, step, &words, start_ns), file);
}

static void by_write(struct steptrace_step *step)
{
	uint64_t start_ns = now_ns();
	char line[LINE_BYTES];
	struct words words;

	put_words(&words);
	if (write(fd, line, (size_t)print_line(line, step, &words, start_ns)) < 0)
		exit(1);
}

static void by_cjson(struct steptrace_step *step)
{
	uint64_t start_ns = now_ns();
	cJSON *event = cJSON_CreateObject(), *inner;
	struct words words;
	char time[64], *text;

	put_words(&words);
	snprintf(time, sizeof(time), "%s.%09" PRIu64 "Z", words.time, words.ns % 1000000000);
	cJSON_AddStringToObject(event, "event", "dsl.step.executed");
	cJSON_AddStringToObject(event, "correlation_id", words.execution);
	cJSON_AddStringToObject(event, "execution_id", words.execution);
	cJSON_AddStringToObject(event, "step_id", words.step);
	cJSON_AddStringToObject(event, "step_type", "DatabaseUpdateStep");
	cJSON_AddStringToObject(event, "command_slug", "fragment.update");
	cJSON_AddNullToObject(event, "fragment_id");
	cJSON_AddNumberToObject(event, "duration_ms", (double)(words.ns - start_ns) / 1e6);
	cJSON_AddNumberToObject(event, "mutations_count", (double)step->mutations_count);
	cJSON_AddBoolToObject(event, "dry_run", 0);
	cJSON_AddStringToObject(event, "outcome", "success");
	cJSON_AddStringToObject(event, "user_id", "local-default");
	cJSON_AddStringToObject(event, "timestamp", time);
	cJSON_AddNumberToObject(event, "monotonic_ns", (double)words.ns);
	inner = cJSON_AddObjectToObject(event, "step");
	cJSON_AddStringToObject(inner, "name", "set-title");
	cJSON_AddNumberToObject(inner, "index", step->index);
	text = cJSON_PrintUnformatted(event);
	fputs(text, file);
	putc('\n', file);
	free(text);
	cJSON_Delete(event);
}

#ifdef WITH_LTTNG
static void by_lttng(struct steptrace_step *step)
{
	uint64_t start_ns = now_ns();

	ids.step[1]++;
	lttng_ust_tracepoint(steptrace_bench, step, ids.execution, (const uint8_t *)ids.step,
			     now_ns() - start_ns, step->index);
}
#endif

struct way {
	const char *name;
	void (*step)(struct steptrace_step *step);
};

static const struct way ways[] = {
	{"probes", by_probes}, {"stdio", by_stdio}, {"write", by_write}, {"cjson", by_cjson},
#ifdef WITH_LTTNG
	{"lttng", by_lttng},
#endif
};

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	return NULL;
}

static double measure(const struct way *way, long count)
{
	struct steptrace_command command;
	struct steptrace_step step;
	uint64_t start_ns;

	steptrace_command_init(&command, "fragment.update");
	command.user_id = "local-default";
	steptrace_command_begin(&command);
	start_ns = used_ns();
	for (long i = 0; i < count; i++) {
		steptrace_step_init(&step, &command, "DatabaseUpdateStep");
		step.name = "set-title";
		step.index = (uint16_t)i;
		way->step(&step);
	}
	start_ns = used_ns() - start_ns;
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	return (double)start_ns / (double)count;
}

int main(int argc, char **argv)
{
	const struct way *way = argc > 1 ? find_way(argv[1]) : NULL;
	char line[64];

	if (!way)
		return 2;
	if (argc > 2) {
		fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		file = fd >= 0 ? fdopen(fd, "a") : NULL;
		if (!file || setvbuf(file, NULL, _IOFBF, 65536))
			return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		printf("%.1f\n", measure(way, strtol(line, NULL, 10)));
		fflush(stdout);
	}
	return 0;
}
