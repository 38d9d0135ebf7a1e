/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles made by hand or at random, and what flame__write() makes of them. */
#ifndef FLAME_FIXTURE_H
#define FLAME_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/flame/flame.h"

static const struct folded_frame frame_main = {"main", "steprun", false};
static const struct folded_frame frame_step = {"sqlite3_step", "libsqlite3.so.0", false};
static const struct folded_frame frame_futex = {"do_futex", "[kernel]", true};
static const struct folded_frame frame_new = {"operator new(unsigned long)", "libc++; 1", false};
static const struct folded_frame frame_hostile = {
	"</script>\"<img src=x onerror=y>\x1b\n\xe2\x80\xae\xef\xbf\xbf 12", "<![CDATA[&", false};

#define FRAMES(...)                                                                                \
	(const struct folded_frame *const[]){__VA_ARGS__},                                         \
		sizeof((const struct folded_frame *const[]){__VA_ARGS__}) / sizeof(void *)

static const struct folded_stack few[] = {
	{"triage", "Update", STATE_ON_CPU, FRAMES(&frame_main, &frame_step), false, 2, 20202020},
	{"triage", "Update", STATE_LOCK, FRAMES(&frame_main, &frame_futex), false, 3, 1200000000},
	{"add", "", STATE_ON_CPU, FRAMES(&frame_new), true, 1, 10101499},
	{"triage", "Update", STATE_ON_CPU, FRAMES(&frame_main), false, 1, 400},
	/* equal to the first one */
	{"triage", "Update", STATE_ON_CPU, FRAMES(&frame_main, &frame_step), false, 1, 10101010},
	{"triage", "", STATE_DISK, NULL, 0, false, 1, 5000000},
};

static const struct folded_facts facts = {
	.started_at_ns = 1764494858000000000,
	.duration_ns = 30000000000,
	.on_cpu = true,
	.off_cpu = true,
	.frequency_hz = 99,
	.min_blocked_ns = 1000000,
	.on_cpu_unwind = "frame pointers",
	.off_cpu_unwind = "DWARF",
	.executions_count = 1,
	.samples_count = 9,
	.cut_count = 1,
	.outside_count = 1,
	.dropped_count = 2000,
	.lost_count = 1234567,
};

/* The text, which the caller frees. */
static inline char *written(enum flame_format format, const struct folded_stack *stacks,
			    size_t count)
{
	struct folded folded = {.facts = facts, .stacks = stacks, .stacks_count = count};
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	assert_int_equal(flame__write(out, format, &folded), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(text), bytes);
	return text;
}

/* ---- random profiles: few names, so that stacks share beginnings and are sometimes equal */

enum { RANDOM_STACKS = 200, RANDOM_DEPTH = 9, RANDOM_FRAMES = 4 };

struct random_profile {
	struct folded_stack stacks[RANDOM_STACKS];
	const struct folded_frame *frames[RANDOM_STACKS][RANDOM_DEPTH];
};

static inline uint64_t draw(uint64_t *seed, uint64_t end)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % end;
}

static inline struct folded_stack random_stack(uint64_t *seed,
					       const struct folded_frame *frames[RANDOM_DEPTH])
{
	static const char *const commands[] = {"a", "b", "<c>"}, *const steps[] = {"", "A", "B"};
	static const struct folded_frame *const all[RANDOM_FRAMES] = {&frame_main, &frame_step,
								      &frame_futex, &frame_hostile};
	size_t count = draw(seed, RANDOM_DEPTH + 1);

	for (size_t i = 0; i < count; i++)
		frames[i] = all[draw(seed, RANDOM_FRAMES)];
	return (struct folded_stack){
		.command = commands[draw(seed, 3)],
		.step = steps[draw(seed, 3)],
		.state = (enum stack_state)draw(seed, STACK_STATES_COUNT),
		.frames = frames,
		.frames_count = count,
		.is_cut = draw(seed, 5) == 0,
		.samples_count = 1,
		.time_ns = 1000 * (1 + draw(seed, 100000)),
	};
}

static inline void random_profile(struct random_profile *profile, uint64_t seed)
{
	for (size_t i = 0; i < RANDOM_STACKS; i++)
		profile->stacks[i] = random_stack(&seed, profile->frames[i]);
}

static inline uint64_t time_of(const struct folded_stack *stacks, size_t count)
{
	uint64_t time_ns = 0;

	for (size_t i = 0; i < count; i++)
		time_ns += stacks[i].time_ns;
	return time_ns;
}

#endif
