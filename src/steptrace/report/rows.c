// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/rows.h"

#include <stdlib.h>

#include "steptrace/stream/text_hash.h"

struct report_rows {
	struct report_row **slots; /* linear probing, at most half full; owned, as the rows */
	size_t mask, limit, count;
	struct report_row other;
	struct text_hash hash; /* keys come from the traced processes */
};

void report_key__add(struct report_key *key, struct recorded_text text)
{
	size_t bytes = text.bytes < REPORT_KEY_TEXT_BYTES ? text.bytes : REPORT_KEY_TEXT_BYTES;

	if (bytes)
		memcpy(key->text + key->bytes, text.text, bytes);
	key->text[key->bytes + bytes] = 0;
	key->bytes += bytes + 1;
}

struct report_rows *report_rows__new(size_t limit)
{
	struct report_rows *rows = calloc(1, sizeof(*rows));
	size_t slots = 16;

	if (!rows)
		return NULL;
	while (slots < 2 * limit)
		slots *= 2;
	rows->slots = calloc(slots, sizeof(*rows->slots));
	rows->mask = slots - 1;
	rows->limit = limit;
	text_hash__init(&rows->hash);
	if (rows->slots)
		return rows;
	free(rows);
	return NULL;
}

void report_rows__free(struct report_rows *rows)
{
	if (!rows)
		return;
	for (size_t slot = 0; slot <= rows->mask; slot++)
		if (rows->slots[slot]) {
			histogram__clear(&rows->slots[slot]->durations);
			free(rows->slots[slot]);
		}
	histogram__clear(&rows->other.durations);
	free(rows->slots);
	free(rows);
}

/* The key lies behind the row. */
static struct report_row *make_row(const struct report_key *key, uint64_t hash)
{
	struct report_row *row = calloc(1, sizeof(*row) + key->bytes);

	if (!row)
		return NULL;
	row->key = memcpy(row + 1, key->text, key->bytes);
	row->key_bytes = key->bytes;
	row->hash = hash;
	return row;
}

struct report_row *report_rows__at(struct report_rows *rows, const struct report_key *key)
{
	uint64_t hash = text_hash__of(&rows->hash, key->text, key->bytes);
	size_t slot = hash & rows->mask;
	struct report_row *row;

	for (; (row = rows->slots[slot]); slot = (slot + 1) & rows->mask)
		if (row->hash == hash && row->key_bytes == key->bytes &&
		    memcmp(row->key, key->text, key->bytes) == 0)
			return row;
	if (rows->count == rows->limit)
		return &rows->other;
	row = make_row(key, hash);
	rows->slots[slot] = row;
	rows->count += row != NULL;
	return row;
}

void report_row__see(struct report_row *row, const struct recorded_event *event)
{
	if (!RECORDED_HAS(event, timestamp_ns))
		return;
	if (!row->last_ns || event->timestamp_ns < row->first_ns)
		row->first_ns = event->timestamp_ns;
	if (event->timestamp_ns > row->last_ns)
		row->last_ns = event->timestamp_ns;
}

const char *report_row__text(const struct report_row *row, size_t index)
{
	const char *at = row->key, *end = at ? at + row->key_bytes : NULL;

	for (; at && at < end && index > 0; index--)
		at += strlen(at) + 1;
	return at && at < end ? at : "";
}

/* ---- the order */

static int compare(const void *left, const void *right)
{
	const struct report_row *one = *(struct report_row *const *)left;
	const struct report_row *other = *(struct report_row *const *)right;
	size_t shorter = one->key_bytes < other->key_bytes ? one->key_bytes : other->key_bytes;
	int order;

	if (one->count != other->count)
		return one->count < other->count ? 1 : -1;
	order = memcmp(one->key, other->key, shorter);
	return order ? order : one->key_bytes < other->key_bytes ? -1 : 1;
}

/* A row may count nothing but numbers, such as a command that started and did not end. */
static bool has_values(const struct report_row *row)
{
	uint64_t sum = row->count;

	for (int i = 0; i < REPORT_NUMBERS; i++)
		sum |= row->numbers[i];
	return sum != 0;
}

struct report_row **report_rows__sorted(const struct report_rows *rows, size_t *count)
{
	struct report_row **sorted = calloc(rows->count + 1, sizeof(*sorted));

	*count = 0;
	if (!sorted)
		return NULL;
	for (size_t slot = 0; slot <= rows->mask; slot++)
		if (rows->slots[slot] && has_values(rows->slots[slot]))
			sorted[(*count)++] = rows->slots[slot];
	qsort(sorted, *count, sizeof(*sorted), compare);
	if (has_values(&rows->other))
		sorted[(*count)++] = (struct report_row *)&rows->other;
	return sorted;
}
