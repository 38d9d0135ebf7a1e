// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With about 100 bytes each. Addresses on stacks are foreign: without a limit, a process could name
 * every byte of its code. */
enum { FRAMES_MAX = 1 << 20 };

uint32_t frames__number(struct frames *frames, uint32_t module, uint64_t offset)
{
	uint32_t number = place_map__get(&frames->by_place, module, offset);
	size_t larger = frames->room ? 2 * frames->room : 1024;
	struct frame *moved;

	if (number)
		return number;
	if (frames->count == 0)
		frames->count = frames->named = 1;
	if (frames->count >= frames->room) {
		moved = larger <= FRAMES_MAX ? realloc(frames->items, larger * sizeof(*moved))
					     : NULL;
		if (!moved)
			return 0;
		frames->items = moved;
		frames->room = larger;
	}
	number = (uint32_t)frames->count;
	if (place_map__set(&frames->by_place, module, offset, number))
		return 0;
	frames->items[frames->count++] = (struct frame){.offset = offset, .module = module};
	return number;
}

/* ---- names */

static void give_name(const struct frame_sources *sources, struct frame *frame,
		      const char *function, const char *module, bool is_kernel)
{
	frame->name = symbol_names__get(sources->names, function, module, is_kernel);
}

/* Where there is no function, the address is not shown: not every user may know it. */
static void name_kernel_frame(const struct frame_sources *sources, struct frame *frame)
{
	const struct kernel_symbol *symbol = kernel_symbols__find(sources->kernel, frame->offset);

	if (symbol)
		give_name(sources, frame, kernel_symbols__name(sources->kernel, symbol),
			  kernel_symbols__module(sources->kernel, symbol), true);
	else
		give_name(sources, frame, "[kernel]", "[kernel]", true);
}

/* A place in no function. `text` is "" or "+0x1234": its address, as the linker gave it. */
static void name_by_place(const struct frame_sources *sources, struct frame *frame,
			  const char *text)
{
	const struct module *module = modules__at(sources->modules, frame->module);
	size_t bytes = strlen(module->name);
	bool has_brackets = module->name[0] == '[' && bytes > 1 && module->name[bytes - 1] == ']';
	char function[SYMBOL_BYTES];

	if (module->kind == MODULE_JIT)
		snprintf(function, sizeof(function), "%s", module->name);
	else if (text[0])
		snprintf(function, sizeof(function), "[%.*s%s]",
			 has_brackets ? (int)bytes - 2 : SYMBOL_BYTES / 2,
			 module->name + has_brackets, text);
	else
		snprintf(function, sizeof(function), "[%.*s+0x%" PRIx64 "]", SYMBOL_BYTES / 2,
			 module->name, frame->offset);
	give_name(sources, frame, function, module->name, false);
}

static const char *module_text(const struct module *module)
{
	return module->kind == MODULE_JIT && module->fd >= 0 && !module->is_broken ? "[perf map]"
										   : module->name;
}

static void take_names(const struct frame_sources *sources, struct frame *const *frames,
		       size_t count, const struct helper_answer *answer)
{
	const struct module *module = modules__at(sources->modules, frames[0]->module);
	const uint8_t *at = answer->texts;
	char text[HELPER_TEXT_MAX + 1];
	uint16_t length;

	for (size_t i = 0; i < count; i++) {
		memcpy(&length, at, sizeof(length));
		memcpy(text, at + sizeof(length), length);
		text[length] = 0;
		at += sizeof(length) + length;
		if (!text[0] || text[0] == '+')
			name_by_place(sources, frames[i], text);
		else
			give_name(sources, frames[i], text, module_text(module), false);
	}
}

/* Of one module, at most HELPER_PLACES_MAX. */
static bool ask_names(const struct frame_sources *sources, struct frame *const *frames,
		      size_t count)
{
	struct helper_question question = {
		.kind = HELPER_NAMES, .file = frames[0]->module, .places_count = (uint32_t)count};
	const struct helper_answer *answer;

	for (size_t i = 0; i < count; i++)
		question.places[i] = frames[i]->offset;
	if (modules__ask(sources->modules, sources->helper, &question, -1, &answer))
		return false;
	take_names(sources, frames, count, answer);
	return true;
}

static void name_by_helper(const struct frame_sources *sources, struct frame *const *frames,
			   size_t count)
{
	bool is_given = modules__give(sources->modules, frames[0]->module, sources->helper, NULL,
				      sources->troubles);

	for (size_t at = 0; at < count; at += HELPER_PLACES_MAX) {
		size_t some = count - at < HELPER_PLACES_MAX ? count - at : HELPER_PLACES_MAX;

		is_given = is_given && ask_names(sources, frames + at, some);
		for (size_t i = at; !is_given && i < at + some; i++)
			name_by_place(sources, frames[i], "");
	}
}

/* All of one module. */
static void name_frames(const struct frame_sources *sources, struct frame *const *frames,
			size_t count)
{
	if (modules__at(sources->modules, frames[0]->module)->kind != MODULE_KERNEL) {
		name_by_helper(sources, frames, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		name_kernel_frame(sources, frames[i]);
}

static int by_place(const void *one, const void *other)
{
	const struct frame *first = *(struct frame *const *)one;
	const struct frame *second = *(struct frame *const *)other;

	if (first->module != second->module)
		return first->module < second->module ? -1 : 1;
	return (first->offset > second->offset) - (first->offset < second->offset);
}

void frames__resolve(struct frames *frames, const struct frame_sources *sources)
{
	size_t count = frames->count - frames->named, end;
	struct frame **sorted = count ? calloc(count, sizeof(struct frame *)) : NULL;

	if (!sorted)
		return;
	modules__renew_time(sources->modules);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &frames->items[frames->named + i];
	qsort(sorted, count, sizeof(struct frame *), by_place);
	for (size_t at = 0; at < count; at = end) {
		for (end = at + 1; end < count && sorted[end]->module == sorted[at]->module;)
			end++;
		name_frames(sources, sorted + at, end - at);
	}
	free(sorted);
	frames->named = frames->count;
}

const struct symbol_name *frames__name(const struct frames *frames, uint32_t number)
{
	return number < frames->count && number ? frames->items[number].name : NULL;
}

void frames__free(struct frames *frames)
{
	free(frames->items);
	place_map__free(&frames->by_place);
	*frames = (struct frames){0};
}
