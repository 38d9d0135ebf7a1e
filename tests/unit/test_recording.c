// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "steptrace/recording/recording_reader.h"

static char folder[] = "/tmp/steptrace-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char paths[8][64];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static const char *write_bytes(const char *name, const char *text, size_t bytes)
{
	const char *path = path_of(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
	return path;
}

static const char *write_file(const char *name, const char *text)
{
	return write_bytes(name, text, strlen(text));
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

/* ---- lines */

#define AT(second)          "\"timestamp\":\"2026-11-24T09:00:" second ".000000000Z\""
#define EVENT(name, second) "{\"event\":\"" name "\"," AT(second) "}\n"
#define PART(second, part)  "{\"event\":\"trace.started\"," AT(second) ",\"part\":" part "}\n"
#define NAMED(name)         "{\"event\":\"" name "\"}\n"

/* What was read: the names of the events with a blank behind each, and the counts. */
struct outcome {
	char names[1024];
	int code;
	struct error err;
	struct recording_counts counts;
};

static void note_name(struct outcome *outcome, const struct recorded_event *event)
{
	size_t bytes = strlen(outcome->names);

	snprintf(outcome->names + bytes, sizeof(outcome->names) - bytes, "%.*s ",
		 (int)event->event_name.bytes, event->event_name.text);
	assert_memory_equal(event->line.text, "{", 1);
	assert_int_equal(event->line.bytes, event->place.line_bytes);
}

static struct outcome read_all(const char *const *paths, size_t count)
{
	struct outcome outcome = {.names = ""};
	struct recording_reader *reader;
	struct recorded_event event;

	outcome.code = recording_reader__open(&reader, paths, count, &outcome.err);
	if (outcome.code)
		return outcome;
	while ((outcome.code = recording_reader__next(reader, &event, &outcome.err)) > 0)
		note_name(&outcome, &event);
	outcome.counts = *recording_reader__counts(reader);
	recording_reader__close(reader);
	return outcome;
}

static struct outcome read_text(const char *text, size_t bytes)
{
	const char *path = write_bytes("one", text, bytes);

	return read_all(&path, 1);
}

/* One reason, one line, and the events around it are there. */
static void expect_skip(const char *text, size_t bytes, enum recording_skip reason, uint64_t line,
			uint64_t byte)
{
	struct outcome outcome = read_text(text, bytes);

	assert_int_equal(outcome.code, 0);
	assert_string_equal(outcome.names, "a b ");
	for (int i = 0; i < RECORDING_SKIPS_COUNT; i++)
		assert_int_equal(outcome.counts.skipped[i], i == (int)reason);
	assert_int_equal(outcome.counts.first_skipped[reason].line, line);
	assert_int_equal(outcome.counts.first_skipped[reason].byte, byte);
	assert_int_equal(outcome.counts.events, 2);
	assert_int_equal(outcome.counts.lines, 3);
	assert_int_equal(outcome.counts.bytes, bytes);
}

#define EXPECT_SKIP(text, reason, line, byte)                                                      \
	expect_skip(text, sizeof(text) - 1, reason, line, byte)

static void lines_that_are_no_events(void **state)
{
	(void)state;
	EXPECT_SKIP(NAMED("a") "\n" NAMED("b"), RECORDING_EMPTY, 2, 14);
	EXPECT_SKIP(NAMED("a") " \t\r\n" NAMED("b"), RECORDING_EMPTY, 2, 14);
	EXPECT_SKIP(NAMED("a") "Nov 24 host kernel: x\n" NAMED("b"), RECORDING_NOT_JSON, 2, 14);
	EXPECT_SKIP(NAMED("a") "{\"ev{\"event\":\"c\"}\n" NAMED("b"), RECORDING_NOT_JSON, 2, 14);
	EXPECT_SKIP("ent\":\"z\"}\n" NAMED("a") NAMED("b"), RECORDING_NOT_JSON, 1, 0);
	EXPECT_SKIP(NAMED("a") "{\"level\":\"info\"}\n" NAMED("b"), RECORDING_NOT_EVENT, 2, 14);
	EXPECT_SKIP(NAMED("a") "\0\0\x7f"
			       "ELF\0\n" NAMED("b"),
		    RECORDING_BINARY, 2, 14);
	EXPECT_SKIP(NAMED("a") NAMED("b") "{\"event\":\"c", RECORDING_TORN, 3, 28);
}

static void a_last_line_without_newline_counts(void **state)
{
	static const char text[] = NAMED("a") "{\"event\":\"b\"}";
	struct outcome outcome = read_text(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(outcome.names, "a b ");
	assert_int_equal(outcome.counts.skipped[RECORDING_TORN], 0);
}

static void repeated_lines(void **state)
{
	static const char text[] =
		EVENT("a", "01") EVENT("b", "02") EVENT("a", "01") NAMED("c") NAMED("c");
	struct outcome outcome = read_text(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(outcome.names, "a b c c ");
	assert_int_equal(outcome.counts.skipped[RECORDING_REPEATED], 1);
	assert_int_equal(outcome.counts.first_skipped[RECORDING_REPEATED].line, 3);
	assert_int_equal(outcome.counts.backwards, 0);
}

/* The window is exact: the line of WINDOW events before is told, the one before that is not. */
static void the_window_of_repeated_lines(void **state)
{
	char *text = malloc((size_t)(RECORDING_WINDOW_LINES + 8) * 80), *to = text;
	static const char again[] =
		"{\"event\":\"a\",\"timestamp\":\"2026-11-24T09:00:00Z\",\"n\":%d}\n";
	struct outcome outcome;

	(void)state;
	for (int i = 0; i <= RECORDING_WINDOW_LINES; i++)
		to += sprintf(to, again, i);
	to += sprintf(to, again, 1);
	to += sprintf(to, again, 0);
	to += sprintf(to, again, 1);
	outcome = read_text(text, (size_t)(to - text));
	free(text);
	assert_int_equal(outcome.counts.skipped[RECORDING_REPEATED], 1);
	assert_int_equal(outcome.counts.first_skipped[RECORDING_REPEATED].line,
			 RECORDING_WINDOW_LINES + 2);
	assert_int_equal(outcome.counts.events, RECORDING_WINDOW_LINES + 3);
}

static void time_that_runs_backwards(void **state)
{
	static const char text[] = EVENT("a", "05") EVENT("b", "02") NAMED("c") EVENT("d", "01");
	struct outcome outcome = read_text(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(outcome.names, "a b c d ");
	assert_int_equal(outcome.counts.backwards, 2);
	assert_true(outcome.counts.backwards_ns == 3000000000);
	assert_int_equal(outcome.counts.first_backwards.line, 2);
}

static void odd_and_foreign_forms(void **state)
{
	static const char text[] = "{ \"event\" : \"a\" }\r\n{\"event\":\"b\",\"lost\":[]}\n";
	struct outcome outcome = read_text(text, sizeof(text) - 1);

	(void)state;
	assert_string_equal(outcome.names, "a b ");
	assert_int_equal(outcome.counts.slow_lines, 1);
	assert_int_equal(outcome.counts.odd_lines, 1);
	assert_int_equal(outcome.counts.first_odd.line, 2);
	assert_int_equal(outcome.counts.events_other, 2);
}

/* 100 MB without a newline, in memory that is much smaller. */
static void a_very_long_line(void **state)
{
	const char *path = path_of("long");
	struct outcome outcome;
	struct rusage before, after;
	FILE *file = fopen(path, "we");

	(void)state;
	fputs(NAMED("a"), file);
	fflush(file);
	assert_int_equal(ftruncate(fileno(file), 100 << 20), 0);
	fseek(file, 100 << 20, SEEK_SET);
	fputs("\n" NAMED("b"), file);
	fclose(file);
	getrusage(RUSAGE_SELF, &before);
	outcome = read_all(&path, 1);
	getrusage(RUSAGE_SELF, &after);
	unlink(path);
	assert_string_equal(outcome.names, "a b ");
	assert_int_equal(outcome.counts.skipped[RECORDING_TOO_LONG], 1);
	assert_int_equal(outcome.counts.first_skipped[RECORDING_TOO_LONG].line_bytes,
			 (100 << 20) - 14);
	assert_true(after.ru_maxrss - before.ru_maxrss < 32 << 10);
}

/* A line of the greatest length is an event; one byte more is too much. */
static void the_longest_line(void **state)
{
	enum { MORE = 32 };
	char *text = malloc(RECORDING_LINE_BYTES_MAX + MORE);

	(void)state;
	for (int more = 0; more <= 1; more++) {
		size_t bytes = (size_t)(RECORDING_LINE_BYTES_MAX + more);
		struct outcome outcome;

		memset(text, 'x', bytes);
		memcpy(text, "{\"x\":\"", 6);
		memcpy(text + bytes - 15, "\",\"event\":\"aa\"}", 15);
		text[bytes] = '\n';
		outcome = read_text(text, bytes + 1);
		assert_int_equal(outcome.counts.events, !more);
		assert_int_equal(outcome.counts.skipped[RECORDING_TOO_LONG], more);
	}
	free(text);
}

/* ---- files */

static void no_lines(void **state)
{
	const char *path = write_file("empty", "");
	struct outcome outcome = read_all(&path, 1);

	(void)state;
	assert_int_equal(outcome.code, 0);
	assert_int_equal(outcome.counts.files_empty, 1);
	assert_int_equal(outcome.counts.lines, 0);
}

static void parts_are_sorted(void **state)
{
	const char *paths[4];
	struct outcome outcome;

	(void)state;
	paths[0] = write_file("p10", PART("01", "10") NAMED("d"));
	paths[1] = write_file("undated", NAMED("e"));
	paths[2] = write_file("p2", PART("01", "2") NAMED("c"));
	paths[3] = write_file("earlier", PART("00", "7") NAMED("b"));
	outcome = read_all(paths, 4);
	assert_string_equal(outcome.names, "trace.started b trace.started c trace.started d e ");
	assert_int_equal(outcome.counts.files, 4);
}

static void a_copy_is_left_out(void **state)
{
	const char *paths[3];
	struct outcome outcome;

	(void)state;
	paths[0] = write_file("p1", PART("01", "1") NAMED("a"));
	paths[1] = write_file("p2", PART("01", "2") NAMED("b"));
	paths[2] = write_file("copy", PART("01", "1") NAMED("a"));
	outcome = read_all(paths, 3);
	assert_string_equal(outcome.names, "trace.started a trace.started b ");
	assert_int_equal(outcome.counts.files_copied, 1);
	assert_string_equal(outcome.counts.first_copied.file, paths[2]);
}

static void expect_refusal(const char *path, const char *words)
{
	struct outcome outcome = read_all(&path, 1);

	assert_true(outcome.code < 0);
	assert_non_null(strstr(outcome.err.text, words));
}

static void files_that_are_refused(void **state)
{
	(void)state;
	expect_refusal(write_file("text", "TIME (UTC)     PID  ID\n"), "compact format");
	expect_refusal(write_file("text", "20:15:31.482  4711  9f0c2ab1  x\n"), "compact format");
	expect_refusal(path_of("missing"), "cannot open");
	expect_refusal(folder, "is a directory");
}

/* ---- gzip */

static size_t add_member(unsigned char *to, size_t room, const char *text)
{
	z_stream stream = {.next_in = (unsigned char *)(uintptr_t)text,
			   .avail_in = (unsigned int)strlen(text),
			   .next_out = to,
			   .avail_out = (unsigned int)room};

	deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	return room - stream.avail_out;
}

static void members_of_gzip(void **state)
{
	unsigned char data[1024];
	size_t first = add_member(data, sizeof(data), NAMED("a") "{\"event\":");
	size_t both = first + add_member(data + first, sizeof(data) - first, "\"b\"}\n");
	struct outcome outcome = read_text((char *)data, both);

	(void)state;
	assert_string_equal(outcome.names, "a b ");
	assert_int_equal(outcome.counts.files_damaged, 0);
	outcome = read_text((char *)data, both - 9);
	assert_int_equal(outcome.counts.files_damaged, 1);
	outcome = read_text((char *)data, first + 1);
	assert_string_equal(outcome.names, "a ");
	assert_int_equal(outcome.counts.files_damaged, 1);
	assert_int_equal(outcome.counts.skipped[RECORDING_TORN], 1);
	memset(data + first, 'x', 9);
	outcome = read_text((char *)data, both);
	assert_string_equal(outcome.names, "a ");
	assert_int_equal(outcome.counts.files_damaged, 1);
	data[5] ^= 0xff;
	data[12] ^= 0xff;
	outcome = read_text((char *)data, first);
	assert_int_equal(outcome.code, 0);
}

/* A pipe that gives one byte at a time, with gzip data in it. */
static void standard_input(void **state)
{
	unsigned char data[256];
	size_t bytes = add_member(data, sizeof(data), NAMED("a") NAMED("b"));
	int ends[2], saved = dup(STDIN_FILENO);
	struct outcome outcome;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	dup2(ends[0], STDIN_FILENO);
	assert_int_equal(write(ends[1], data, bytes), (int)bytes);
	close(ends[1]);
	close(ends[0]);
	outcome = read_all(NULL, 0);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_string_equal(outcome.names, "a b ");
}

static void progress(void **state)
{
	const char *paths[2] = {write_file("x", NAMED("a")), write_file("y", NAMED("b"))};
	struct recording_reader *reader;
	struct recorded_event event;
	struct error err;
	uint64_t done, total;

	(void)state;
	assert_int_equal(recording_reader__open(&reader, paths, 2, &err), 0);
	recording_reader__progress(reader, &done, &total);
	assert_int_equal(done, 0);
	assert_int_equal(total, 28);
	while (recording_reader__next(reader, &event, &err) > 0)
		;
	recording_reader__progress(reader, &done, &total);
	assert_int_equal(done, 28);
	recording_reader__close(reader);
	recording_reader__close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_that_are_no_events),
		cmocka_unit_test(a_last_line_without_newline_counts),
		cmocka_unit_test(repeated_lines),
		cmocka_unit_test(the_window_of_repeated_lines),
		cmocka_unit_test(time_that_runs_backwards),
		cmocka_unit_test(odd_and_foreign_forms),
		cmocka_unit_test(a_very_long_line),
		cmocka_unit_test(the_longest_line),
		cmocka_unit_test(no_lines),
		cmocka_unit_test(parts_are_sorted),
		cmocka_unit_test(a_copy_is_left_out),
		cmocka_unit_test(files_that_are_refused),
		cmocka_unit_test(members_of_gzip),
		cmocka_unit_test(standard_input),
		cmocka_unit_test(progress),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
