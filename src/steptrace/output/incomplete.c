// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/incomplete.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the entry out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "common/clock.h"
#include "steptrace/stream/id_hash.h"

/* ENTRIES_MAX: as many executions as the stream keeps open.
 * CORRECTION_BYTES: what one correction adds to a line at most. */
enum { ENTRIES_MAX = 65536, CORRECTION_BYTES = 32 };

struct key {
	uint8_t id[16];
	uint32_t pid; /* a fork continues the execution of its parent under the same id */
};

_Static_assert(sizeof(struct key) == 20,
	       "uthash compares the bytes of keys: there must be no holes");

struct entry {
	struct key key;
	bool is_in_table;
	uint64_t steps; /* missed */
	UT_hash_handle hh;
};

struct incomplete {
	pthread_mutex_t mutex;
	struct id_hash hash;
	struct entry *entries;     /* the head of a uthash table */
	uint64_t doubted_until_ns; /* what is known of executions from before that is forgotten */
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

static void remove_entry(struct incomplete *incomplete, struct entry *entry)
{
	HASH_DEL(incomplete->entries, entry);
	free(entry);
}

static void remove_all(struct incomplete *incomplete)
{
	struct entry *next;

	for (struct entry *entry = incomplete->entries; entry; entry = next) {
		next = entry->hh.next;
		remove_entry(incomplete, entry);
	}
}

void incomplete__free(struct incomplete *incomplete)
{
	if (!incomplete)
		return;
	remove_all(incomplete);
	pthread_mutex_destroy(&incomplete->mutex);
	free(incomplete);
}

/* ---- the table */

static struct key key_of(const struct line_mark *mark)
{
	struct key key = {.pid = mark->pid};

	memcpy(key.id, mark->execution_id, sizeof(key.id));
	return key;
}

/* Keyed with a secret, so that no runner can choose ids that all fall into the same bucket. */
static unsigned int hash_of(const struct incomplete *incomplete, const struct key *key)
{
	return (unsigned int)id_hash__of(&incomplete->hash, key->id) + key->pid;
}

static struct entry *find(const struct incomplete *incomplete, const struct line_mark *mark)
{
	struct key key = key_of(mark);
	unsigned int hash = hash_of(incomplete, &key);
	struct entry *entry;

	HASH_FIND_BYHASHVALUE(hh, incomplete->entries, &key, sizeof(key), hash, entry);
	return entry;
}

static struct entry *add(struct incomplete *incomplete, const struct line_mark *mark)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	unsigned int hash;

	if (!entry)
		return NULL;
	entry->key = key_of(mark);
	entry->is_in_table = true;
	hash = hash_of(incomplete, &entry->key);
	HASH_ADD_BYHASHVALUE(hh, incomplete->entries, key, sizeof(entry->key), hash, entry);
	if (entry->is_in_table)
		return entry;
	free(entry);
	return NULL;
}

/* NULL: the table is full, or there is no memory. */
static struct entry *find_or_add(struct incomplete *incomplete, const struct line_mark *mark)
{
	struct entry *entry = find(incomplete, mark);

	if (entry || HASH_COUNT(incomplete->entries) >= ENTRIES_MAX)
		return entry;
	return add(incomplete, mark);
}

/* Nothing is known about their missed steps any more. */
static void forget_all(struct incomplete *incomplete)
{
	remove_all(incomplete);
	incomplete->doubted_until_ns = clock__now_ns();
}

/* ---- missed lines */

static void miss(struct incomplete *incomplete, const struct line_mark *mark)
{
	struct entry *entry;

	if (mark->kind == EVENT_COMMAND_COMPLETED) {
		entry = find(incomplete, mark);
		if (entry)
			remove_entry(incomplete, entry);
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

void incomplete__miss_mark(struct incomplete *incomplete, const struct line_mark *mark)
{
	pthread_mutex_lock(&incomplete->mutex);
	miss(incomplete, mark);
	pthread_mutex_unlock(&incomplete->mutex);
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

/* ---- corrections */

static const char *find_text(const char *line, const char *end, const char *text)
{
	return memmem(line, (size_t)(end - line), text, strlen(text));
}

/* The member cannot be found inside of a string: JSON escapes the quotes there. */
static const char *value_of(const char *line, const char *end, const char *member)
{
	const char *found = find_text(line, end, member);

	return found ? found + strlen(member) : NULL;
}

/* Copies the text up to `value`. Adds `steps` to the number there, or writes null when `steps` is
 * NULL; a value that is not a number stays. Returns the end of the value. */
static const char *put_steps(struct json *out, const char *from, const char *value, const char *end,
			     const uint64_t *steps)
{
	uint64_t number = 0;
	const char *at = value;

	json__bytes(out, from, (size_t)(value - from));
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	if (at > value && steps)
		json__u64(out, number + *steps);
	else if (at > value)
		json__raw(out, "null");
	return at;
}

/* "complete" stands before "steps_lost" in every line that has both. `steps` NULL: unknown. */
static void correct_line(struct json *out, const char *line, const char *end, const uint64_t *steps)
{
	static const char yes[] = "true", no[] = "false";
	const char *complete = value_of(line, end, ",\"complete\":");
	const char *lost = value_of(line, end, ",\"steps_lost\":");

	if (complete && (size_t)(end - complete) > sizeof(yes) &&
	    memcmp(complete, yes, sizeof(yes) - 1) == 0) {
		json__bytes(out, line, (size_t)(complete - line));
		json__bytes(out, no, sizeof(no) - 1);
		line = complete + sizeof(yes) - 1;
	}
	if (lost)
		line = put_steps(out, line, lost, end, steps);
	json__bytes(out, line, (size_t)(end - line));
}

static bool is_doubted(const struct incomplete *incomplete, const struct line_mark *mark)
{
	return mark->known_ns < incomplete->doubted_until_ns;
}

/* Usually there is none, and the lines need not be copied. */
static bool need_correction(const struct incomplete *incomplete, const struct lines *lines)
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
		remove_entry(incomplete, entry);
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
	if ((incomplete->entries || incomplete->doubted_until_ns) &&
	    need_correction(incomplete, lines) && make_room(room, lines)) {
		correct_all(incomplete, lines, &room->text);
		result = room;
	}
	pthread_mutex_unlock(&incomplete->mutex);
	return result;
}
