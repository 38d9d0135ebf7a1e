// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight_notes.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/commands.h"
#include "steptrace/confine/privilege.h"

/* Something is older than --older-than. */
enum { STATUS_OLDER = 3 };

static const char *advice = "";

void inflight_notes__choose_advice(void)
{
	if (privilege__holds(CAP_SYS_PTRACE))
		advice = "";
	else if (geteuid() == 0)
		advice = " (CAP_SYS_PTRACE is missing)";
	else
		advice = " (CAP_SYS_PTRACE is missing; run it as root to see all)";
}

void inflight_notes__say_if_stacks_are_hidden(void)
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

/* ---- what is not shown */

static void say_other_headers(const struct inflight *inflight,
			      const struct inflight_options *options)
{
	const char *advice_of_older =
		options->seen ? "" : " (--attach 2s shows what they begin from now on)";
	uint64_t count = inflight->older_headers + inflight->newer_headers;

	if (inflight->older_headers)
		log__info("%llu of %llu runners were built with an older steptrace.h: what they "
			  "have open cannot be found in their memory%s",
			  (unsigned long long)inflight->older_headers,
			  (unsigned long long)inflight->runners, advice_of_older);
	if (inflight->newer_headers)
		log__info("%llu of %llu runners were built with a steptrace.h that is newer than "
			  "this steptrace: what they have open cannot be found in their memory "
			  "(install a newer steptrace)",
			  (unsigned long long)inflight->newer_headers,
			  (unsigned long long)inflight->runners);
	if (inflight->seen)
		log__info("steptrace attached to %llu of these runners %.1f s ago: only commands "
			  "that began or executed a step since then are shown",
			  (unsigned long long)inflight->seen,
			  (double)(inflight->now_ns - options->seen->since_ns) / 1e9);
	if (options->seen && count > inflight->seen)
		log__info("%llu of these runners are not attached: they were started later, or "
			  "there are more than %d",
			  (unsigned long long)(count - inflight->seen), TARGETS_MAX);
}

static void say_what_is_missing(const struct inflight *inflight,
				const struct inflight_options *options)
{
	say_other_headers(inflight, options);
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
	if (inflight->runners && blind_count(inflight) - inflight->seen >= inflight->runners)
		return; /* nothing was looked at */
	if (may_be_older(inflight, search))
		return; /* that is not known */
	if (options->older_than_ns)
		snprintf(older, sizeof(older), " for %.6g s or longer",
			 (double)options->older_than_ns / 1e9);
	if (inflight->seen)
		log__info("no open command was found%s (runners: %llu, searched memory: %.1f MiB)",
			  older, (unsigned long long)inflight->runners,
			  (double)inflight->searched_bytes / 1048576);
	else if (inflight->revisited)
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

int inflight_notes__status(const struct inflight *inflight, const struct inflight_search *search)
{
	const struct inflight_options *options = search->options;
	uint64_t blind = blind_count(inflight) - inflight->seen;

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

void inflight_notes__say(const struct inflight *inflight, const struct inflight_search *search)
{
	if (inflight->rows_count == 0 && !inflight->unreadable)
		say_nothing_open(inflight, search);
	say_what_is_missing(inflight, search->options);
	say_what_is_unknown(inflight, search);
}
