// SPDX-License-Identifier: BSD-2-Clause
/* steptrace inflight: the help, the running and the exit status. inflight_options.c parses the
 * command line, the room inflight/ looks and reports. */
#include <errno.h>
#include <linux/capability.h>
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
#include "steptrace/commands.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"
#include "steptrace/inflight/inflight_report.h"
#include "steptrace/inflight_options.h"

/* Something is older than --older-than. */
enum { STATUS_OLDER = 3 };

static void print_help(void)
{
	printf("usage: steptrace inflight [-a] [OPTIONS]\n"
	       "       steptrace inflight -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace inflight -x PATH [OPTIONS]\n\n"
	       "Shows the commands and steps that are executing now, also those that began\n"
	       "before steptrace was started. The oldest command comes first. steptrace reads\n"
	       "the memory of the runners. steptrace does not attach to probes, and does not\n"
	       "stop a process.\n\n"
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

/* ---- signals with --watch */

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

/* ---- what is said beside the table */

/* Chosen while the process still has the rights that it was started with. */
static const char *advice = "";

static void choose_advice(void)
{
	if (privilege__holds(CAP_SYS_PTRACE))
		advice = "";
	else if (geteuid() == 0)
		advice = " (CAP_SYS_PTRACE is missing)";
	else
		advice = " (CAP_SYS_PTRACE is missing; run it as root to see all)";
}

static void say_if_stacks_are_hidden(void)
{
	int code = thread__check_stacks();

	if (code)
		log__info("kernel stacks cannot be read: %s (needs CAP_SYS_ADMIN)",
			  strerror(-code));
}

/* Runners of which nothing could be read. */
static uint64_t blind_count(const struct inflight *inflight)
{
	return inflight->unreadable + inflight->older_headers + inflight->newer_headers;
}

static void say_what_is_missing(const struct inflight *inflight,
				const struct inflight_options *options)
{
	if (inflight->older_headers)
		log__info("%llu of %llu runners were built with an older steptrace.h: what they "
			  "have open cannot be found (steptrace top shows what begins from now on)",
			  (unsigned long long)inflight->older_headers,
			  (unsigned long long)inflight->runners);
	if (inflight->newer_headers)
		log__info("%llu of %llu runners were built with a steptrace.h that is newer than "
			  "this steptrace: what they have open cannot be found (install a newer "
			  "steptrace)",
			  (unsigned long long)inflight->newer_headers,
			  (unsigned long long)inflight->runners);
	if (inflight->too_large)
		log__info("the memory of %llu processes was not searched completely: they map more "
			  "than 256 GiB",
			  (unsigned long long)inflight->too_large);
	if (inflight->partial > inflight->too_large)
		log__info("the memory of %llu processes was not searched completely: the limit is "
			  "%llu MiB (--scan)",
			  (unsigned long long)(inflight->partial - inflight->too_large),
			  (unsigned long long)(options->scan_bytes >> 20));
	if (inflight->revisited)
		log__info("of %llu of %llu runners, only the stacks of the threads were searched, "
			  "and the pages where commands or steps were found before (their whole "
			  "memory is searched about every %.1f s)",
			  (unsigned long long)inflight->revisited,
			  (unsigned long long)inflight->runners,
			  (double)inflight->whole_period_ns / 1e9);
	if (inflight->swapped_bytes)
		log__info("%.1f MiB of the memory of runners are swapped out and were not "
			  "searched: what is open there is not shown",
			  (double)inflight->swapped_bytes / 1048576);
	if (inflight->left_out)
		log__info("%llu commands or steps are not shown: there are too many",
			  (unsigned long long)inflight->left_out);
	if (inflight->invalid)
		log__info("%llu tags were ignored: no open command or step is there",
			  (unsigned long long)inflight->invalid);
	if (inflight->unseen && !options->targets.pids_count)
		log__info("%llu processes could not be looked at: permission denied%s",
			  (unsigned long long)inflight->unseen, advice);
}

static void say_what_is_unknown(const struct inflight *inflight,
				const struct inflight_search *search)
{
	size_t unknown = 0;

	for (size_t i = 0; i < inflight->rows_count; i++)
		unknown += !inflight->rows[i].command_age.is_known;
	if (!search->times && (unknown || inflight->ageless))
		log__info("ages of commands that began without a tracer are not known: %s",
			  search->why.text);
}

/* Whether a command may be older than --older-than although no row says so. */
static bool may_be_older(const struct inflight *inflight, const struct inflight_search *search)
{
	if (!search->options->older_than_ns)
		return false;
	return blind_count(inflight) || inflight->partial || inflight->left_out ||
	       (inflight->ageless && !search->times);
}

static void say_nothing_open(const struct inflight *inflight, const struct inflight_search *search)
{
	const struct inflight_options *options = search->options;
	char older[64] = "";

	if (inflight->runners == 0 && options->targets.pids_count)
		return; /* that is an error */
	if (inflight->runners && blind_count(inflight) >= inflight->runners)
		return; /* nothing was looked at */
	if (may_be_older(inflight, search))
		return; /* that is not known */
	if (options->older_than_ns)
		snprintf(older, sizeof(older), " for %.6g s or longer",
			 (double)options->older_than_ns / 1e9);
	if (inflight->revisited)
		log__info(
			"no open command was found%s in what was searched (runners: %llu, searched "
			"memory: %.1f MiB)",
			older, (unsigned long long)inflight->runners,
			(double)inflight->searched_bytes / 1048576);
	else if (inflight->runners)
		log__info("no command is open%s%s (runners: %llu, searched memory: %.1f MiB)",
			  inflight->swapped_bytes ? " in the memory that is not swapped out" : "",
			  older, (unsigned long long)inflight->runners,
			  (double)inflight->searched_bytes / 1048576);
	else
		log__info("no %sprocess contains steptrace probes",
			  options->targets.exes_count ? "such " : "");
}

/* ---- the exit status */

static int status_of(const struct inflight *inflight, const struct inflight_search *search)
{
	const struct inflight_options *options = search->options;
	uint64_t blind = blind_count(inflight);

	if (inflight->unreadable) {
		log__error("%s", inflight->first_failure.text);
		if (inflight->unreadable > 1)
			log__error("%llu further runners could not be read",
				   (unsigned long long)(inflight->unreadable - 1));
	}
	if (inflight->runners + inflight->unreadable == 0 && options->targets.pids_count) {
		log__error("process %d runs nothing with steptrace probes",
			   options->targets.pids[0]);
		return STATUS_FAILED;
	}
	if (options->older_than_ns && inflight->rows_count)
		return STATUS_OLDER;
	if (inflight->unreadable && options->targets.pids_count)
		return STATUS_FAILED;
	if (may_be_older(inflight, search))
		return STATUS_FAILED;
	return blind && blind >= inflight->runners ? STATUS_FAILED : STATUS_DONE;
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

static int look(struct inflight_search *search, struct error *err)
{
	struct progress shown = {
		.is_terminal = isatty(STDERR_FILENO) == 1,
		.next_ns = clock__now_ns() + 1000000000,
	};
	const struct search_progress progress = {report_progress, &shown};
	struct inflight inflight;
	int status = STATUS_FAILED;
	int code = inflight__collect(&inflight, search, &progress, err);

	end_progress(&shown);
	if (!code)
		code = report(&inflight, search->options, err);
	if (!code) {
		if (inflight.rows_count == 0 && !inflight.unreadable)
			say_nothing_open(&inflight, search);
		say_what_is_missing(&inflight, search->options);
		say_what_is_unknown(&inflight, search);
		status = status_of(&inflight, search);
	}
	inflight__free(&inflight);
	inflight_search__forget(search);
	return status;
}

/* ---- again and again */

/* Returns the status of the last look. */
static int look_again(struct inflight_search *search, struct error *err)
{
	bool is_screen = !search->options->is_json && isatty(STDOUT_FILENO);
	int status;

	catch_signals();
	do {
		if (is_screen)
			printf("\033[H\033[J");
		status = look(search, err);
		if (!err->text[0] && !is_screen && !search->options->is_json)
			printf("\n");
	} while (!err->text[0] && wait_for_next_look(search->options->watch_ns));
	return status;
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

static int run(const struct inflight_options *options, struct error *err)
{
	struct inflight_search search;
	int status = STATUS_FAILED;
	int code = inflight_search__open(&search, options, err);

	choose_advice();
	if (!code)
		code = give_up_privileges(options, err);
	if (!code && options->has_stacks)
		say_if_stacks_are_hidden();
	if (!code)
		status = options->watch_ns ? look_again(&search, err) : look(&search, err);
	inflight_search__close(&search);
	return status;
}

int cmd_inflight(int argc, char **argv)
{
	struct inflight_options options;
	struct error err = {""};
	int status;

	switch (inflight_options__parse(&options, argc, argv, &err)) {
	case OPTION_HELP: print_help(); return STATUS_DONE;
	case OPTION_BAD: log__error("%s", err.text); return STATUS_USAGE;
	default: break;
	}
	status = run(&options, &err);
	if (err.text[0])
		log__error("%s", err.text);
	return status;
}
