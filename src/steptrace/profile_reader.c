// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/profile_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/record/accounting.h"
#include "steptrace/stack_record.h"

enum { READ_LIMIT = 4096 };

int profile_reader__open(struct profile_reader *reader, const struct profile_request *request)
{
	*reader = (struct profile_reader){
		.request = request,
		.profile = profile__new(&request->profile),
		.programs = interned__new(1 << 20),
	};
	return reader->profile && reader->programs ? 0 : -ENOMEM;
}

void profile_reader__close(struct profile_reader *reader)
{
	symbols__close(reader->symbols);
	profile__free(reader->profile);
	interned__free(reader->programs);
	free(reader->text);
}

/* ---- programs */

/* Its files are opened when it is seen for the first time: it may end soon. False: it is known. */
static bool look_at(struct profile_reader *reader, uint32_t pid, uint64_t program)
{
	const uint64_t key[2] = {pid, program};
	uint32_t before = interned__count(reader->programs);

	interned__number(reader->programs, key, sizeof(key));
	if (interned__count(reader->programs) == before)
		return false;
	symbols__forget(reader->symbols, (pid_t)pid);
	symbols__look_at(reader->symbols, (pid_t)pid);
	return true;
}

/* ---- samples */

struct places {
	uint32_t kernel[STACK_FRAMES_MAX], user[STACK_FRAMES_MAX];
	uint64_t unwound[STACK_FRAMES_MAX];
};

static void place_kernel(const struct profile_reader *reader, const struct stack_record *record,
			 const uint64_t *addresses, struct raw_stack *stack, struct places *places)
{
	for (uint32_t i = 0; i < record->kernel_count; i++)
		places->kernel[i] = symbols__kernel_frame(reader->symbols, addresses[i], i > 0);
	stack->kernel = places->kernel;
	stack->kernel_count = record->kernel_count;
}

static void place_user(const struct profile_reader *reader, uint32_t pid, const uint64_t *addresses,
		       uint32_t count, struct raw_stack *stack, struct places *places)
{
	for (uint32_t i = 0; i < count; i++)
		places->user[i] = symbols__frame(reader->symbols, (pid_t)pid, addresses[i], i > 0);
	stack->user = places->user;
	stack->user_count = count;
}

static void unwind(const struct profile_reader *reader, const struct stack_record *record,
		   const struct stack_copy *copy, struct raw_stack *stack, struct places *places)
{
	bool is_cut = true;
	size_t count = symbols__unwind(reader->symbols, (pid_t)record->pid, copy, places->unwound,
				       STACK_FRAMES_MAX, &is_cut);

	/* A new thread is still in clone3(), and has no caller: the name decides. */
	stack->end = STACK_WHOLE;
	if (is_cut)
		stack->end = count < STACK_FRAMES_MAX ? STACK_END_BY_NAME : STACK_CUT;
	place_user(reader, record->pid, places->unwound, (uint32_t)count, stack, places);
}

/*
 * Frame pointers: whether the chain came to its end cannot be seen, but where it ends can. Code
 * that uses the register for something else leads the kernel astray: what follows the first address
 * that is no code is left out.
 */
static void place_listed(const struct profile_reader *reader, const struct stack_record *record,
			 const uint64_t *addresses, struct raw_stack *stack, struct places *places)
{
	uint32_t count = 0;

	stack->end = record->user_count < STACK_FRAMES_MAX ? STACK_END_BY_NAME : STACK_CUT;
	place_user(reader, record->pid, addresses, record->user_count, stack, places);
	while (count < stack->user_count && (count == 0 || places->user[count] != FRAME_UNKNOWN))
		count++;
	if (count < stack->user_count)
		stack->end = STACK_CUT;
	stack->user_count = count;
}

/* The parts of a record, which is checked before: no count leads out of it. */
struct parts {
	const uint64_t *user, *kernel;
	const struct stack_copy *copy; /* NULL: frame pointers */
};

/* The kernel side wrote it; still, it is not believed. */
static bool find_parts(const struct stack_record *record, size_t bytes, struct parts *parts)
{
	const char *at = (const char *)(record + 1);
	size_t kernel = record->kernel_count * sizeof(uint64_t);
	size_t user = record->user_count * sizeof(uint64_t);

	*parts = (struct parts){.user = (const uint64_t *)at};
	bytes -= sizeof(*record);
	if (record->kernel_count > STACK_FRAMES_MAX || record->user_count > STACK_FRAMES_MAX)
		return false;
	if (record->flags & STACK_HAS_COPY) {
		parts->copy = (const struct stack_copy *)at;
		if (bytes < sizeof(*parts->copy) || parts->copy->bytes_count > STACK_COPY_MAX ||
		    parts->copy->bytes_count % sizeof(uint64_t))
			return false;
		user = sizeof(*parts->copy) + parts->copy->bytes_count;
	}
	parts->kernel = (const uint64_t *)(at + user);
	return bytes >= user + kernel;
}

/* Reads what processes mapped up to this time. */
static void read_news(struct profile_reader *reader, uint64_t time_ns)
{
	if (time_ns < reader->news_ns)
		return;
	reader->news_ns = clock__now_ns();
	watch__on_news(reader->watch);
}

static uint32_t number_of(struct profile_reader *reader, const struct stack_record *record,
			  const struct parts *parts)
{
	struct raw_stack stack = {.end = STACK_CUT};
	struct places places;

	read_news(reader, record->time_ns);
	look_at(reader, record->pid, record->program);
	place_kernel(reader, record, parts->kernel, &stack, &places);
	if (parts->copy)
		unwind(reader, record, parts->copy, &stack, &places);
	else
		place_listed(reader, record, parts->user, &stack, &places);
	return profile__stack(reader->profile, &stack);
}

static int on_sample(void *context, const void *bytes, size_t size_bytes)
{
	struct profile_reader *reader = context;
	const struct stack_record *record = bytes;
	struct parts parts;

	if (size_bytes >= sizeof(*record) && record->kind == STACK_PROGRAM) {
		if (!look_at(reader, record->pid, record->program))
			symbols__look_at(reader->symbols, (pid_t)record->pid);
	} else if (size_bytes >= sizeof(*record) && find_parts(record, size_bytes, &parts)) {
		const struct sample sample = {
			.time_ns = record->time_ns,
			.blocked_ns = record->blocked_ns,
			.runnable_ns = record->runnable_ns,
			.tid = record->tid,
			.stack = number_of(reader, record, &parts),
			.kind = record->kind,
			.blocked_kind = record->blocked_kind,
			.ticks = record->ticks,
		};

		profile__add(reader->profile, &sample);
	}
	return 0;
}

static void on_mapped(void *context, const struct mmap_record *record)
{
	const struct profile_reader *reader = context;
	const struct process_mapping mapping = {
		.start = record->start,
		.end = record->start + record->bytes,
		.file_offset = record->file_offset,
		.device = record->device,
		.inode = record->inode,
		.permissions = "r-xp",
		.untrusted_path = record->untrusted_path,
	};

	symbols__mapped(reader->symbols, (pid_t)record->pid, &mapping);
}

static int open_sampler(void *context, struct watch *watch, struct error *err)
{
	struct profile_reader *reader = context;
	struct capture *capture = watch->capture;
	struct clock_pair now;
	int code = symbols__open(&reader->symbols, err);

	if (code)
		return code;
	reader->watch = watch;
	watch__observe_mappings(watch, on_mapped, reader);
	code = capture__start_stacks(capture, err);
	if (code)
		return code;
	now = clock__read_pair();
	reader->started_ns = now.monotonic_ns;
	reader->started_at_ns = now.realtime_ns;
	/* The programs that run already are announced now: they may end soon. */
	capture__drain_stacks(capture, on_sample, reader, READ_LIMIT);
	return capture__stacks_fd(capture);
}

/* The spans that ended take their samples when all of these were read. */
static bool read_samples(void *context)
{
	struct profile_reader *reader = context;
	int given = capture__drain_stacks(reader->watch->capture, on_sample, reader, READ_LIMIT);

	if (given >= READ_LIMIT)
		return true;
	profile__join(reader->profile);
	return false;
}

static pid_t child(const void *context)
{
	const struct profile_reader *reader = context;

	return symbols__child(reader->symbols);
}

/* ---- events */

static void on_event(void *context, const struct event *event)
{
	struct profile_reader *reader = context;

	profile__on_event(reader->profile, event);
}

static void on_stop(void *context, struct stream *stream, uint64_t now_ns)
{
	struct profile_reader *reader = context;

	(void)stream;
	if (reader->watch) {
		capture__stop_stacks(reader->watch->capture);
		watch__observe_the_last(reader->watch);
	}
	reader->ended_ns = now_ns;
}

/* ---- the result */

/* The functions of frames, as the picture wants them. Equal functions have one row of `functions`,
 * found by their name's address. */
struct names {
	struct symbols *symbols;
	struct interned *numbers;
	struct folded_frame *functions; /* one for each number; room for all frames */
	uint32_t room;
};

static void name_frame(void *context, uint32_t frame, struct frame_name *name)
{
	static const struct folded_frame unknown = {"[unknown]", "", false};
	struct names *names = context;
	const struct symbol_name *symbol = symbols__name(names->symbols, frame);
	uint32_t number = interned__number(names->numbers, &symbol, sizeof(symbol));

	name->is_outermost = symbol->is_outermost;
	name->frame = &unknown;
	if (!number || number > names->room)
		return;
	names->functions[number - 1] =
		(struct folded_frame){symbol->function, symbol->module, symbol->is_kernel};
	name->frame = &names->functions[number - 1];
}

static const char *unwind_name(uint32_t copy_bytes)
{
	return copy_bytes ? "DWARF" : "frame pointers";
}

/* Call symbols__resolve() before. */
static void fill_in_unread(const struct profile_reader *reader, struct folded_facts *facts)
{
	struct symbols_troubles troubles;

	symbols__troubles(reader->symbols, &troubles);
	facts->kernel_hidden = troubles.kernel_hidden;
	facts->symbols_time_used_up = troubles.time_used_up;
	facts->files_unread = troubles.files_unread;
	facts->files_forbidden = troubles.files_forbidden;
	facts->files_slow = troubles.files_slow;
	facts->maps_refused = troubles.maps_refused;
	facts->readers_lost = troubles.children_lost;
}

static void fill_in_facts(const struct profile_reader *reader, struct folded_facts *facts)
{
	const struct stack_options *options = &reader->request->stacks;

	facts->started_at_ns = reader->started_at_ns;
	facts->duration_ns = reader->ended_ns - reader->started_ns;
	facts->on_cpu = options->on_cpu;
	facts->off_cpu = options->off_cpu;
	facts->frequency_hz = options->frequency_hz;
	facts->min_blocked_ns = options->min_off_ns;
	facts->on_cpu_unwind = unwind_name(options->on_copy_bytes);
	facts->off_cpu_unwind = unwind_name(options->off_copy_bytes);
	facts->lost_count = capture__stacks_lost(reader->watch->capture);
}

static int write_text(struct profile_reader *reader)
{
	FILE *out = open_memstream(&reader->text, &reader->text_bytes);
	int code = out ? flame__write(out, reader->request->format, &reader->folded) : -ENOMEM;

	if (out && fclose(out) && !code)
		code = -ENOMEM;
	return code;
}

static int write_result(struct profile_reader *reader)
{
	struct names names = {
		.symbols = reader->symbols,
		.numbers = interned__new(UINT32_MAX - 1),
		.room = symbols__frames_count(reader->symbols) + 1,
	};
	const struct frame_names callback = {name_frame, &names};
	int code = -ENOMEM;

	names.functions = calloc(names.room, sizeof(*names.functions));
	if (names.functions && names.numbers) {
		symbols__resolve(reader->symbols);
		fill_in_facts(reader, &reader->folded.facts);
		fill_in_unread(reader, &reader->folded.facts);
		code = profile__fold(reader->profile, &callback, &reader->folded);
	}
	if (!code && reader->folded.stacks_count)
		code = write_text(reader);
	interned__free(names.numbers);
	free(names.functions);
	return code;
}

static void on_time(void *context, struct stream *stream, uint64_t now_ns, bool is_end)
{
	struct profile_reader *reader = context;

	(void)now_ns;
	if (!is_end || !reader->watch)
		return;
	while (read_samples(reader))
		continue;
	reader->folded.facts.events_lost = accounting__lost(stream);
	reader->has_failed = write_result(reader) != 0;
}

struct event_reader profile_reader__events(struct profile_reader *reader)
{
	static const struct reader_sampler sampler = {open_sampler, read_samples, child};

	return (struct event_reader){
		.on_event = on_event,
		.on_time = on_time,
		.on_stop = on_stop,
		.sampler = &sampler,
		.context = reader,
	};
}
