// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/overdue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the span out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "common/parse.h"

/* ---- the command line */

static int add_time(struct overdue_times *times, const char *text, size_t bytes, struct error *err)
{
	char time[32] = "";
	uint64_t ns;
	size_t at;

	if (bytes < sizeof(time))
		memcpy(time, text, bytes);
	if (parse__duration_ns(time, &ns) || ns == 0)
		return error__set(err, -EINVAL,
				  "--overdue cannot be '%.*s': give a time, or several with commas "
				  "between them (for example: --overdue 30s,5m)",
				  (int)bytes, text);
	for (at = times->count; at > 0 && times->ns[at - 1] > ns; at--)
		continue;
	if (at > 0 && times->ns[at - 1] == ns)
		return 0;
	if (times->count == OVERDUE_TIMES_MAX)
		return error__set(err, -EINVAL, "--overdue takes at most %d times",
				  OVERDUE_TIMES_MAX);
	memmove(&times->ns[at + 1], &times->ns[at], (times->count - at) * sizeof(times->ns[0]));
	times->ns[at] = ns;
	times->count++;
	return 0;
}

int overdue_times__parse(struct overdue_times *times, const char *list, struct error *err)
{
	for (const char *at = list;; at++) {
		size_t bytes = strcspn(at, ",");
		int code = add_time(times, at, bytes, err);

		if (code)
			return code;
		at += bytes;
		if (!*at)
			return 0;
	}
}

/* ---- what is open */

/* A look may miss what is open, because its memory was read while the runner changed it. */
enum { LOOKS_MISSED_MAX = 2 };

/* Without a gap between the members: the bytes are compared. */
struct key {
	uint64_t address, start_ns;
	uint64_t texts; /* where start_ns is 0: a hash of what the runner says of it */
	uint32_t pid, is_step;
};

struct span {
	struct key key;
	uint64_t first_ns; /* the first look that saw it */
	uint64_t look;     /* the last one, by its number */
	uint64_t sequence; /* of a command: its steps that ended; of a step: its index */
	unsigned int reported;
	bool is_in_table;
	UT_hash_handle hh;
};

struct overdue {
	struct overdue_times times;
	struct span *table;
	uint64_t look, now_ns;
};

struct overdue *overdue__new(const struct overdue_times *times)
{
	struct overdue *overdue = calloc(1, sizeof(*overdue));

	if (overdue)
		overdue->times = *times;
	return overdue;
}

static void forget(struct overdue *overdue, struct span *span)
{
	HASH_DEL(overdue->table, span);
	free(span);
}

static void forget_before(struct overdue *overdue, uint64_t look)
{
	struct span *span, *next;

	HASH_ITER(hh, overdue->table, span, next)
	if (span->look < look)
		forget(overdue, span);
}

void overdue__free(struct overdue *overdue)
{
	if (!overdue)
		return;
	forget_before(overdue, UINT64_MAX);
	free(overdue);
}

static struct span *add(struct overdue *overdue, const struct key *key)
{
	struct span *span = calloc(1, sizeof(*span));

	if (!span)
		return NULL;
	span->key = *key;
	span->is_in_table = true;
	HASH_ADD(hh, overdue->table, key, sizeof(*key), span);
	if (span->is_in_table)
		return span;
	free(span);
	return NULL;
}

/* What a command or step without a start time does only when it is another one at the same
 * place. */
static bool is_another(const struct span *span, uint64_t sequence)
{
	if (span->key.start_ns)
		return false;
	return span->key.is_step ? sequence != span->sequence : sequence < span->sequence;
}

/* The span as this look sees it; NULL: no memory. */
static struct span *see(struct overdue *overdue, const struct key *key, uint64_t sequence)
{
	struct span *span;

	HASH_FIND(hh, overdue->table, key, sizeof(*key), span);
	if (span && is_another(span, sequence)) {
		forget(overdue, span);
		span = NULL;
	}
	if (!span) {
		span = add(overdue, key);
		if (!span)
			return NULL;
		span->first_ns = overdue->now_ns;
	}
	span->look = overdue->look;
	span->sequence = sequence;
	return span;
}

/* `is_attached`: a span without a start time has been open since the look that saw it first. */
static unsigned int check(const struct overdue *overdue, struct span *span, struct age *age,
			  bool is_attached)
{
	unsigned int reached = 0, news;

	if (!is_attached)
		span->first_ns = overdue->now_ns;
	if (!age->is_known && overdue->now_ns - span->first_ns > age->ns)
		age->ns = overdue->now_ns - span->first_ns;
	for (size_t i = 0; i < overdue->times.count; i++)
		if (age->ns >= overdue->times.ns[i])
			reached |= 1u << i;
	news = reached & ~span->reported;
	span->reported |= reached;
	return news;
}

/* ---- a look */

void overdue__begin_look(struct overdue *overdue, uint64_t now_ns)
{
	overdue->look++;
	overdue->now_ns = now_ns;
}

static uint64_t add_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
	while (*text++);
	return hash;
}

static struct key key_of(const struct open_row *row, uint64_t address, uint64_t start_ns)
{
	const struct open_command *command = &row->command;
	struct key key = {.address = address, .start_ns = start_ns, .pid = (uint32_t)row->pid};

	if (start_ns == 0) {
		key.texts = add_text(0xcbf29ce484222325ull, command->slug);
		key.texts = add_text(key.texts, command->correlation_id);
		key.texts = add_text(key.texts, command->user_id);
	}
	return key;
}

static struct key key_of_step(const struct open_row *row, uint64_t address, uint64_t start_ns,
			      const char *type, const char *name)
{
	struct key key = key_of(row, address, start_ns);

	key.is_step = 1;
	if (start_ns == 0)
		key.texts = add_text(add_text(key.texts, type), name);
	return key;
}

/* They are open, and not innermost: what was reported of them is not forgotten. */
static void see_outer_steps(struct overdue *overdue, const struct open_row *row)
{
	for (size_t i = 0; i < row->outer_steps_count; i++) {
		const struct outer_step *outer = &row->outer_steps[i];
		struct key key =
			key_of_step(row, outer->address, outer->start_ns, outer->type, outer->name);

		see(overdue, &key, outer->index);
	}
}

struct overdue_news overdue__check(struct overdue *overdue, struct open_row *row)
{
	struct overdue_news news = {0, 0};
	const struct open_step *step = &row->step;
	struct key key = key_of(row, row->command.span.address, row->command.span.start_ns);
	struct span *span = see(overdue, &key, row->command.steps_count);

	if (span)
		news.command = check(overdue, span, &row->command_age, row->is_attached);
	if (!row->has_step)
		return news;
	see_outer_steps(overdue, row);
	key = key_of_step(row, step->span.address, step->span.start_ns, step->type, step->name);
	span = see(overdue, &key, step->index);
	if (span)
		news.step = check(overdue, span, &row->step_age, row->is_attached);
	return news;
}

/* The look that is not counted moves the span's last look by one. */
static void pass_over(struct overdue *overdue, bool (*was_searched)(void *context, uint32_t pid),
		      void *context)
{
	for (struct span *span = overdue->table; span; span = span->hh.next)
		if (span->look < overdue->look && (span->reported || !span->key.start_ns) &&
		    !was_searched(context, span->key.pid))
			span->look++;
}

void overdue__end_look(struct overdue *overdue, bool (*was_searched)(void *context, uint32_t pid),
		       void *context)
{
	if (was_searched)
		pass_over(overdue, was_searched, context);
	if (overdue->look > LOOKS_MISSED_MAX)
		forget_before(overdue, overdue->look - LOOKS_MISSED_MAX);
}

size_t overdue__count(const struct overdue *overdue)
{
	return HASH_COUNT(overdue->table);
}
