// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/open_looks.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/lookout_news.h"

/* Messages before signals and timers get their turn. */
enum { MESSAGES_AT_ONCE = 1024 };

#define SHARE LOOKOUT_PART(LOOKOUT_MAX_SHARE)

int open_looks__open(struct open_looks *looks, const struct open_items_reader *reader,
		     void *context, const struct lookout_options *options, struct error *err)
{
	looks->reader = reader;
	looks->context = context;
	looks->message = calloc(1, sizeof(*looks->message));
	if (!looks->message)
		return error__set(err, -ENOMEM, "out of memory");
	return lookout__start(&looks->lookout, options, err);
}

void open_looks__close(struct open_looks *looks)
{
	lookout__close(&looks->lookout);
	free(looks->message);
	looks->message = NULL;
}

/* ---- questions */

static void send_question(struct open_looks *looks)
{
	looks->reader->asked(looks->context);
	lookout__ask(&looks->lookout, looks->wants_whole);
}

static void ask(struct open_looks *looks, uint64_t now_ns, bool is_end)
{
	looks->asked_ns = now_ns;
	looks->wants_whole = is_end;
	looks->is_answered = false;
	if (!looks->is_late)
		send_question(looks);
}

static bool is_overdue(const struct open_looks *looks, uint64_t now_ns)
{
	return looks->asked_ns && !looks->is_answered &&
	       now_ns - looks->asked_ns >= OPEN_LOOKS_PATIENCE_NS;
}

static void say_late(struct open_looks *looks)
{
	if (!looks->said_late)
		log__warn("%s does not know what is open: reading the memory of the runners takes "
			  "more than %llu s",
			  looks->reader->subject, OPEN_LOOKS_PATIENCE_NS / 1000000000);
	looks->said_late = true;
}

void open_looks__ask(struct open_looks *looks, uint64_t now_ns)
{
	bool is_awaited = looks->asked_ns && !looks->is_answered;

	if (looks->lookout.fd < 0)
		return;
	if (!is_awaited && now_ns >= looks->next_ns)
		ask(looks, now_ns, false);
	if (!is_overdue(looks, now_ns))
		return;
	if (!looks->has_begun)
		looks->reader->begin(looks->context);
	say_late(looks);
}

static void say_rare(struct open_looks *looks)
{
	if (!looks->said_rare)
		log__info(
			"%s reads what is open about every %.1f s: more often, it would take more "
			"than %.1f %% of a processor",
			looks->reader->subject, (double)looks->cpu_ns / SHARE / 1e9, 100 * SHARE);
	looks->said_rare = true;
}

static bool is_too_early(struct open_looks *looks, uint64_t now_ns)
{
	if (now_ns >= looks->next_ns)
		return false;
	say_rare(looks);
	return true;
}

bool open_looks__are_awaited(struct open_looks *looks, uint64_t now_ns, bool is_end)
{
	if (looks->lookout.fd < 0)
		return false;
	if (!looks->asked_ns && !is_end && (looks->is_late || is_too_early(looks, now_ns)))
		return false;
	if (!looks->asked_ns)
		ask(looks, now_ns, is_end);
	if (is_overdue(looks, now_ns))
		say_late(looks);
	return !looks->is_answered && !is_overdue(looks, now_ns);
}

void open_looks__forget(struct open_looks *looks)
{
	if (looks->lookout.fd >= 0 && looks->asked_ns && !looks->is_answered) {
		looks->is_late = true;
		looks->has_begun = false;
	}
	looks->asked_ns = 0;
}

/* ---- answers */

static void begin_answer(struct open_looks *looks)
{
	if (!looks->has_begun)
		looks->reader->begin(looks->context);
	looks->has_begun = true;
}

/* A late answer is of no use: the table that wanted it was written. If there is a new question, it
 * is asked now. */
static void finish_late(struct open_looks *looks)
{
	looks->is_late = false;
	if (looks->asked_ns)
		send_question(looks);
}

static bool is_complete(const struct lookout_state *state)
{
	return !state->older_headers && !state->newer_headers && !state->unreadable &&
	       !state->unseen && !state->partial && !state->left_out && !state->swapped_bytes &&
	       !state->revisited;
}

static void finish_answer(struct open_looks *looks)
{
	const struct lookout_state *now = &looks->message->state;
	bool is_broken = now->broken.text[0] != 0;

	looks->cpu_ns = now->cpu_ns;
	looks->next_ns = clock__now_ns() + (uint64_t)((double)now->cpu_ns / SHARE);
	lookout_news__say(&looks->told, now, looks->reader->subject, true);
	if (looks->is_late) {
		finish_late(looks);
		return;
	}
	begin_answer(looks);
	looks->has_begun = false;
	looks->is_answered = true;
	if (!is_broken)
		looks->reader->end(looks->context, is_complete(now));
}

static void add_item(struct open_looks *looks)
{
	if (looks->is_late)
		return;
	begin_answer(looks);
	looks->reader->add(looks->context, &looks->message->open);
}

static void add_blind(struct open_looks *looks)
{
	if (looks->is_late || !looks->reader->add_blind)
		return;
	begin_answer(looks);
	looks->reader->add_blind(looks->context, looks->message->blind_pid);
}

static void give_up(struct open_looks *looks)
{
	if (!looks->told.broken.text[0])
		log__error("the process '%s' has ended: %s does not know any more what is open",
			   LOOKOUT_NAME, looks->reader->subject);
	looks->is_answered = true;
	looks->reader->begin(looks->context); /* what it said is not known any more */
	lookout__close(&looks->lookout);
}

/* False: no message waits. */
static bool take_one(struct open_looks *looks)
{
	switch (lookout__next(&looks->lookout, looks->message)) {
	case LOOKOUT_NOTHING: return false;
	case LOOKOUT_OPEN: add_item(looks); return true;
	case LOOKOUT_BLIND: add_blind(looks); return true;
	case LOOKOUT_LOOKED: finish_answer(looks); return true;
	case LOOKOUT_OVERDUE:
	case LOOKOUT_STATE: /* it was not asked for */
	case LOOKOUT_ENDED: break;
	}
	give_up(looks);
	return false;
}

bool open_looks__take(struct open_looks *looks)
{
	for (int i = 0; i < MESSAGES_AT_ONCE; i++)
		if (looks->lookout.fd < 0 || !take_one(looks))
			return false;
	return true;
}
