// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner that calls the probe functions with wrong arguments. It reads one order from each line
 * of stdin, as spans.c does, and answers "ok".
 *
 *	nowhere			every probe with 6 pointers to memory that cannot be read
 *	lengths			spans with impossible sizes
 *	kinds			spans with unknown layouts and kinds, and with the wrong kind
 *	owners			steps whose pointer to their command is wrong
 *	outcomes		outcomes that have no name
 *	contradictions		three commands with impossible counters and times
 *	twice			two threads and a child process with the same execution id
 *	unending N		N commands, and N steps of one of them, that never end
 *	random SEED N		N spans with some random bytes, at random probes
 *	race N			N steps whose span another thread changes at the same time
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pthread.h>
#include <steptrace.h>

typedef void probe(const void *span);

enum { PROBES = 8, PAGE = 4096 };

static probe *const probes[PROBES] = {
	steptrace_probe_command__start,    steptrace_probe_command__done,
	steptrace_probe_command__rejected, steptrace_probe_step__start,
	steptrace_probe_step__done,        steptrace_probe_tool__start,
	steptrace_probe_tool__done,        steptrace_probe_fragment__changed,
};

static struct steptrace_command_span a_command(uint64_t id)
{
	struct steptrace_command_span span = {
		.head = {.size_bytes = sizeof(span),
			 .layout = STEPTRACE_LAYOUT,
			 .kind = STEPTRACE_SPAN_COMMAND,
			 .start_ns = 1000,
			 .end_ns = 2000,
			 .execution_id = {0x4000000000000000 | id, (uint64_t)getpid()}},
		.outcome = STEPTRACE_SUCCESS,
		.slug = "hostile",
		.user_id = "mallory",
	};

	return span;
}

static struct steptrace_step_span a_step(const struct steptrace_command_span *command)
{
	struct steptrace_step_span span = {
		.head = {.size_bytes = sizeof(span),
			 .layout = STEPTRACE_LAYOUT,
			 .kind = STEPTRACE_SPAN_STEP,
			 .start_ns = 1000,
			 .end_ns = 2000},
		.owner = {.command = (uint64_t)(uintptr_t)command},
		.outcome = STEPTRACE_SUCCESS,
		.type = "HostileStep",
	};

	memcpy(span.head.execution_id, command->head.execution_id, sizeof(span.head.execution_id));
	return span;
}

/* The end of a page; the next page is unmapped. */
static char *edge(void)
{
	char *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		exit(1);
	munmap(pages + PAGE, PAGE);
	memset(pages, 0, PAGE);
	return pages + PAGE;
}

static void nowhere(void)
{
	char *end = edge();
	const void *const places[] = {
		NULL, (void *)1, (void *)0xffffffff81000000, (void *)0x7ffffffff000, end, end - 16,
	};

	for (int i = 0; i < PROBES; i++)
		for (size_t place = 0; place < sizeof(places) / sizeof(places[0]); place++)
			probes[i](places[place]);
}

static void lengths(void)
{
	static const uint16_t sizes[] = {0, 1, 39, 119};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct steptrace_command_span command = a_command(i);
		struct steptrace_step_span step = a_step(&command);

		command.head.size_bytes = step.head.size_bytes = sizes[i];
		steptrace_probe_command__start(&command);
		steptrace_probe_step__done(&step);
		steptrace_probe_command__done(&command);
	}
}

static void kinds(void)
{
	for (int i = 0; i < 256; i++) {
		struct steptrace_command_span command = a_command((uint64_t)i);

		if (i == STEPTRACE_SPAN_COMMAND)
			continue;
		command.head.kind = (uint8_t)i;
		steptrace_probe_command__start(&command);
		command.head.kind = STEPTRACE_SPAN_COMMAND;
		command.head.layout = (uint8_t)i;
		if (i != STEPTRACE_LAYOUT)
			steptrace_probe_command__start(&command);
	}
}

static void owners(void)
{
	struct steptrace_command_span command = a_command(1), other = a_command(2);
	struct steptrace_step_span step = a_step(&command);
	const void *const places[] = {
		NULL, (void *)1, (void *)0xffffffff81000000, edge(), edge() - 16, &step, &other};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		step.owner.command = (uint64_t)(uintptr_t)places[i];
		steptrace_probe_step__done(&step);
	}
}

static void outcomes(void)
{
	struct steptrace_command_span command = a_command(3);
	struct steptrace_step_span step = a_step(&command);

	steptrace_probe_command__start(&command);
	for (int i = 0; i < 256; i++) {
		step.outcome = (uint8_t)i;
		if (i < STEPTRACE_SUCCESS || i > STEPTRACE_CANCELLED)
			steptrace_probe_step__done(&step);
	}
	command.outcome = STEPTRACE_CANCELLED + 1;
	steptrace_probe_command__done(&command);
	command.outcome = STEPTRACE_SUCCESS;
	steptrace_probe_command__done(&command);
}

static void contradictions(void)
{
	static const uint64_t stamps[][2] = {{UINT64_MAX, 0}, {5, 4}, {0, UINT64_MAX}};

	for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		struct steptrace_command_span command = a_command(100 + i);

		command.announced_ns = UINT64_MAX - i;
		steptrace_probe_command__start(&command);
		command.head.start_ns = stamps[i][0];
		command.head.end_ns = stamps[i][1];
		command.steps_successful = UINT64_MAX;
		command.steps_failed = command.steps_skipped = UINT64_MAX >> i;
		memset(command.slug, 0xff, sizeof(command.slug));
		memset(command.correlation_id, '"', sizeof(command.correlation_id));
		steptrace_probe_command__done(&command);
	}
}

static void one_command(void)
{
	struct steptrace_command_span command = a_command(500);
	struct steptrace_step_span step = a_step(&command);

	command.head.execution_id[1] = step.head.execution_id[1] = 77;
	for (int i = 0; i < 200; i++) {
		steptrace_probe_command__start(&command);
		steptrace_probe_step__start(&step);
		steptrace_probe_step__done(&step);
		steptrace_probe_command__done(&command);
	}
}

static void *thread_main(void *unused)
{
	(void)unused;
	one_command();
	return NULL;
}

static void twice(void)
{
	pthread_t threads[2];
	pid_t child;

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, thread_main, NULL);
	child = fork();
	if (child == 0) {
		one_command();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void unending(long count)
{
	struct steptrace_command_span command;
	struct steptrace_step_span step;

	for (long i = 0; i < count; i++) {
		command = a_command(0x10000 + (uint64_t)i);
		steptrace_probe_command__start(&command);
	}
	step = a_step(&command);
	for (long i = 0; i < count; i++) {
		step.step_id[0] = (uint64_t)i;
		steptrace_probe_step__start(&step);
	}
}

/* Only some bytes are random, so that many spans pass the first checks of the tracer. */
static void randomly(unsigned int seed, long count)
{
	for (long i = 0; i < count; i++) {
		struct steptrace_command_span command = a_command((uint64_t)rand_r(&seed) % 8);
		struct steptrace_step_span step = a_step(&command);
		unsigned char bytes[512];
		int which = rand_r(&seed) % PROBES;
		size_t size = which < 2 ? sizeof(command) : sizeof(step);

		memset(bytes, 0, sizeof(bytes));
		if (which < 2)
			memcpy(bytes, &command, size);
		else
			memcpy(bytes, &step, size);
		bytes[3] = (unsigned char)(1 + rand_r(&seed) % 5);
		for (int change = rand_r(&seed) % 8; change > 0; change--)
			bytes[(unsigned int)rand_r(&seed) % sizeof(bytes)] =
				(unsigned char)rand_r(&seed);
		probes[which](bytes);
	}
}

static struct steptrace_step_span contested;
static volatile int is_over;

static void *change_it(void *seed)
{
	unsigned int state = *(unsigned int *)seed;

	while (!is_over)
		((volatile unsigned char *)&contested)[56 + (unsigned int)rand_r(&state) % 184] =
			(unsigned char)rand_r(&state);
	return NULL;
}

static void race(long count)
{
	struct steptrace_command_span command = a_command(900);
	unsigned int seed = 5;
	pthread_t thread;

	contested = a_step(&command);
	steptrace_probe_command__start(&command);
	is_over = 0;
	pthread_create(&thread, NULL, change_it, &seed);
	for (long i = 0; i < count; i++)
		steptrace_probe_step__done(&contested);
	is_over = 1;
	pthread_join(thread, NULL);
	steptrace_probe_command__done(&command);
}

static void obey(const char *word, long first, long second)
{
	if (strcmp(word, "nowhere") == 0)
		nowhere();
	else if (strcmp(word, "lengths") == 0)
		lengths();
	else if (strcmp(word, "kinds") == 0)
		kinds();
	else if (strcmp(word, "owners") == 0)
		owners();
	else if (strcmp(word, "outcomes") == 0)
		outcomes();
	else if (strcmp(word, "contradictions") == 0)
		contradictions();
	else if (strcmp(word, "twice") == 0)
		twice();
	else if (strcmp(word, "unending") == 0)
		unending(first);
	else if (strcmp(word, "random") == 0)
		randomly((unsigned int)first, second);
	else if (strcmp(word, "race") == 0)
		race(first);
	else
		printf("unknown word %s\n", word);
}

int main(void)
{
	char line[256], word[64];
	long first, second;

	while (fgets(line, sizeof(line), stdin)) {
		first = second = 0;
		if (sscanf(line, "%63s %ld %ld", word, &first, &second) < 1)
			continue;
		obey(word, first, second);
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
