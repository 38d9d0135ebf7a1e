// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/open_spans.h"

#include <stdlib.h>
#include <string.h>

#include "steptrace/inflight/runner_structs.h"

/* ---- bytes of the runner */

static bool read_exactly(const struct memory_reader *memory, uint64_t address, void *bytes,
			 size_t size_bytes)
{
	return memory->read(memory->context, address, bytes, size_bytes) == (ssize_t)size_bytes;
}

/* Reads the text at `address` to an array of `room` bytes, with a NUL at its end. No UTF-8
 * character is split where the text is truncated. An address that cannot be read is no text. */
static void read_text(const struct memory_reader *memory, uint64_t address, char *text, size_t room)
{
	ssize_t bytes = address ? memory->read(memory->context, address, text, room) : 0;
	size_t length;

	if (bytes < 0)
		bytes = 0;
	length = strnlen(text, (size_t)bytes);
	if (length == room) {
		length = room - 1;
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	memset(text + length, 0, room - length);
}

/* ---- checks */

static bool is_address(uint64_t address)
{
	return address != 0 && address % sizeof(uint64_t) == 0 && address >> 56 == 0;
}

/* Of a struct whose text was filled in, the head of the span is known. */
static bool head_is_valid(const struct span_head *head, uint8_t described, uint8_t kind)
{
	if (described == 0)
		return true;
	return described == 1 && head->layout == SPAN_LAYOUT && head->kind == kind;
}

static bool command_is_valid(const struct runner_command *command)
{
	return command->begun == 1 && command->pause <= RUNNER_RESUMED &&
	       (command->parent == 0 || is_address(command->parent)) &&
	       head_is_valid(&command->span.head, command->described, RUNNER_SPAN_COMMAND);
}

static bool step_is_valid(const struct runner_step *step)
{
	return is_address(step->command) && step->pause <= RUNNER_RESUMED &&
	       (step->parent == 0 || is_address(step->parent)) &&
	       head_is_valid(&step->span.child.head, step->described, RUNNER_SPAN_STEP);
}

static bool is_tag(uint64_t word, uint64_t address, uint8_t kind)
{
	struct tag tag;

	return tag__parse(word, address, &tag) && tag.kind == kind;
}

/* ---- one struct */

static uint64_t checked_start(uint64_t start_ns, uint64_t now_ns)
{
	return start_ns <= now_ns ? start_ns : 0;
}

static void fill_in_command(struct open_command *to, const struct runner_command *from,
			    const struct memory_reader *memory)
{
	memcpy(to->execution_id, from->span.head.execution_id, sizeof(to->execution_id));
	to->has_steps = false;
	to->steps_count = 0;
	for (size_t i = 0; i < sizeof(from->steps_count) / sizeof(from->steps_count[0]); i++)
		to->steps_count += from->steps_count[i];
	read_text(memory, from->slug, to->slug, sizeof(to->slug));
	read_text(memory, from->user_id, to->user_id, sizeof(to->user_id));
	read_text(memory, from->request_source, to->request_source, sizeof(to->request_source));
	read_text(memory, from->correlation_id, to->correlation_id, sizeof(to->correlation_id));
}

static void fill_in_step(struct open_step *to, const struct runner_step *from,
			 const struct memory_reader *memory)
{
	to->command_address = from->command;
	to->parent_address = from->parent;
	to->command = to->parent = OPEN_NONE;
	to->has_inner = false;
	memcpy(to->step_id, from->span.step_id, sizeof(to->step_id));
	to->index = from->index;
	read_text(memory, from->type, to->type, sizeof(to->type));
	read_text(memory, from->name, to->name, sizeof(to->name));
}

enum result { READ, CHANGED, INVALID };

/* Another begin or end call in the same struct changes the tag, the start time or a pointer. */
static enum result read_command(struct open_command *to, uint64_t address,
				const struct memory_reader *memory, uint64_t now_ns)
{
	struct runner_command before, after;

	if (!read_exactly(memory, address, &before, sizeof(before)))
		return INVALID;
	if (!is_tag(before.tag, address + offsetof(struct runner_command, tag),
		    RUNNER_SPAN_COMMAND))
		return CHANGED;
	if (!command_is_valid(&before))
		return INVALID;
	fill_in_command(to, &before, memory);
	if (!read_exactly(memory, address, &after, sizeof(after)) || after.tag != before.tag ||
	    after.slug != before.slug || after.correlation_id != before.correlation_id ||
	    after.span.head.start_ns != before.span.head.start_ns)
		return CHANGED;
	to->span = (struct open_span){
		.address = address,
		.start_ns = checked_start(before.span.head.start_ns, now_ns),
		.seen_ns = now_ns,
		.is_suspended = before.pause == RUNNER_PAUSED,
	};
	return READ;
}

static enum result read_step(struct open_step *to, uint64_t address,
			     const struct memory_reader *memory, uint64_t now_ns)
{
	struct runner_step before, after;

	if (!read_exactly(memory, address, &before, sizeof(before)))
		return INVALID;
	if (!is_tag(before.tag, address + offsetof(struct runner_step, tag), RUNNER_SPAN_STEP))
		return CHANGED;
	if (!step_is_valid(&before))
		return INVALID;
	fill_in_step(to, &before, memory);
	if (!read_exactly(memory, address, &after, sizeof(after)) || after.tag != before.tag ||
	    after.type != before.type || after.name != before.name ||
	    after.command != before.command ||
	    after.span.child.head.start_ns != before.span.child.head.start_ns)
		return CHANGED;
	to->span = (struct open_span){
		.address = address,
		.start_ns = checked_start(before.span.child.head.start_ns, now_ns),
		.seen_ns = now_ns,
		.is_suspended = before.pause == RUNNER_PAUSED,
	};
	return READ;
}

/* ---- lists */

static bool is_full(const struct open_spans *spans)
{
	size_t count = spans->commands_count + spans->steps_count;

	return count >= OPEN_SPANS_MIN && spans->others + count >= OPEN_SPANS_TOTAL_MAX;
}

/* Room for one more; NULL: the list is full, or there is no memory. */
static void *one_more(void **items, size_t count, size_t *room, size_t item_bytes)
{
	if (count == *room) {
		size_t larger = *room ? 2 * *room : 64;
		void *moved = count < OPEN_SPANS_MAX ? realloc(*items, larger * item_bytes) : NULL;

		if (!moved)
			return NULL;
		*items = moved;
		*room = larger;
	}
	return (char *)*items + count * item_bytes;
}

/* True: it was read. */
static bool count(struct open_spans *spans, enum result result, size_t *items_count)
{
	if (result == READ)
		++*items_count;
	if (result == INVALID)
		spans->invalid++;
	return result == READ;
}

/* NULL: it is left out, and counted. */
static struct open_command *next_command(struct open_spans *spans)
{
	struct open_command *command =
		is_full(spans) ? NULL
			       : one_more((void **)&spans->commands, spans->commands_count,
					  &spans->commands_room, sizeof(*spans->commands));

	spans->left_out += command == NULL;
	return command;
}

static struct open_step *next_step(struct open_spans *spans)
{
	struct open_step *step = is_full(spans)
					 ? NULL
					 : one_more((void **)&spans->steps, spans->steps_count,
						    &spans->steps_room, sizeof(*spans->steps));

	spans->left_out += step == NULL;
	return step;
}

static bool take_command(struct open_spans *spans, uint64_t address,
			 const struct memory_reader *memory, uint64_t now_ns)
{
	struct open_command *command = next_command(spans);
	enum result result;

	if (!command)
		return false;
	result = read_command(command, address, memory, now_ns);
	if (result == CHANGED)
		result = read_command(command, address, memory, now_ns);
	return count(spans, result, &spans->commands_count);
}

static bool take_step(struct open_spans *spans, uint64_t address,
		      const struct memory_reader *memory, uint64_t now_ns)
{
	struct open_step *step = next_step(spans);
	enum result result;

	if (!step)
		return false;
	result = read_step(step, address, memory, now_ns);
	if (result == CHANGED)
		result = read_step(step, address, memory, now_ns);
	return count(spans, result, &spans->steps_count);
}

bool open_spans__add_command(struct open_spans *spans, const struct open_command *command)
{
	struct open_command *added = next_command(spans);

	if (!added)
		return false;
	*added = *command;
	added->has_steps = false;
	spans->commands_count++;
	return true;
}

bool open_spans__add_step(struct open_spans *spans, const struct open_step *step)
{
	struct open_step *added = next_step(spans);

	if (!added)
		return false;
	*added = *step;
	added->command = added->parent = OPEN_NONE;
	added->has_inner = false;
	spans->steps_count++;
	return true;
}

bool open_spans__read(struct open_spans *spans, const struct tag *tag,
		      const struct memory_reader *memory, uint64_t now_ns)
{
	bool is_command = tag->kind == RUNNER_SPAN_COMMAND &&
			  tag->size_bytes >= sizeof(struct runner_command);
	bool is_step =
		tag->kind == RUNNER_SPAN_STEP && tag->size_bytes >= sizeof(struct runner_step);

	if (tag->version != TAG_VERSION || (!is_command && !is_step)) {
		spans->invalid++;
		return false;
	}
	if (is_command)
		return take_command(spans, tag->address - offsetof(struct runner_command, tag),
				    memory, now_ns);
	return take_step(spans, tag->address - offsetof(struct runner_step, tag), memory, now_ns);
}

/* ---- which step belongs to what */

static int compare(uint64_t one, uint64_t other)
{
	return one < other ? -1 : one > other;
}

static int by_address(const void *one, const void *other)
{
	return compare(((const struct open_span *)one)->address,
		       ((const struct open_span *)other)->address);
}

/* Sorts a list, whose items begin with a struct open_span, and removes what was found twice. */
static void sort(void *items, size_t *count, size_t item_bytes)
{
	char *first = items;
	size_t kept = 0;

	if (*count == 0)
		return;
	qsort(items, *count, item_bytes, by_address);
	for (size_t i = 1; i < *count; i++)
		if (by_address(first + i * item_bytes, first + kept * item_bytes) != 0 &&
		    ++kept != i)
			memcpy(first + kept * item_bytes, first + i * item_bytes, item_bytes);
	*count = kept + 1;
}

static int find(const void *items, size_t count, size_t item_bytes, uint64_t address)
{
	const struct open_span wanted = {.address = address};
	const char *found = count ? bsearch(&wanted, items, count, item_bytes, by_address) : NULL;

	return found ? (int)((size_t)(found - (const char *)items) / item_bytes) : OPEN_NONE;
}

int open_spans__find_command(const struct open_spans *spans, uint64_t address)
{
	return find(spans->commands, spans->commands_count, sizeof(*spans->commands), address);
}

int open_spans__find_step(const struct open_spans *spans, uint64_t address)
{
	return find(spans->steps, spans->steps_count, sizeof(*spans->steps), address);
}

/* The command of a step may have ended since the step was read. */
static void remove_steps_without_command(struct open_spans *spans)
{
	size_t kept = 0;

	for (size_t i = 0; i < spans->steps_count; i++) {
		struct open_step *step = &spans->steps[i];

		step->command = open_spans__find_command(spans, step->command_address);
		if (step->command == OPEN_NONE)
			continue;
		spans->commands[step->command].has_steps = true;
		if (kept != i)
			spans->steps[kept] = *step;
		kept++;
	}
	spans->steps_count = kept;
}

void open_spans__link(struct open_spans *spans)
{
	sort(spans->commands, &spans->commands_count, sizeof(*spans->commands));
	sort(spans->steps, &spans->steps_count, sizeof(*spans->steps));
	remove_steps_without_command(spans);
	for (size_t i = 0; i < spans->steps_count; i++) {
		struct open_step *step = &spans->steps[i];
		int parent = step->parent_address
				     ? open_spans__find_step(spans, step->parent_address)
				     : OPEN_NONE;

		if (parent == OPEN_NONE || spans->steps[parent].command != step->command)
			continue;
		step->parent = parent;
		spans->steps[parent].has_inner = true;
	}
}

void open_spans__free(struct open_spans *spans)
{
	free(spans->commands);
	free(spans->steps);
	*spans = (struct open_spans){0};
}
