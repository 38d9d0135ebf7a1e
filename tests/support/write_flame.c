// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes a profile to stdout, without recording one.
 *
 *	write_flame FORMAT FILE.json		from {"facts": {…}, "frames": […], "stacks": […]}
 *	write_flame FORMAT random COUNT		COUNT different stacks, always the same ones
 *
 *	"frames": [["main", "steprun", false], …]
 *	"stacks": [{"command": "triage", "step": "Step", "state": "lock", "frames": [0, …],
 *		    "cut": false, "samples": 1, "time_ns": 1000}, …]
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/flame/flame.h"

/* Ends the program where memory is short. */
static void *room_for(size_t count, size_t bytes)
{
	void *room = calloc(count + 1, bytes);

	if (!room)
		exit(1);
	return room;
}

/* ---- from a file */

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	if (!file || getdelim(&text, &room, '\0', file) < 0)
		exit(1);
	fclose(file);
	return text;
}

static uint64_t number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(object, name);

	return item ? (uint64_t)item->valuedouble : 0;
}

static const char *text_of(const cJSON *object, const char *name, const char *otherwise)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return text ? text : otherwise;
}

static enum stack_state state_of(const char *name)
{
	int state = 0;

	while (strcmp(stack_state__name((enum stack_state)state), name) != 0)
		state++;
	return (enum stack_state)state;
}

static struct folded_facts facts_of(const cJSON *facts)
{
	return (struct folded_facts){
		.started_at_ns = number_of(facts, "started_at_ns"),
		.duration_ns = number_of(facts, "duration_ns"),
		.on_cpu = true,
		.off_cpu = true,
		.frequency_hz = 99,
		.min_blocked_ns = 1000,
		.on_cpu_unwind = text_of(facts, "on_cpu_unwind", "frame pointers"),
		.off_cpu_unwind = text_of(facts, "off_cpu_unwind", "DWARF"),
		.executions_count = number_of(facts, "executions"),
		.samples_count = number_of(facts, "samples"),
		.cut_count = number_of(facts, "cut"),
		.outside_count = number_of(facts, "outside"),
		.dropped_count = number_of(facts, "dropped"),
		.lost_count = number_of(facts, "lost"),
	};
}

static struct folded_frame *frames_of(const cJSON *list)
{
	struct folded_frame *frames = room_for((size_t)cJSON_GetArraySize(list), sizeof(*frames));
	const cJSON *item;
	size_t count = 0;

	cJSON_ArrayForEach (item, list)
		frames[count++] = (struct folded_frame){
			.function = cJSON_GetStringValue(cJSON_GetArrayItem(item, 0)),
			.module = cJSON_GetStringValue(cJSON_GetArrayItem(item, 1)),
			.is_kernel = cJSON_IsTrue(cJSON_GetArrayItem(item, 2)),
		};
	return frames;
}

static struct folded_stack stack_of(const cJSON *item, const struct folded_frame *frames)
{
	const cJSON *path = cJSON_GetObjectItem(item, "frames"), *number;
	const struct folded_frame **list =
		room_for((size_t)cJSON_GetArraySize(path), sizeof(*list));
	struct folded_stack stack = {
		.command = text_of(item, "command", ""),
		.step = text_of(item, "step", ""),
		.state = state_of(text_of(item, "state", "on-cpu")),
		.frames = list,
		.is_cut = cJSON_IsTrue(cJSON_GetObjectItem(item, "cut")),
		.samples_count = number_of(item, "samples"),
		.time_ns = number_of(item, "time_ns"),
	};

	cJSON_ArrayForEach (number, path)
		list[stack.frames_count++] = &frames[number->valueint];
	return stack;
}

static struct folded folded_of_file(const char *path)
{
	cJSON *document = cJSON_Parse(read_file(path));
	const cJSON *list = cJSON_GetObjectItem(document, "stacks"), *item;
	const struct folded_frame *frames = frames_of(cJSON_GetObjectItem(document, "frames"));
	struct folded_stack *stacks = room_for((size_t)cJSON_GetArraySize(list), sizeof(*stacks));
	struct folded folded = {
		.facts = facts_of(cJSON_GetObjectItem(document, "facts")),
		.stacks = stacks,
	};

	cJSON_ArrayForEach (item, list)
		stacks[folded.stacks_count++] = stack_of(item, frames);
	return folded;
}

/* ---- random */

enum { FUNCTIONS = 5000, DEPTH = 48 };

static uint64_t state = 88172645463325252u;

static uint64_t draw(uint64_t end)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % end;
}

static char *name_of(const char *form, uint64_t number)
{
	char text[64];

	snprintf(text, sizeof(text), form, (unsigned int)number);
	return strdup(text);
}

static struct folded_frame *random_frames(void)
{
	struct folded_frame *frames = room_for(FUNCTIONS, sizeof(*frames));

	for (size_t i = 0; i < FUNCTIONS; i++) {
		frames[i].is_kernel = i >= FUNCTIONS - 500;
		frames[i].function = name_of("function_number_%u", i);
		frames[i].module = frames[i].is_kernel ? "[kernel]" : name_of("lib%u.so", i % 30);
	}
	return frames;
}

/* As a program calls: the outer functions are few, the inner ones many. */
static struct folded_stack random_stack(const struct folded_frame *frames)
{
	size_t depth = 12 + draw(DEPTH - 12), kernel = draw(2) * draw(8);
	const struct folded_frame **list = room_for(depth + kernel, sizeof(*list));
	struct folded_stack stack = {
		.command = name_of("command-%u", draw(3) * draw(8)),
		.step = name_of("Number%uStep", draw(12)),
		.state = (enum stack_state)(draw(2) * draw(STACK_STATES_COUNT)),
		.frames = list,
		.frames_count = depth + kernel,
		.samples_count = 1 + draw(20),
	};
	uint64_t path = 7;

	for (size_t i = 0; i < depth; i++) {
		path = path * 31 + draw(1 + i / 3);
		list[i] = &frames[path % (FUNCTIONS - 500)];
	}
	for (size_t i = 0; i < kernel; i++)
		list[depth + i] = &frames[FUNCTIONS - 500 + draw(500)];
	stack.time_ns = stack.samples_count * 10101010;
	return stack;
}

static struct folded random_folded(size_t count)
{
	const struct folded_frame *frames = random_frames();
	struct folded_stack *stacks = room_for(count, sizeof(*stacks));
	struct folded folded = {.stacks = stacks, .stacks_count = count};

	folded.facts = facts_of(NULL);
	folded.facts.started_at_ns = 1764000000000000000u;
	folded.facts.duration_ns = 30000000000u;
	for (size_t i = 0; i < count; i++) {
		stacks[i] = random_stack(frames);
		folded.facts.samples_count += stacks[i].samples_count;
	}
	return folded;
}

int main(int argc, char **argv)
{
	int format = argc > 2 ? flame_format__parse(argv[1]) : -1;
	struct folded folded;

	if (format < 0) {
		fprintf(stderr, "usage: write_flame FORMAT FILE.json | FORMAT random COUNT\n");
		return 2;
	}
	if (argc > 3)
		folded = random_folded(strtoul(argv[3], NULL, 10));
	else
		folded = folded_of_file(argv[2]);
	return flame__write(stdout, (enum flame_format)format, &folded) ? 1 : 0;
}
