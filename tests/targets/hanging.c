// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner whose commands hang, for tests of `steptrace inflight`. It reads one order from each
 * line of stdin:
 *
 *	stack HOW	a thread begins a command and a step on its stack, and waits there. HOW is
 *			futex, pipe, sleep or spin
 *	heap		a thread begins a command and a step in the heap, and ends
 *	nameless	the same, without a slug and a type of step
 *	nested		a command with a step in a step in a step, on the stack of a thread
 *	parallel N	a command with N steps, each on the stack of a thread
 *	coroutines N	N coroutines with stacks of their own begin a command and a step, and yield
 *	fork		begins a command and a step, forks, and goes on; the child waits
 *	fork-step	begins a command and forks; the child begins a step in it, and waits
 *	suspend		a command and a step in the heap, both suspended
 *	hostile		a command whose texts are control characters
 *	forge N		memory with N forged tags: of nothing, with cycles, with pointers to nowhere
 *	churn		a thread begins and ends commands and steps, each within less than a
 *			millisecond
 *	memory N	uses N MiB of memory
 *	reserve N	reserves N MiB of memory, and uses none of it
 *	map N		maps and unmaps a page for N milliseconds; prints "map MEAN MAXIMUM", in
 *			nanoseconds
 *	end		ends what the orders before began in the heap and in coroutines
 *
 * Each answer ends with a line "ok". "stack" prints "tid N" before.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <steptrace.h>

enum { SPANS_MAX = 20000, STACK_BYTES = 16384 };

struct pair {
	struct steptrace_command command;
	struct steptrace_step step;
};

static struct pair *kept[SPANS_MAX];
static size_t kept_count;
static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;
static int answers[2]; /* a pipe: a thread has begun what it should */

static void begin(struct pair *pair, const char *slug, const char *type)
{
	steptrace_command_init(&pair->command, slug);
	pair->command.user_id = "user-7";
	pair->command.request_source = "queue";
	pair->command.correlation_id = "request-4711";
	steptrace_command_begin(&pair->command);
	steptrace_step_init(&pair->step, &pair->command, type);
	pair->step.name = "only-one";
	pair->step.index = 3;
	steptrace_step_begin(&pair->step);
}

static void end(struct pair *pair)
{
	steptrace_step_end(&pair->step, STEPTRACE_SUCCESS);
	steptrace_command_end(&pair->command, STEPTRACE_SUCCESS);
}

static struct pair *keep(void)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	if (!pair || kept_count == SPANS_MAX)
		exit(3);
	kept[kept_count++] = pair;
	return pair;
}

/* ---- threads */

static void tell_main(void)
{
	int tid = (int)syscall(SYS_gettid);

	if (write(answers[1], &tid, sizeof(tid)) != sizeof(tid))
		exit(3);
}

static int hear(void)
{
	int tid;

	if (read(answers[0], &tid, sizeof(tid)) != sizeof(tid))
		exit(3);
	return tid;
}

static void wait_for_ever(const char *how)
{
	struct timespec day = {86400, 0};
	int pipe_ends[2];
	char byte;

	if (strcmp(how, "futex") == 0)
		pthread_mutex_lock(&never);
	if (strcmp(how, "sleep") == 0)
		nanosleep(&day, NULL);
	if (strcmp(how, "pipe") == 0 && pipe(pipe_ends) == 0 && read(pipe_ends[0], &byte, 1) < 0)
		exit(3);
	for (volatile unsigned long i = 0;; i++)
		;
}

static void *hang(void *how)
{
	struct pair pair;

	begin(&pair, "hang.stack", "WaitStep");
	tell_main();
	wait_for_ever(how);
	end(&pair);
	return NULL;
}

static void *hang_nested(void *argument)
{
	struct steptrace_step outer, middle;
	struct pair pair;

	(void)argument;
	begin(&pair, "hang.nested", "OuterStep");
	steptrace_step_init(&middle, &pair.command, "MiddleStep");
	middle.parent = &pair.step;
	steptrace_step_begin(&middle);
	steptrace_step_init(&outer, &pair.command, "InnerStep");
	outer.parent = &middle;
	steptrace_step_begin(&outer);
	tell_main();
	wait_for_ever("futex");
	steptrace_step_end(&outer, STEPTRACE_SUCCESS);
	steptrace_step_end(&middle, STEPTRACE_SUCCESS);
	end(&pair);
	return NULL;
}

static void *hang_parallel(void *command)
{
	struct steptrace_step step;

	steptrace_step_init(&step, command, "ParallelStep");
	steptrace_step_begin(&step);
	tell_main();
	wait_for_ever("futex");
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	return NULL;
}

static void *begin_in_heap(void *pair)
{
	begin(pair, "hang.heap", "HeapStep");
	tell_main();
	return NULL;
}

static void *churn(void *argument)
{
	struct pair pair;

	tell_main();
	for (;;) {
		begin(&pair, "churn", "ChurnStep");
		for (volatile int i = 0; i < 100000; i++)
			;
		end(&pair);
	}
	return argument;
}

static int start(void *(*run)(void *argument), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, argument))
		exit(3);
	pthread_detach(thread);
	return hear();
}

/* ---- coroutines */

static ucontext_t caller;

static void coroutine(void)
{
	struct pair pair;

	begin(&pair, "hang.coroutine", "YieldStep");
	if (kept_count < SPANS_MAX)
		kept[kept_count++] = &pair;
	ucontext_t here;

	swapcontext(&here, &caller);
	exit(3);
}

static void start_coroutine(char *stack)
{
	ucontext_t context;

	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&context, coroutine, 0);
	swapcontext(&caller, &context);
}

static void do_coroutines(int count)
{
	char *stacks = malloc((size_t)count * STACK_BYTES);

	for (int i = 0; stacks && i < count; i++)
		start_coroutine(stacks + (size_t)i * STACK_BYTES);
}

/* ---- processes */

static void do_fork(int in_step)
{
	struct pair *pair = keep();
	struct steptrace_step step;

	if (in_step)
		begin(pair, "hang.fork", "ForkStep");
	else
		steptrace_command_init(&pair->command, "hang.fork");
	if (!in_step)
		steptrace_command_begin(&pair->command);
	if (fork() == 0) {
		steptrace_step_init(&step, &pair->command, "ChildStep");
		if (!in_step)
			steptrace_step_begin(&step);
		tell_main();
		wait_for_ever("sleep");
	}
	printf("child %d\n", hear());
}

/* ---- forged tags */

static uint64_t tag_at(const void *address, uint64_t lower)
{
	return (STEPTRACE__TAG_MAGIC << 32 | lower) ^
	       (uint64_t)(uintptr_t)address * STEPTRACE__TAG_FACTOR;
}

static void forge_at(struct pair *pair, unsigned int i)
{
	static const uint64_t nowhere[] = {0, 8, 4096, 0x7fffffffffffffffu, 0xffffffffffffff00u};

	begin(pair, "forged", "ForgedStep");
	pair->command.slug = (const char *)(uintptr_t)nowhere[i % 5];
	pair->command.user_id = (const char *)(uintptr_t)nowhere[i / 5 % 5];
	pair->step.type = (const char *)(uintptr_t)nowhere[i / 25 % 5];
	if (i % 2)
		pair->step.command = (struct steptrace_command *)(uintptr_t)nowhere[i % 5];
	if (i % 3 == 0)
		pair->step.parent = &pair->step;
	if (i % 7 == 0)
		pair->command.begun = 9;
}

static void do_forge(int count)
{
	size_t bytes = (size_t)count * sizeof(uint64_t);
	uint64_t *words =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (words == MAP_FAILED)
		exit(3);
	for (int i = 0; i < count; i++)
		words[i] = tag_at(&words[i],
				  STEPTRACE__TAG(1 + i % 3, steptrace_command) & 0xffffffffu);
	for (unsigned int i = 0; i < 250; i++)
		forge_at(keep(), i);
}

/* ---- orders */

static void do_parallel(int count)
{
	struct steptrace_command *command = &keep()->command;

	steptrace_command_init(command, "hang.parallel");
	steptrace_command_begin(command);
	for (int i = 0; i < count; i++)
		start(hang_parallel, command);
}

static void do_suspend(void)
{
	struct pair *pair = keep();

	begin(pair, "hang.suspend", "SuspendedStep");
	steptrace_step_suspend(&pair->step);
	steptrace_command_suspend(&pair->command);
}

static void do_hostile(void)
{
	struct pair *pair = keep();

	begin(pair, "\033]0;x\007\nsteptrace: forged", "a\tb\r\xff\xe2\x80\xae");
	pair->command.user_id = "\033[31m";
}

static void do_memory(int mebibytes)
{
	size_t bytes = (size_t)mebibytes << 20;
	char *memory = malloc(bytes);

	if (!memory)
		exit(3);
	memset(memory, 1, bytes);
	__asm__ volatile("" : : "r"(memory) : "memory");
}

static void do_reserve(int mebibytes)
{
	if (mmap(NULL, (size_t)mebibytes << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		exit(3);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void do_map(int milliseconds)
{
	uint64_t begun = now_ns(), before, after = begun, count = 0, longest = 0;

	while (after - begun < (uint64_t)milliseconds * 1000000) {
		void *page;

		before = now_ns();
		page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		munmap(page, 4096);
		after = now_ns();
		count++;
		longest = after - before > longest ? after - before : longest;
	}
	printf("map %llu %llu\n", (unsigned long long)((after - begun) / count),
	       (unsigned long long)longest);
}

/* A step of the newest command of `heap`, which is open. */
static void do_step(void)
{
	struct steptrace_step step;

	steptrace_step_init(&step, &kept[kept_count - 1]->command, "ShortStep");
	steptrace_step_begin(&step);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
}

static void do_end(void)
{
	while (kept_count > 0)
		end(kept[--kept_count]);
}

static void obey(const char *order, const char *how, int number)
{
	static char kept_how[16];

	snprintf(kept_how, sizeof(kept_how), "%s", how);
	if (strcmp(order, "stack") == 0)
		printf("tid %d\n", start(hang, strdup(kept_how)));
	else if (strcmp(order, "heap") == 0)
		start(begin_in_heap, keep());
	else if (strcmp(order, "nameless") == 0)
		begin(keep(), "", "");
	else if (strcmp(order, "nested") == 0)
		printf("tid %d\n", start(hang_nested, NULL));
	else if (strcmp(order, "parallel") == 0)
		do_parallel(number);
	else if (strcmp(order, "coroutines") == 0)
		do_coroutines(number);
	else if (strcmp(order, "fork") == 0 || strcmp(order, "fork-step") == 0)
		do_fork(order[4] == 0);
	else if (strcmp(order, "suspend") == 0)
		do_suspend();
	else if (strcmp(order, "hostile") == 0)
		do_hostile();
	else if (strcmp(order, "forge") == 0)
		do_forge(number);
	else if (strcmp(order, "churn") == 0)
		start(churn, NULL);
	else if (strcmp(order, "memory") == 0)
		do_memory(number);
	else if (strcmp(order, "reserve") == 0)
		do_reserve(number);
	else if (strcmp(order, "map") == 0)
		do_map(number);
	else if (strcmp(order, "step") == 0)
		do_step();
	else if (strcmp(order, "end") == 0)
		do_end();
	else
		exit(3);
}

int main(void)
{
	char line[64], order[16], how[16];

	if (pipe(answers))
		return 1;
	pthread_mutex_lock(&never);
	while (fgets(line, sizeof(line), stdin)) {
		how[0] = 0;
		if (sscanf(line, "%15s %15s", order, how) < 1)
			return 3;
		obey(order, how, atoi(how));
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
