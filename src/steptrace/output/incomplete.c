// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/incomplete.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/stream/id_hash.h"

/* As many as the stream keeps open. Where there are more, or there is no memory for them, they are forgotten
 * and the ends of all executions that were known by then are doubted. */
enum { FIRST_SLOTS = 256, ENTRIES_MAX = 65536, CORRECTION_BYTES = 32 };

struct entry {
	uint8_t id[16];
	uint32_t pid;
	uint64_t steps;
	bool is_used;
};

struct incomplete {
	pthread_mutex_t mutex;
	struct id_hash hash;
	struct entry *slots; /* open addressing */
	size_t slots_count;  /* a power of two, or none */
	size_t count;
	uint64_t doubted_until_ns; /* executions that were known before that */
};

struct incomplete *incomplete__new(void)
{
	struct incomplete *incomplete = calloc(1, sizeof(*incomplete));

	if (!incomplete)
		return NULL;
	pthread_mutex_init(&incomplete->mutex, NULL);
	id_hash__init(&incomplete->hash);
	return incomplete;
}

void incomplete__free(struct incomplete *incomplete)
{
	if (!incomplete)
		return;
	pthread_mutex_destroy(&incomplete->mutex);
	free(incomplete->slots);
	free(incomplete);
}

/* ---- the table: the slot of the execution, or the free one where it belongs */

static struct entry *slot_of(const struct incomplete *incomplete, const uint8_t id[16],
			     uint32_t pid)
{
	size_t mask = incomplete->slots_count - 1;
	size_t at = id_hash__of(&incomplete->hash, id) & mask;

	while (incomplete->slots[at].is_used &&
	       (incomplete->slots[at].pid != pid ||
		memcmp(incomplete->slots[at].id, id, sizeof(incomplete->slots[at].id)) != 0))
		at = (at + 1) & mask;
	return &incomplete->slots[at];
}

static bool grow(struct incomplete *incomplete)
{
	struct entry *former = incomplete->slots;
	size_t former_count = incomplete->slots_count;
	size_t wanted = former_count ? 2 * former_count : FIRST_SLOTS;
	struct entry *slots = calloc(wanted, sizeof(*slots));

	if (!slots)
		return false;
	incomplete->slots = slots;
	incomplete->slots_count = wanted;
	for (size_t i = 0; i < former_count; i++)
		if (former[i].is_used)
			*slot_of(incomplete, former[i].id, former[i].pid) = former[i];
	free(former);
	return true;
}

static struct entry *find(const struct incomplete *incomplete, const struct line_mark *mark)
{
	struct entry *slot =
		incomplete->count ? slot_of(incomplete, mark->execution_id, mark->pid) : NULL;

	return slot && slot->is_used ? slot : NULL;
}

static struct entry *find_or_add(struct incomplete *incomplete, const struct line_mark *mark)
{
	struct entry *slot = find(incomplete, mark);

	if (slot)
		return slot;
	if (incomplete->count >= ENTRIES_MAX)
		return NULL;
	if (2 * (incomplete->count + 1) > incomplete->slots_count && !grow(incomplete))
		return NULL;
	slot = slot_of(incomplete, mark->execution_id, mark->pid);
	*slot = (struct entry){.is_used = true, .pid = mark->pid};
	memcpy(slot->id, mark->execution_id, sizeof(slot->id));
	incomplete->count++;
	return slot;
}

/* Those behind it that were put there because of it move up. */
static void take_out(struct incomplete *incomplete, struct entry *slot)
{
	size_t mask = incomplete->slots_count - 1;
	size_t free_at = (size_t)(slot - incomplete->slots);

	incomplete->slots[free_at].is_used = false;
	incomplete->count--;
	for (size_t at = (free_at + 1) & mask; incomplete->slots[at].is_used;
	     at = (at + 1) & mask) {
		struct entry moved = incomplete->slots[at];

		incomplete->slots[at].is_used = false;
		*slot_of(incomplete, moved.id, moved.pid) = moved;
	}
}

static void forget_all(struct incomplete *incomplete)
{
	if (incomplete->slots)
		memset(incomplete->slots, 0, incomplete->slots_count * sizeof(*incomplete->slots));
	incomplete->count = 0;
	incomplete->doubted_until_ns = clock__now_ns();
}

/* ---- what is missed */

static void miss(struct incomplete *incomplete, const struct line_mark *mark)
{
	struct entry *entry;

	if (mark->kind == EVENT_COMMAND_COMPLETED) {
		entry = find(incomplete, mark);
		if (entry)
			take_out(incomplete, entry);
		return;
	}
	if (mark->kind != EVENT_COMMAND_STARTED && mark->kind != EVENT_STEP_EXECUTED)
		return;
	entry = find_or_add(incomplete, mark);
	if (!entry)
		forget_all(incomplete);
	else
		entry->steps += mark->kind == EVENT_STEP_EXECUTED;
}

void incomplete__miss(struct incomplete *incomplete, const struct lines *lines, size_t from)
{
	const struct line_mark *mark = lines__marks(lines);
	const char *at = lines->text.base;

	pthread_mutex_lock(&incomplete->mutex);
	for (; at < lines->text.at; at = lines__behind(lines, at), mark++)
		if (at >= lines->text.base + from)
			miss(incomplete, mark);
	pthread_mutex_unlock(&incomplete->mutex);
}

/* ---- what is said of it */

static const char *find_text(const char *line, const char *end, const char *text)
{
	return memmem(line, (size_t)(end - line), text, strlen(text));
}

/* A member's name cannot lie in a string: there its quotes have backslashes. */
static const char *value_of(const char *line, const char *end, const char *member)
{
	const char *found = find_text(line, end, member);

	return found ? found + strlen(member) : NULL;
}

/* Copies up to there, and puts another number in the place of the one that stands there, if one does:
 * `steps` more, or null where nobody knows. */
static const char *put_steps(struct json *out, const char *from, const char *value, const char *end,
			     const uint64_t *steps)
{
	uint64_t said = 0;
	const char *at = value;

	json__bytes(out, from, (size_t)(value - from));
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		said = said * 10 + (uint64_t)(*at - '0');
	if (at > value && steps)
		json__u64(out, said + *steps);
	else if (at > value)
		json__raw(out, "null");
	return at;
}

/* The members come in this order, where they are written. */
static void correct_line(struct json *out, const char *line, const char *end, const uint64_t *steps)
{
	static const char was[] = "true", is[] = "false";
	const char *complete = value_of(line, end, ",\"complete\":");
	const char *lost = value_of(line, end, ",\"steps_lost\":");

	if (complete && (size_t)(end - complete) > sizeof(was) &&
	    memcmp(complete, was, sizeof(was) - 1) == 0) {
		json__bytes(out, line, (size_t)(complete - line));
		json__bytes(out, is, sizeof(is) - 1);
		line = complete + sizeof(was) - 1;
	}
	if (lost)
		line = put_steps(out, line, lost, end, steps);
	json__bytes(out, line, (size_t)(end - line));
}

static bool is_doubted(const struct incomplete *incomplete, const struct line_mark *mark)
{
	return mark->known_ns < incomplete->doubted_until_ns;
}

/* Whether there is something to correct at all, which is rare. */
static bool has_any(const struct incomplete *incomplete, const struct lines *lines)
{
	const struct line_mark *marks = lines__marks(lines);

	for (size_t i = 0; i < lines__count(lines); i++)
		if (marks[i].kind == EVENT_COMMAND_COMPLETED &&
		    (is_doubted(incomplete, &marks[i]) || find(incomplete, &marks[i])))
			return true;
	return false;
}

static void correct_end(struct incomplete *incomplete, const struct line_mark *mark,
			const char *line, const char *end, struct json *out)
{
	struct entry *entry = find(incomplete, mark);

	if (is_doubted(incomplete, mark))
		correct_line(out, line, end, NULL);
	else if (entry)
		correct_line(out, line, end, &entry->steps);
	else
		json__bytes(out, line, (size_t)(end - line));
	if (entry)
		take_out(incomplete, entry);
}

static void correct_all(struct incomplete *incomplete, const struct lines *lines, struct json *out)
{
	const struct line_mark *mark = lines__marks(lines);
	const char *at = lines->text.base, *next;

	for (; at < lines->text.at; at = next, mark++) {
		next = lines__behind(lines, at);
		if (mark->kind == EVENT_COMMAND_COMPLETED)
			correct_end(incomplete, mark, at, next, out);
		else
			json__bytes(out, at, (size_t)(next - at));
	}
}

static bool make_room(struct lines *room, const struct lines *lines)
{
	size_t marks = json__length(&lines->marks);

	lines__clear(room);
	if (json__reserve(&room->text,
			  lines__bytes(lines) + lines__count(lines) * CORRECTION_BYTES) ||
	    json__reserve(&room->marks, marks))
		return false;
	json__bytes(&room->marks, lines->marks.base, marks);
	return true;
}

const struct lines *incomplete__correct(struct incomplete *incomplete, const struct lines *lines,
					struct lines *room)
{
	const struct lines *result = lines;

	pthread_mutex_lock(&incomplete->mutex);
	if ((incomplete->count || incomplete->doubted_until_ns) && has_any(incomplete, lines) &&
	    make_room(room, lines)) {
		correct_all(incomplete, lines, &room->text);
		result = room;
	}
	pthread_mutex_unlock(&incomplete->mutex);
	return result;
}
