// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/ending.h"

#include <errno.h>
#include <signal.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/intake.h"
#include "steptrace/record/lifecycle_events.h"
#include "steptrace/record/setup.h"
#include "steptrace/record/signals.h"

#define DRAIN_NS    250000000ull  /* for runners that do not leave off */
#define PATIENCE_NS 1000000000ull /* of whoever asks again */

/* Whoever wants us to stop a second time, and knew that we do. */
static bool is_hurried(struct session *session, const struct wakeup *wakeup, uint64_t passed_ns)
{
	bool is_asked = wakeup->signal == SIGINT || wakeup->signal == SIGTERM;

	if (is_asked && !wakeup->from_terminal && session->patience_ns == 0) {
		session->patience_ns = passed_ns + ENDING_SERVICE_NS;
		return false;
	}
	if (is_asked && passed_ns >= PATIENCE_NS)
		return true;
	return session->patience_ns && passed_ns >= session->patience_ns;
}

static void say_waiting(struct session *session, uint64_t passed_ns)
{
	const char *name = outputs__awaited(&session->outputs);

	if (session->said_waiting || passed_ns < 2 * PATIENCE_NS || !name)
		return;
	session->said_waiting = true;
	log__info("waiting until %s has taken the rest; another Ctrl-C leaves it out", name);
}

static void look(struct session *session, const struct wakeup *wakeup)
{
	uint64_t passed_ns = clock__now_ns() - session->stopped_ns;
	bool failed, any_left;

	if (wakeup->timer || wakeup->question)
		metrics__serve(session->pulse.metrics);
	if (wakeup->news)
		outputs__news(&session->outputs, &failed, &any_left);
	if (wakeup->signal)
		signals__take(session, wakeup);
	outputs__give_up_idle(&session->outputs);
	if (is_hurried(session, wakeup, passed_ns))
		outputs__give_up(&session->outputs);
	say_waiting(session, passed_ns);
}

static void await(struct session *session, bool (*are_ready)(struct outputs *outputs))
{
	struct wakeup wakeup;

	while (!are_ready(&session->outputs)) {
		wakeups__wait(&session->wakeups, false, &wakeup);
		look(session, &wakeup);
	}
}

static void check_books(struct session *session, uint64_t hits)
{
	uint64_t events = stream__events_of_boundaries(session->stream);
	uint64_t lost = accounting__lost(session->stream);
	uint64_t filtered = accounting__filtered(session->stream);

	if (hits == events + lost + filtered)
		return;
	session->failed = true;
	error__set(
		session->err, -EIO,
		"the books do not balance: %llu hits, %llu events, %llu lost, %llu filtered (this "
		"is a bug in steptrace)",
		(unsigned long long)hits, (unsigned long long)events, (unsigned long long)lost,
		(unsigned long long)filtered);
}

/* Room for what runners do while they are detached from, which takes a moment. */
static void drain_for_now(struct session *session)
{
	while (outputs__have_room(&session->outputs) && intake__drain(session) &&
	       clock__now_ns() - session->stopped_ns < DRAIN_NS)
		continue;
}

static void drain_all(struct session *session)
{
	do
		await(session, outputs__have_room);
	while (intake__drain(session));
}

void ending__run(struct session *session)
{
	struct trace_totals totals;

	session->stopped_ns = clock__now_ns();
	drain_for_now(session);
	session->is_ending = true;
	session->disarmed_ns = clock__now_ns();
	capture__disarm(session->capture);
	attachments__close(&session->attachments);
	drain_all(session);
	intake__settle(session, true);
	intake__flush(session);
	totals = (struct trace_totals){.hits = accounting__hits(&session->accounting),
				       .reason = session->reason,
				       .untraced = capture__untraced_count(session->capture)};
	session->failed = session->failed || totals.untraced;
	outputs__finish(&session->outputs, session->stream, &totals);
	await(session, outputs__are_done);
	if (outputs__end(&session->outputs, session->err))
		session->failed = true;
	lifecycle_events__end(session->stream, session->reason, outputs__lost(&session->outputs),
			      session->shows_progress);
	outputs__say_lost(&session->outputs);
	check_books(session, totals.hits);
}
