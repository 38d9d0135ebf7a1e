// SPDX-License-Identifier: BSD-2-Clause
/*
 * What `steptrace profile` does with samples after their frames are known: a stack becomes a
 * number, a sample waits and joins its span, and at the end stacks of places become stacks of
 * functions and a picture. And how much memory it needs when its hold is full: as many samples as
 * fit wait, the stacks of many of them differ, and each has 40 frames.
 *
 * The target for the memory is that of docs/man/steptrace.8, --hold.
 */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "steptrace/flame/flame.h"
#include "steptrace/profile/profile.h"
#include "steptrace/stack_record.h"
#include "steptrace/stream/executions.h"

enum {
	HOLD_BYTES = 64 << 20,
	KERNEL_FRAMES = 8,
	USER_FRAMES = 32,
	FUNCTIONS = 5000,
	PLACES = 16, /* of a function */
	SPAN_SAMPLES = 100,
	STACKS = 100000,
};

/* ---- functions */

static struct folded_frame functions[FUNCTIONS];
static char function_names[FUNCTIONS][32];

static void make_functions(void)
{
	for (int i = 0; i < FUNCTIONS; i++) {
		snprintf(function_names[i], sizeof(function_names[i]), "some_function_%d", i);
		functions[i] = (struct folded_frame){function_names[i], "libsomething.so.1", false};
	}
}

static void name_frame(void *context, uint32_t frame, struct frame_name *name)
{
	(void)context;
	name->frame = &functions[frame / PLACES % FUNCTIONS];
	name->is_outermost = true;
}

/* ---- samples */

static uint64_t now_ns = 1000;

/* Stacks of different numbers share their outer half, as those of a program do. */
static uint32_t make_stack(struct profile *profile, uint32_t number)
{
	uint32_t kernel[KERNEL_FRAMES], user[USER_FRAMES], mixed = number * 2654435761u;

	for (uint32_t i = 0; i < KERNEL_FRAMES; i++)
		kernel[i] = (mixed >> i) % 4000;
	for (uint32_t i = 0; i < USER_FRAMES; i++)
		user[i] = i < USER_FRAMES / 2 ? (number >> i % 16) * 31 % (FUNCTIONS * PLACES)
					      : number % 8 * 100 + i;
	user[0] = number % (FUNCTIONS * PLACES);
	return profile__stack(profile, &(const struct raw_stack){kernel, user, KERNEL_FRAMES,
								 USER_FRAMES, STACK_WHOLE});
}

static void add_sample(struct profile *profile, uint32_t number)
{
	const struct sample sample = {.time_ns = ++now_ns,
				      .tid = 7,
				      .stack = make_stack(profile, number),
				      .kind = STACK_ON_CPU};

	profile__add(profile, &sample);
}

static void end_command(struct profile *profile, uint64_t begin_ns)
{
	static const struct steptrace_record record = {.time_ns = 1ull << 40, .tid = 7};
	static struct execution execution = {.pid = 7};
	struct command_span command = {
		.outcome = OUTCOME_SUCCESS, .slug = "bench", .head.start_ns = begin_ns};
	const struct event event = {.kind = EVENT_COMMAND_COMPLETED,
				    .record = &record,
				    .execution = &execution,
				    .command = &command};

	command.head.end_ns = now_ns;
	profile__on_event(profile, &event);
	profile__join(profile);
}

static struct profile *new_profile(void)
{
	const struct profile_options options = {.hold_bytes = HOLD_BYTES, .period_ns = 10000000};
	struct profile *profile = profile__new(&options);

	if (!profile)
		exit(1);
	return profile;
}

/* ---- one sample */

struct context {
	struct profile *profile;
	uint32_t next;
};

static void run_samples(void *context, int times)
{
	struct context *all = context;

	for (int i = 0; i < times; i += SPAN_SAMPLES) {
		uint64_t begin_ns = now_ns;

		for (int j = 0; j < SPAN_SAMPLES; j++)
			add_sample(all->profile, all->next++ % 1000);
		end_command(all->profile, begin_ns);
	}
}

static void show_samples(void)
{
	struct context context = {.profile = new_profile()};
	struct contender contender = {.name = "a sample: number, wait, join",
				      .run = run_samples,
				      .context = &context,
				      .times = 2000};

	bench__run(&contender, 1);
	bench__line(.name = contender.name, .value = bench__median(&contender),
		    .target = "at most 2000 ns", .met = bench__median(&contender) <= 2000);
	profile__free(context.profile);
}

/* ---- the end */

static void show_format(const struct folded *folded, enum flame_format format)
{
	uint64_t start_ns = bench__now_ns();
	size_t bytes;
	char *text, name[64];
	FILE *out = open_memstream(&text, &bytes);

	if (!out || flame__write(out, format, folded) || fclose(out))
		exit(1);
	snprintf(name, sizeof(name), "  %s, %.1f MB", flame_format__name(format),
		 (double)bytes / 1e6);
	bench__line(.name = name, .value = (double)(bench__now_ns() - start_ns) / 1e6,
		    .unit = "ms");
	free(text);
}

static void show_end(void)
{
	static const struct frame_names names = {name_frame, NULL};
	struct folded folded = {.facts = {.on_cpu = true, .on_cpu_unwind = "DWARF"}};
	struct profile *profile = new_profile();
	uint64_t start_ns;

	for (uint32_t i = 0; i < STACKS; i++)
		add_sample(profile, i);
	end_command(profile, 1);
	start_ns = bench__now_ns();
	if (profile__fold(profile, &names, &folded))
		exit(1);
	bench__line(.name = "the end: fold 100,000 stacks",
		    .value = (double)(bench__now_ns() - start_ns) / 1e6, .unit = "ms",
		    .target = "at most 1000 ms", .met = bench__now_ns() - start_ns <= 1000000000);
	printf("    %zu rows\n", folded.stacks_count);
	for (int format = 0; format < FLAME_FORMATS_COUNT; format++)
		show_format(&folded, (enum flame_format)format);
	profile__free(profile);
}

/* ---- memory */

static double resident_mib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		exit(1);
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

static void show_memory(void)
{
	struct profile *profile = new_profile();
	double before = resident_mib(), most;

	for (uint32_t i = 0; i < 2000000; i++)
		add_sample(profile, i % (3 * STACKS));
	most = resident_mib() - before;
	bench__line(.name = "memory, 2,000,000 samples, 300,000 stacks", .value = most,
		    .unit = "MiB", .target = "at most 2 x hold, 128 MiB", .met = most <= 128);
	profile__free(profile);
}

/* Of the whole process: after show_end(), that of the end. */
static void show_peak(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	bench__line(.name = "the most memory, at the end", .value = (double)usage.ru_maxrss / 1024,
		    .unit = "MiB");
}

int main(void)
{
	printf("samples of a profile, a hold of 64M\n");
	make_functions();
	show_memory();
	show_samples();
	show_end();
	show_peak();
	return 0;
}
