// SPDX-License-Identifier: BSD-2-Clause
/* steptrace top: the help and the exit status, and what connects the room top/ (events to pages)
 * with the room screen/ (pages to a terminal). top_options.c parses the command line, the room
 * record/ runs it. */
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/command_line.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/record/recording.h"
#include "steptrace/screen/screen.h"
#include "steptrace/top_options.h"

#define MESSAGE_NS 5000000000ull /* how long a message stays on the screen */

static void print_help(void)
{
	printf("usage: steptrace top [-a] [OPTIONS]\n"
	       "       steptrace top -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace top -x PATH [OPTIONS]\n"
	       "       steptrace top --once [-x PATH] [OPTIONS] -- PROGRAM [ARGS...]\n\n"
	       "Attaches to runners and shows, live, how long their commands take. Each command\n"
	       "has one row. Enter shows the steps of a command, ? shows the keys, q quits.\n\n"
	       "The columns show\n"
	       "  RATE/s, COUNT  how many executions ended, per second and in total\n"
	       "  P50, P99       percentiles: half of the durations are at most P50 long\n"
	       "  MAX            the longest duration\n"
	       "  FAILED         how many executions failed or were aborted\n"
	       "  OPEN           how many executions have begun and have not ended\n"
	       "  OLDEST         how long the oldest open execution has been open\n"
	       "OPEN contains what began before steptrace was attached, too: steptrace reads it\n"
	       "from the memory of the runners.\n\n"
	       "With --breakdown, there are two more columns:\n"
	       "  CPU            the share of the time on a CPU\n"
	       "  WAITS FOR      what blocked for the longest time, and its share\n\n"
	       "Targets and filters are those of steptrace record.\n");
	top_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. A number without a\n"
	       "unit is a number of seconds.\n\n"
	       "Exit status: 0 no error, 1 steptrace failed, 2 wrong usage, or no terminal. With\n"
	       "-- PROGRAM: the exit status of PROGRAM. It is 1 instead in two cases:\n"
	       "steptrace failed; or PROGRAM exited with 0, but neither PROGRAM nor a program\n"
	       "that it started has probes.\n\n"
	       "examples:\n"
	       "  sudo steptrace top\n"
	       "  sudo steptrace top -p 4711 --sort oldest\n"
	       "  sudo steptrace top --command 'mail.*' --interval 2s\n"
	       "  sudo steptrace top --once --duration 10s --sort failed\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

/* ---- what the recording calls */

struct live {
	const struct top_request *request;
	struct top top;
	struct screen *screen;  /* NULL: --once, or not open */
	uint64_t drawn_ns;      /* when the numbers were made */
	unsigned long messages; /* that were there */
	uint64_t message_ns;    /* when the newest came */
	bool failed;            /* there was no memory for the page of --once */
};

/* The newest message, while it is new. */
static const char *message_of(struct live *live, uint64_t now_ns, char *text, size_t bytes)
{
	unsigned long count = log__held(text, bytes);

	if (count != live->messages) {
		live->messages = count;
		live->message_ns = now_ns;
	}
	return text[0] && now_ns - live->message_ns < MESSAGE_NS ? text : NULL;
}

static void draw(struct live *live, uint64_t now_ns)
{
	unsigned int width, height;
	char message[512];

	screen__size(live->screen, &width, &height);
	screen__draw(live->screen, top__page(&live->top, width, height,
					     message_of(live, now_ns, message, sizeof(message))));
}

static void on_event(void *context, const struct event *event)
{
	struct live *live = context;

	top__on_event(&live->top, event);
}

/* ---- what is open, from the memory of the runners */

static bool is_due(void *context, uint64_t now_ns)
{
	const struct live *live = context;

	return !live->drawn_ns || now_ns - live->drawn_ns >= live->request->interval_ns;
}

static void expect_look(void *context)
{
	top__expect_look(&((struct live *)context)->top);
}

static void begin_look(void *context)
{
	top__begin_look(&((struct live *)context)->top);
}

static void add_open(void *context, const struct open_item *item)
{
	top__add_open(&((struct live *)context)->top, item);
}

static void end_look(void *context, bool is_complete)
{
	(void)context;
	(void)is_complete;
}

/* ---- pages */

/* Everything that --once prints. */
static void write_page(struct live *live, struct stream *stream)
{
	const struct page *page = top__page_once(&live->top, stream__options(stream)->text.columns);
	struct lines *lines = stream__lines(stream);
	size_t before = lines__bytes(lines);
	struct strbuf text;

	strbuf__init(&text, SIZE_MAX);
	page__lines(page, &text);
	live->failed = page->is_incomplete || text.err || json__reserve(&lines->text, text.length);
	if (!live->failed) {
		json__bytes(&lines->text, text.text, text.length);
		live->failed = lines__mark_own(lines, before);
	}
	strbuf__free(&text);
}

static void on_time(void *context, struct stream *stream, uint64_t now_ns, bool is_end)
{
	struct live *live = context;

	if (is_end && live->request->top.is_once) {
		top__finish(&live->top, stream);
		write_page(live, stream);
	}
	if (is_end || (live->drawn_ns && now_ns - live->drawn_ns < live->request->interval_ns))
		return;
	live->drawn_ns = now_ns;
	top__update(&live->top, stream, now_ns);
	if (live->screen)
		draw(live, now_ns);
}

static void close_screen(struct live *live)
{
	screen__close(live->screen);
	live->screen = NULL;
	log__release();
}

/* For --once: what is open now. The probes are detached next, and no end is seen after that. */
static void on_stop(void *context, struct stream *stream, uint64_t now_ns)
{
	struct live *live = context;

	top__update(&live->top, stream, now_ns);
	close_screen(live);
}

static int open_screen(void *context, struct error *err)
{
	struct live *live = context;
	int code = screen__open(&live->screen, err);

	if (code)
		return code;
	log__hold();
	return screen__fd(live->screen);
}

static bool on_input(void *context, struct stream *stream, uint64_t now_ns)
{
	struct live *live = context;
	bool goes_on = true;
	enum screen_news news;
	uint32_t key;

	while (goes_on && (news = screen__next(live->screen, &key)) != SCREEN_NOTHING) {
		if (news == SCREEN_GONE)
			return false;
		if (news == SCREEN_KEY)
			goes_on = top__press(&live->top, stream, now_ns, key);
	}
	draw(live, now_ns);
	return goes_on;
}

/* ---- running */

static int run(struct top_request *request, struct error *err)
{
	static const struct reader_input input = {true, open_screen, on_input};
	const struct open_items_reader open = {
		.subject = "steptrace top",
		.is_due = is_due,
		.looks_at_end = request->top.is_once,
		.asked = expect_look,
		.begin = begin_look,
		.add = add_open,
		.end = end_look,
	};
	struct live live = {.request = request};
	const struct event_reader reader = {
		.on_event = on_event,
		.on_time = on_time,
		.on_stop = on_stop,
		.context = &live,
		.input = request->top.is_once ? NULL : &input,
		.open = request->session.watch.filters.only_failed ? NULL : &open,
	};
	int status = STATUS_FAILED;

	request->session.reader = &reader;
	if (top__open(&live.top, &request->top))
		error__set(err, -1, "out of memory");
	else
		status = recording__run(&request->session, err);
	close_screen(&live);
	if (live.failed)
		log__error("there was no memory for the table");
	top__close(&live.top);
	return live.failed ? STATUS_FAILED : status;
}

/* --cgroup looks at the path. */
static int parse(struct top_request *request, int argc, char **argv, struct error *err)
{
	struct caller_rights saved;
	int result;

	if (caller_rights__use(&saved, err))
		return OPTION_BAD;
	result = top_options__parse(request, argc, argv, err);
	caller_rights__end(&saved);
	return result;
}

int cmd_top(int argc, char **argv)
{
	struct top_request request;
	struct error err = {""};
	int status;

	if (!command_line__is_work(parse(&request, argc, argv, &err), print_help, &err, &status))
		return status;
	return command_line__end(run(&request, &err), &err);
}
