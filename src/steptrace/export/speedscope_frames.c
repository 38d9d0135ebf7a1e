// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/speedscope_frames.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the item out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/text_hash.h"

struct frame {
	uint64_t key; /* a keyed hash of the text */
	uint32_t number;
	bool is_in_table;
	size_t bytes;
	UT_hash_handle hh;
	char text[];
};

struct speedscope_frames {
	struct frame *table;                /* the head of a uthash table */
	struct frame *list[FRAMES_MAX + 1]; /* by number; owned */
	uint32_t count;
	size_t bytes;
	uint64_t others;
	struct text_hash hash;
};

struct speedscope_frames *speedscope_frames__new(void)
{
	struct speedscope_frames *frames = calloc(1, sizeof(*frames));

	if (frames)
		text_hash__init(&frames->hash);
	return frames;
}

void speedscope_frames__free(struct speedscope_frames *frames)
{
	if (!frames)
		return;
	HASH_CLEAR(hh, frames->table);
	for (uint32_t i = 0; i < frames->count; i++)
		free(frames->list[i]);
	free(frames);
}

static int add(struct speedscope_frames *frames, uint64_t key, const char *text, size_t bytes,
	       uint32_t *number)
{
	struct frame *frame = calloc(1, sizeof(*frame) + bytes);

	if (!frame)
		return -ENOMEM;
	frame->key = key;
	frame->bytes = bytes;
	frame->is_in_table = true;
	frame->number = *number = frames->count;
	memcpy(frame->text, text, bytes);
	HASH_ADD(hh, frames->table, key, sizeof(frame->key), frame);
	if (!frame->is_in_table) {
		free(frame);
		return -ENOMEM;
	}
	frames->list[frames->count++] = frame;
	frames->bytes += bytes;
	return 0;
}

static struct frame *find(const struct speedscope_frames *frames, uint64_t key)
{
	struct frame *found;

	HASH_FIND(hh, frames->table, &key, sizeof(key), found);
	return found;
}

/* There is one more place in the list for it. */
static int number_of_other(struct speedscope_frames *frames, uint32_t *number)
{
	static const char text[] = "{\"name\":\"other\"}";
	uint64_t key = text_hash__of(&frames->hash, text, sizeof(text) - 1);
	const struct frame *found = find(frames, key);

	frames->others++;
	if (!found)
		return add(frames, key, text, sizeof(text) - 1, number);
	*number = found->number;
	return 0;
}

int speedscope_frames__number(struct speedscope_frames *frames, const char *text, size_t bytes,
			      uint32_t *number)
{
	uint64_t key = text_hash__of(&frames->hash, text, bytes);
	const struct frame *found = find(frames, key);

	if (found) {
		*number = found->number;
		return 0;
	}
	if (frames->count >= FRAMES_MAX || bytes > FRAMES_BYTES_MAX - frames->bytes)
		return number_of_other(frames, number);
	return add(frames, key, text, bytes, number);
}

uint32_t speedscope_frames__count(const struct speedscope_frames *frames)
{
	return frames->count;
}

const char *speedscope_frames__text(const struct speedscope_frames *frames, uint32_t number,
				    size_t *bytes)
{
	*bytes = frames->list[number]->bytes;
	return frames->list[number]->text;
}

uint64_t speedscope_frames__others(const struct speedscope_frames *frames)
{
	return frames->others;
}
