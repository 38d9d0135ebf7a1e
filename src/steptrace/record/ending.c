// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/ending.h"

#include <errno.h>
#include <signal.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/console.h"
#include "steptrace/record/intake.h"
#include "steptrace/record/signals.h"

#define DRAIN_MAX_NS  250000000ull  /* before detaching: busy runners never stop */
#define SECOND_ASK_NS 1000000000ull /* an earlier second Ctrl-C may have been meant as the first */

/* Whether the outputs have to be abandoned now. */
static bool is_out_of_time(struct session *session, const struct wakeup *wakeup, uint64_t passed_ns)
{
	bool is_asked = wakeup->signal == SIGINT || wakeup->signal == SIGTERM;

	if (is_asked && !wakeup->from_terminal && session->give_up_ns == 0) {
		session->give_up_ns = passed_ns + ENDING_SERVICE_NS;
		return false;
	}
	if (is_asked && passed_ns >= SECOND_ASK_NS)
		return true;
	return session->give_up_ns && passed_ns >= session->give_up_ns;
}

static void say_waiting(struct session *session, uint64_t passed_ns)
{
	const char *name = outputs__awaited_name(&session->outputs);

	if (session->said_waiting || passed_ns < 2 * SECOND_ASK_NS || !name)
		return;
	session->said_waiting = true;
	log__info("waiting until all events are written to %s; press Ctrl-C again to lose the rest",
		  name);
}

static void handle(struct session *session, const struct wakeup *wakeup)
{
	uint64_t passed_ns = clock__now_ns() - session->stopped_ns;
	bool failed, any_left;

	if (wakeup->timer || wakeup->metrics)
		metrics__serve(session->self_stats.metrics);
	if (wakeup->outputs)
		outputs__take_news(&session->outputs, &failed, &any_left);
	if (wakeup->signal)
		signals__handle(session, wakeup);
	outputs__give_up_stalled(&session->outputs);
	if (is_out_of_time(session, wakeup, passed_ns))
		outputs__give_up(&session->outputs);
	say_waiting(session, passed_ns);
}

static void await(struct session *session, bool (*are_ready)(struct outputs *outputs))
{
	struct wakeup wakeup;

	while (!are_ready(&session->outputs)) {
		wakeups__wait(&session->wakeups, false, &wakeup);
		handle(session, &wakeup);
	}
}

/* Makes room in the ring buffers for what runners do during the detach, which takes a moment. */
static void drain_before_detach(struct session *session)
{
	while (outputs__have_room(&session->outputs) && intake__drain(session) &&
	       clock__now_ns() - session->stopped_ns < DRAIN_MAX_NS)
		continue;
}

static void detach(struct session *session)
{
	session->is_detaching = true;
	session->disarmed_ns = clock__now_ns();
	watch__detach(&session->watch);
}

static void drain_all(struct session *session)
{
	do
		await(session, outputs__have_room);
	while (intake__drain(session));
}

static void finish_outputs(struct session *session, const struct trace_totals *totals)
{
	outputs__finish(&session->outputs, session->stream, totals);
	await(session, outputs__are_done);
	if (outputs__end(&session->outputs, session->err))
		session->failed = true;
	console__end(session->stream, session->stop_reason, outputs__lost(&session->outputs),
		     session->shows_progress);
	outputs__log_lost(&session->outputs);
}

static void check_balance(struct session *session, uint64_t hits)
{
	uint64_t events = stream__events_of_boundaries(session->stream);
	uint64_t lost = accounting__lost(session->stream);
	uint64_t filtered = accounting__filtered(session->stream);

	if (hits == events + lost + filtered)
		return;
	session->failed = true;
	error__set(session->err, -EIO,
		   "the counts do not add up: %llu hits, but %llu events, %llu lost and %llu "
		   "filtered (this is a bug in steptrace: please report it)",
		   (unsigned long long)hits, (unsigned long long)events, (unsigned long long)lost,
		   (unsigned long long)filtered);
}

void ending__run(struct session *session)
{
	struct trace_totals totals;

	session->stopped_ns = clock__now_ns();
	overdue_events__finish(&session->overdue, session->stream, session->pseudonyms);
	watch__let_go(&session->watch);
	vanished__check(&session->vanished, &session->watch, session->stream, false);
	drain_before_detach(session);
	session__stop_reader(session);
	detach(session);
	drain_all(session);
	intake__account(session, true);
	stream__end(session->stream, session->disarmed_ns);
	session__tell_reader(session, true);
	intake__flush(session);
	session__totals(session, &totals);
	session__vitals(session, &session->self_stats.now); /* metrics are served on */
	session->failed = session->failed || trace_totals__untraced(&totals) > 0 ||
			  session->overdue.has_failed;
	if (totals.decisions_lost)
		log__warn(
			"more than %d executions were running: --comm, --uid and --cgroup decided "
			"again for a running execution %llu times",
			DECISIONS_MAX, (unsigned long long)totals.decisions_lost);
	if (totals.breakdowns_lost)
		log__warn("%llu steps and commands could not be measured by --breakdown: their "
			  "field cpu is null",
			  (unsigned long long)totals.breakdowns_lost);
	finish_outputs(session, &totals);
	session__vitals(session, &session->self_stats.now);
	check_balance(session, totals.hits);
}
