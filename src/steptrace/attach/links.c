// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/links.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/fd_message.h"

int links__begin(struct links *links, enum uprobe_method method)
{
	memset(links, 0, sizeof(*links));
	return link_holder__start(links->holders, method);
}

static void meet(struct links *links)
{
	if (!links->are_met && links->holders[0].pid)
		link_holder__meet(links->holders);
	links->are_met = true;
}

/* ---- answers */

static struct link *find(const struct links *links, uint32_t id)
{
	struct link *link = links->first;

	while (link && link->id != id)
		link = link->next;
	return link;
}

static bool is_there(const struct link *link)
{
	return link->state == LINK_HELD || link->state == LINK_LEAVING;
}

static void leave_holder(struct links *links, struct link *link, enum link_state state)
{
	links->counts[link->holder]--;
	link->state = state;
}

/* The holder has ended, and with it its links. */
static void lose_holder(struct links *links, unsigned int at)
{
	link_holder__stop(&links->holders[at]);
	link_holder__await(&links->holders[at]);
	for (struct link *link = links->first; link; link = link->next)
		if (link->holder == at && is_there(link))
			leave_holder(links, link, link->state == LINK_HELD ? LINK_LOST : LINK_GONE);
}

/* Waits for the next answer of the holder. False: it has ended. */
static bool take_answer(struct links *links, unsigned int at, struct link_answer *answer)
{
	int fds[FD_MESSAGE_FDS_MAX];
	struct link *link;
	size_t count;

	if (fd_message__receive(links->holders[at].socket, answer, sizeof(*answer), fds, &count) !=
	    sizeof(*answer)) {
		lose_holder(links, at);
		return false;
	}
	link = answer->order.kind == LINK_RELEASE ? find(links, answer->order.id) : NULL;
	if (link && is_there(link))
		leave_holder(links, link, LINK_GONE);
	return true;
}

static bool has_answer(const struct link_holder *holder)
{
	struct pollfd waits = {.fd = holder->socket, .events = POLLIN};

	return holder->pid && poll(&waits, 1, 0) > 0;
}

static void take_answers(struct links *links, unsigned int at)
{
	struct link_answer answer;

	while (has_answer(&links->holders[at]))
		take_answer(links, at, &answer);
}

void links__poll(struct links *links)
{
	if (!links->first)
		return;
	for (unsigned int at = 0; at < LINK_HOLDERS; at++)
		take_answers(links, at);
}

void links__await(struct links *links, const struct link *link)
{
	struct link_answer answer;

	while (link->state == LINK_LEAVING)
		take_answer(links, link->holder, &answer);
}

/* ---- orders */

/* The holder with the fewest links; -1: all were killed. */
static int choose_holder(const struct links *links)
{
	int best = -1;

	for (int at = 0; at < LINK_HOLDERS; at++)
		if (links->holders[at].pid && (best < 0 || links->counts[at] < links->counts[best]))
			best = at;
	return best;
}

/* Returns what the holder answers; -ECHILD: it has ended. */
static int ask(struct links *links, unsigned int at, const struct link_order *order, const int *fds,
	       size_t count, uint32_t *failed)
{
	struct link_answer answer = {.order.kind = LINK_RELEASE};
	int code = fd_message__send(links->holders[at].socket, order, sizeof(*order), fds, count);

	if (code && code != -EPIPE)
		return code;
	while (answer.order.kind != LINK_MAKE || answer.order.id != order->head.id)
		if (!take_answer(links, at, &answer))
			return -ECHILD;
	*failed = answer.failed;
	return answer.code;
}

int links__make(struct links *links, struct link_order *order, const int *fds,
		size_t programs_count, struct link **out, uint32_t *failed)
{
	struct link *link = calloc(1, sizeof(*link));
	int code = -ECHILD, at;

	*failed = order->count;
	if (!link)
		return -ENOMEM;
	order->head.kind = LINK_MAKE;
	order->head.id = ++links->last_id;
	meet(links);
	while (code == -ECHILD && (at = choose_holder(links)) >= 0) {
		link->holder = (unsigned int)at;
		code = ask(links, link->holder, order, fds, 1 + programs_count, failed);
	}
	if (code) {
		free(link);
		return code;
	}
	link->id = order->head.id;
	link->next = links->first;
	links->first = link;
	links->counts[link->holder]++;
	*out = link;
	return 0;
}

void links__release(struct links *links, struct link *link)
{
	const struct link_order_head order = {.kind = LINK_RELEASE, .id = link->id};

	take_answers(links, link->holder); /* so that neither side waits for room in the socket */
	if (link->state != LINK_HELD)
		return;
	link->state = LINK_LEAVING;
	if (fd_message__send(links->holders[link->holder].socket, &order, sizeof(order), NULL, 0))
		lose_holder(links, link->holder);
}

void links__drop(struct links *links, struct link *link)
{
	struct link **at = &links->first;

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	free(link);
}

void links__end(struct links *links)
{
	meet(links);
	for (int at = 0; at < LINK_HOLDERS; at++)
		if (links->holders[at].pid)
			link_holder__stop(&links->holders[at]);
	for (int at = 0; at < LINK_HOLDERS; at++)
		link_holder__await(&links->holders[at]);
	while (links->first)
		links__drop(links, links->first);
}
