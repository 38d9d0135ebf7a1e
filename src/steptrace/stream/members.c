// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/members.h"

#include <errno.h>
#include <stdlib.h>

enum { SPARE_LIMIT = 256 };

void members__free(struct members *members)
{
	while (members->spare) {
		struct member *member = members->spare;

		members->spare = member->next;
		free(member);
	}
}

static struct member_queue *queue_of(struct members *members, uint32_t pid)
{
	return &members->queues[pid % MEMBER_QUEUES_COUNT];
}

static struct member *take_spare(struct members *members)
{
	struct member *member = members->spare;

	if (!member)
		return malloc(sizeof(*member));
	members->spare = member->next;
	members->spare_count--;
	return member;
}

static void give_back(struct members *members, struct member *member)
{
	if (members->spare_count >= SPARE_LIMIT) {
		free(member);
		return;
	}
	member->next = members->spare;
	members->spare = member;
	members->spare_count++;
}

static void link_to_queue(struct members *members, struct member *member)
{
	struct member_queue *queue = queue_of(members, member->pid);

	member->older = queue->newest;
	member->newer = NULL;
	if (queue->newest)
		queue->newest->newer = member;
	else
		queue->oldest = member;
	queue->newest = member;
	queue->count++;
}

static void unlink_from_queue(struct members *members, struct member *member)
{
	struct member_queue *queue = queue_of(members, member->pid);

	if (member->older)
		member->older->newer = member->newer;
	else
		queue->oldest = member->newer;
	if (member->newer)
		member->newer->older = member->older;
	else
		queue->newest = member->older;
	queue->count--;
}

struct member *members__add(struct members *members, struct execution *execution,
			    struct member_list *list, uint32_t pid)
{
	struct member *member = take_spare(members);

	if (!member)
		return NULL;
	*member = (struct member){
		.execution = execution, .list = list, .pid = pid, .next = list->newest};
	list->newest = member;
	list->count++;
	link_to_queue(members, member);
	members->count++;
	members->heirs_count++;
	return member;
}

void members__has_told(struct members *members, struct member *member)
{
	if (member->has_told)
		return;
	member->has_told = true;
	members->heirs_count--;
}

void members__remove(struct members *members, struct member *member)
{
	struct member **link = &member->list->newest;

	members__has_told(members, member);
	while (*link != member)
		link = &(*link)->next;
	*link = member->next;
	member->list->count--;
	unlink_from_queue(members, member);
	members->count--;
	give_back(members, member);
}

struct member *members__of_process(const struct members *members, uint32_t pid,
				   const struct member *previous)
{
	struct member *at =
		previous ? previous->newer : members->queues[pid % MEMBER_QUEUES_COUNT].oldest;

	while (at && at->pid != pid)
		at = at->newer;
	return at;
}

static int compare_pids(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* The processes of a queue, each once. Returns how many; `pids` has room for queue->count. */
static size_t list_pids(const struct member_queue *queue, uint32_t *pids)
{
	size_t count = 0, unique = 0;

	for (const struct member *at = queue->oldest; at; at = at->newer)
		if (count == 0 || pids[count - 1] != at->pid)
			pids[count++] = at->pid;
	qsort(pids, count, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < count; i++)
		if (unique == 0 || pids[unique - 1] != pids[i])
			pids[unique++] = pids[i];
	return unique;
}

int members__each_pid(const struct members *members, void (*each)(uint32_t pid, void *context),
		      void *context)
{
	uint32_t *pids = calloc(members->count + 1, sizeof(*pids));

	if (!pids)
		return -ENOMEM;
	for (int i = 0; i < MEMBER_QUEUES_COUNT; i++) {
		size_t count = list_pids(&members->queues[i], pids);

		for (size_t at = 0; at < count; at++)
			each(pids[at], context);
	}
	free(pids);
	return 0;
}

struct member *members__of_busiest(const struct members *members)
{
	const struct member_queue *longest = &members->queues[0];

	for (int i = 1; i < MEMBER_QUEUES_COUNT; i++)
		if (members->queues[i].count > longest->count)
			longest = &members->queues[i];
	return longest->oldest;
}
