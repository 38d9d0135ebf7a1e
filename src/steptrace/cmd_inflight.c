// SPDX-License-Identifier: BSD-2-Clause
/* steptrace inflight: the help and the running. inflight_options.c parses the command line, the
 * room inflight/ looks and reports, the room seen/ attaches, inflight_notes.c says what was not
 * seen. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/options.h"
#include "common/terminal.h"
#include "steptrace/command_line.h"
#include "steptrace/commands.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"
#include "steptrace/inflight/inflight_report.h"
#include "steptrace/inflight_notes.h"
#include "steptrace/inflight_options.h"
#include "steptrace/seen/seen_open.h"

static void print_help(void)
{
	printf("usage: steptrace inflight [-a] [OPTIONS]\n"
	       "       steptrace inflight -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace inflight -x PATH [OPTIONS]\n\n"
	       "Shows the commands and steps that are executing now, also those that began\n"
	       "before steptrace was started. The oldest command comes first. steptrace reads\n"
	       "the memory of the runners. steptrace does not stop a process. steptrace does not\n"
	       "attach to probes; --attach does, for runners with an older steptrace.h.\n\n"
	       "Each row shows an innermost open step, or a command without an open step. AGE is\n"
	       "the age of the command. '>' means \"at least\": no tracer was attached when the\n"
	       "command began, so only a lower bound of its age is known. THREAD, STATE and\n"
	       "WAITS IN are known if the struct of the step is on the stack of a thread.\n");
	inflight_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. A number without a\n"
	       "unit is a number of seconds.\n\n"
	       "Exit status: 0 no error, 1 an error occurred, 2 wrong usage, 3 a command is\n"
	       "older than the TIME of --older-than. With --older-than, the status is also 1 if\n"
	       "no such command was found, and a runner could not be read or not completely.\n"
	       "Memory that is swapped out does not count.\n\n"
	       "examples:\n"
	       "  sudo steptrace inflight\n"
	       "  sudo steptrace inflight -p 4711 --stack\n"
	       "  sudo steptrace inflight --older-than 5m --json\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

/* ---- signals with --watch and --attach */

static volatile sig_atomic_t is_asked_to_end;

static void on_signal(int signal)
{
	(void)signal;
	is_asked_to_end = 1;
}

static void catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void leave_signals(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

/* False: a signal asked to end. The signals are blocked but in ppoll(), so that none is missed. */
static bool wait_for_next_look(uint64_t ns)
{
	const struct timespec pause = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
	sigset_t signals, before;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &before);
	if (!is_asked_to_end)
		ppoll(NULL, 0, &pause, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return !is_asked_to_end;
}

/* ---- progress on a terminal */

struct progress {
	bool is_shown, is_terminal;
	uint64_t next_ns;
};

static void report_progress(void *context, pid_t pid, uint64_t searched_bytes)
{
	struct progress *progress = context;
	uint64_t now_ns = clock__now_ns();

	if (!progress->is_terminal || now_ns < progress->next_ns)
		return;
	progress->next_ns = now_ns + 200000000;
	progress->is_shown = true;
	fprintf(stderr, "\r\033[Ksearching process %d: %llu MiB", pid,
		(unsigned long long)(searched_bytes >> 20));
}

static void end_progress(struct progress *progress)
{
	if (progress->is_shown)
		fprintf(stderr, "\r\033[K");
	progress->is_shown = false;
}

/* ---- one look */

/* A write that a signal interrupts ends it: nothing reads the output. */
static int write_out(const struct json *out, struct error *err)
{
	size_t bytes = json__length(out), done = 0;
	int code = fflush(stdout) ? -errno : 0;

	while (!code && done < bytes) {
		ssize_t written = write(STDOUT_FILENO, out->base + done, bytes - done);

		if (written > 0)
			done += (size_t)written;
		if (done < bytes && is_asked_to_end)
			return 0;
		if (written < 0 && errno != EINTR)
			code = -errno;
	}
	return code ? error__set(err, code, "cannot write to standard output: %s", strerror(-code))
		    : 0;
}

static int report(const struct inflight *inflight, const struct inflight_options *options,
		  struct error *err)
{
	const struct text_style style = {
		.columns = terminal__columns(STDOUT_FILENO, TEXT_COLUMNS),
		.has_colours = isatty(STDOUT_FILENO) && terminal__wants_colours(),
	};
	const struct clock_pair now = clock__read_pair();
	struct clock_anchor clock;
	struct json out;
	int code = json__init(&out, 1 << 16);

	clock_anchor__init(&clock, &now);
	if (!code && options->is_json)
		code = inflight__json(&out, inflight, options, &clock);
	else if (!code)
		code = inflight__text(&out, inflight, options, &style);
	code = code ? error__set(err, code, "out of memory") : write_out(&out, err);
	json__free(&out);
	return code;
}

/* What a look needs. */
struct looking {
	struct inflight_search search;
	struct seen_open seen; /* with --attach */
	struct seen_source source;
	bool has_lost_sight; /* the tracer of --attach failed */
};

/* What runs without --attach is still shown. */
static void lose_sight(struct looking *looking, const struct error *err)
{
	log__error("--attach: %s", err->text);
	looking->has_lost_sight = true;
	seen_open__close(&looking->seen);
	looking->source = seen_open__source(&looking->seen);
}

/* Asks the tracer of --attach, then looks. */
static int collect(struct looking *looking, struct inflight *inflight,
		   const struct search_progress *progress, struct error *err)
{
	struct error failure;

	if (looking->source.since_ns && seen_open__ask(&looking->seen, &failure))
		lose_sight(looking, &failure);
	return inflight__collect(inflight, &looking->search, progress, err);
}

static void say_lost(const struct looking *looking)
{
	if (looking->seen.lost)
		log__warn("%llu events were lost since steptrace attached: commands and steps that "
			  "may have ended are not shown",
			  (unsigned long long)looking->seen.lost);
}

static int look(struct looking *looking, struct error *err)
{
	struct progress shown = {
		.is_terminal = isatty(STDERR_FILENO) == 1,
		.next_ns = clock__now_ns() + 1000000000,
	};
	const struct search_progress progress = {report_progress, &shown};
	const struct inflight_search *search = &looking->search;
	struct inflight inflight;
	int status = STATUS_FAILED;
	int code = collect(looking, &inflight, &progress, err);

	end_progress(&shown);
	inflight.left_out += looking->seen.left_out;
	if (!code)
		code = report(&inflight, search->options, err);
	if (!code) {
		inflight_notes__say(&inflight, search);
		say_lost(looking);
		status = inflight_notes__status(&inflight, search);
		if (status == STATUS_DONE && looking->has_lost_sight)
			status = STATUS_FAILED;
	}
	inflight__free(&inflight);
	inflight_search__forget(&looking->search);
	return status;
}

/* ---- again and again */

/* Returns the status of the last look. */
static int look_again(struct looking *looking, struct error *err)
{
	const struct inflight_options *options = looking->search.options;
	bool is_screen = !options->is_json && isatty(STDOUT_FILENO);
	int status;

	catch_signals();
	do {
		if (is_screen)
			printf("\033[H\033[J");
		status = look(looking, err);
		if (!err->text[0] && !is_screen && !options->is_json)
			printf("\n");
	} while (!err->text[0] && wait_for_next_look(options->watch_ns));
	return status;
}

/* ---- to runners whose memory cannot be searched */

static void attach(struct looking *looking, const struct inflight *inflight)
{
	const struct inflight_options *options = looking->search.options;
	struct error err;

	if (seen_open__attach(&looking->seen, inflight->blind, inflight->blind_count,
			      options->targets.no_children, &err)) {
		lose_sight(looking, &err);
		return;
	}
	catch_signals();
	log__info("attached to %zu runners with an older or newer steptrace.h for %.6g s",
		  looking->seen.targets.pids_count, (double)options->attach_ns / 1e9);
	looking->source = seen_open__source(&looking->seen);
	wait_for_next_look(
		options->attach_ns); /* Ctrl-C: the look comes now, a second one ends it */
	if (!options->watch_ns)
		leave_signals();
}

static int attach_where_needed(struct looking *looking, struct error *err)
{
	struct inflight inflight;
	int code;

	looking->search.only_headers = true;
	code = inflight__collect(&inflight, &looking->search, NULL, err);
	looking->search.only_headers = false;
	if (!code && inflight.blind_count)
		attach(looking, &inflight);
	if (!code && !inflight.blind_count)
		log__info("no runner has an older or newer steptrace.h: steptrace did not attach");
	if (code || !inflight.blind_count)
		seen_open__close(&looking->seen);
	inflight__free(&inflight);
	return code;
}

static int give_up_privileges(const struct inflight_options *options, struct error *err)
{
	const struct privilege_needs needs = {
		.only_memory = true,
		.reads_memory = true,
		.reads_stacks = options->has_stacks,
	};
	int code = privilege__drop(&needs, err);

	return code ? code : seccomp__confine(&needs, err);
}

static int open_all(struct looking *looking, struct inflight_options *options, struct error *err)
{
	int code = inflight_search__open(&looking->search, options, err);

	if (!code && options->attach_ns) {
		options->seen = &looking->source;
		code = seen_open__start(&looking->seen, err);
		looking->source = seen_open__source(&looking->seen);
	}
	inflight_notes__choose_advice();
	return code ? code : give_up_privileges(options, err);
}

static int run(struct inflight_options *options, struct error *err)
{
	struct looking looking = {.seen = {.fd = -1}};
	int status = STATUS_FAILED;
	int code = open_all(&looking, options, err);

	if (!code && options->has_stacks)
		inflight_notes__say_if_stacks_are_hidden();
	if (!code && options->attach_ns)
		code = attach_where_needed(&looking, err);
	if (!code)
		status = options->watch_ns ? look_again(&looking, err) : look(&looking, err);
	seen_open__close(&looking.seen);
	inflight_search__close(&looking.search);
	return status;
}

int cmd_inflight(int argc, char **argv)
{
	struct inflight_options options;
	struct error err = {""};
	int status;

	if (!command_line__is_work(inflight_options__parse(&options, argc, argv, &err), print_help,
				   &err, &status))
		return status;
	return command_line__end(run(&options, &err), &err);
}
