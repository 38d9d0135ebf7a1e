// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner for steptrace profile: what its steps do, they do in functions of known names. It reads
 * one order from each line of stdin and carries it out. MS is a number of milliseconds.
 *
 *	spin MS		a step that computes for MS of processor time
 *	compete MS	the same on a processor that another thread uses as well
 *	sleep MS	a step that sleeps
 *	lock MS		a step that waits for a mutex; another thread has it for MS
 *	pipe MS		a step that reads from a pipe; another thread writes after MS
 *	network MS	the same with a socket
 *	fsync FILE	a step that writes 1 MiB to FILE and calls fsync(), several times
 *	library FILE	a step that calls library_step() of the library, which is loaded then
 *	naps N		a step that sleeps N times for 2 ms
 *	deep N		a step that sleeps for 20 ms below N calls of deeper()
 *	nested MS	a step that sleeps before, within and after an inner step
 *	threads MS	a command whose step sleeps in another thread; a third thread sleeps
 *			outside of all commands at the same time
 *	outside MS	computes outside of all commands
 *	own MS		computes in the command, and in none of its steps
 *	open		begins a command and a step, which stay open, and prints "stamped 1" if a
 *			recorder was attached when the step began, else "stamped 0"
 *	close MS	sleeps for MS in them, and ends them
 *	failed MS	a command and a step that fail; both sleep for MS
 *	crowd N ROUNDS	N threads take turns: each ends a step of its own and wakes the next one
 *	fork MS		a child executes a command that sleeps, and ends
 *	inherit MS	a command begins; a child goes on with a step that sleeps, and ends both
 *	exec FILE	becomes the program FILE
 *	as SLUG TYPE	the slug and the type of the next commands and steps (escapes: \n and \s)
 *	name NAME	the name of this thread
 *	quit
 *
 * In every step the functions are first_caller, second_caller, third_caller, fourth_caller and the
 * one that spends the time, for example spin_here. A step with a known time prints "truth WALL
 * CPU": nanoseconds that passed within the step, and those on a processor.
 * Each answer ends with a line "ok". The program ends with the status 7.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>
#include <steptrace.h>

#include "competition.h"

#define STEP __attribute__((noinline, noclone))

#ifndef SPIN_HERE
#define SPIN_HERE spin_here /* another one tells two builds apart */
#endif

enum { MS = 1000000, FILE_BYTES = 1 << 20, SYNCS = 8, THREADS_MAX = 512, STATUS = 7 };

/* A function that ends with a call of another one would become a jump without this. */
static volatile int after;

static char slug[256] = "profiled.run", type[256] = "KnownStep";

/* ---- where time is spent */

struct work {
	long ms;
	const char *text; /* the argument of the order */
	int fd;           /* to read from */
	pthread_mutex_t mutex;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The loop is in the function itself: samples in the clock's functions are below it. */
STEP int SPIN_HERE(struct work *work)
{
	uint64_t end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + (uint64_t)work->ms * MS;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		for (int i = 0; i < 100000; i++)
			after = 0;
	return after;
}

STEP int sleep_here(struct work *work)
{
	struct timespec left = {.tv_sec = work->ms / 1000, .tv_nsec = work->ms % 1000 * MS};

	while (nanosleep(&left, &left) && errno == EINTR)
		continue;
	return after;
}

STEP int naps_here(struct work *work)
{
	struct work nap = {.ms = 2};

	for (long i = 0; i < work->ms; i++)
		sleep_here(&nap);
	return after;
}

STEP int lock_here(struct work *work)
{
	pthread_mutex_lock(&work->mutex);
	return pthread_mutex_unlock(&work->mutex) + after;
}

STEP int read_here(struct work *work)
{
	uint64_t bytes;

	if (read(work->fd, &bytes, sizeof(bytes)) != sizeof(bytes))
		perror("profiled: read");
	return after;
}

STEP int fsync_here(struct work *work)
{
	static char bytes[FILE_BYTES];
	int fd = open(work->text, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	for (int i = 0; i < SYNCS; i++) {
		memset(bytes, i + 1, sizeof(bytes));
		if (write(fd, bytes, sizeof(bytes)) < 0 || fsync(fd))
			perror("profiled: fsync");
	}
	return close(fd) + after;
}

STEP int library_here(struct work *work)
{
	void *library = dlopen(work->text, RTLD_NOW);
	int (*step)(void) = NULL;

	if (library)
		*(void **)&step = dlsym(library, "library_step");
	if (!step)
		fprintf(stderr, "profiled: %s\n", dlerror());
	return (step ? step() : 1) + after;
}

/* ---- the callers */

typedef int work_function(struct work *work);

STEP int fourth_caller(work_function *function, struct work *work)
{
	return function(work) + after;
}

STEP int third_caller(work_function *function, struct work *work)
{
	return fourth_caller(function, work) + after;
}

STEP int second_caller(work_function *function, struct work *work)
{
	return third_caller(function, work) + after;
}

STEP int first_caller(work_function *function, struct work *work)
{
	return second_caller(function, work) + after;
}

/* ---- spans */

static void begin_command(struct steptrace_command *command)
{
	steptrace_command_init(command, slug);
	steptrace_command_begin(command);
}

static void begin_step(struct steptrace_step *step, struct steptrace_command *command)
{
	steptrace_step_init(step, command, type);
	steptrace_step_begin(step);
}

/* Inline: in do_kind() stands the call of first_caller(). */
static inline __attribute__((always_inline)) void
run_step(struct steptrace_command *command, work_function *function, struct work *work)
{
	uint64_t wall_ns, cpu_ns;
	struct steptrace_step step;

	begin_step(&step, command);
	wall_ns = clock_ns(CLOCK_MONOTONIC);
	cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	first_caller(function, work);
	cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	wall_ns = clock_ns(CLOCK_MONOTONIC) - wall_ns;
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	printf("truth %llu %llu\n", (unsigned long long)wall_ns, (unsigned long long)cpu_ns);
}

/* ---- what another thread does after a while */

struct helper {
	pthread_t thread;
	long ms;
	int fd;                 /* it writes eight bytes there; -1: none */
	pthread_mutex_t *mutex; /* it has it meanwhile; NULL: none */
	atomic_bool is_ready;
};

static void *help(void *context)
{
	struct helper *helper = context;
	struct work pause = {.ms = helper->ms};
	uint64_t one = 1;

	if (helper->mutex)
		pthread_mutex_lock(helper->mutex);
	helper->is_ready = true;
	sleep_here(&pause);
	if (helper->mutex)
		pthread_mutex_unlock(helper->mutex);
	if (helper->fd >= 0 && write(helper->fd, &one, sizeof(one)) != sizeof(one))
		perror("profiled: write");
	return NULL;
}

static void begin_help(struct helper *helper)
{
	helper->is_ready = false;
	pthread_create(&helper->thread, NULL, help, helper);
	while (!helper->is_ready)
		sched_yield();
}

/* ---- one step */

static const struct kind {
	const char *name;
	work_function *function;
	bool has_pipe, has_socket, has_mutex;
} kinds[] = {
	{.name = "spin", .function = SPIN_HERE},
	{.name = "sleep", .function = sleep_here},
	{.name = "naps", .function = naps_here},
	{.name = "fsync", .function = fsync_here},
	{.name = "library", .function = library_here},
	{.name = "lock", .function = lock_here, .has_mutex = true},
	{.name = "pipe", .function = read_here, .has_pipe = true},
	{.name = "network", .function = read_here, .has_socket = true},
};

static void make_ends(const struct kind *kind, int ends[2])
{
	ends[0] = ends[1] = -1;
	if (kind->has_pipe && pipe2(ends, O_CLOEXEC))
		perror("profiled: pipe");
	if (kind->has_socket && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		perror("profiled: socketpair");
}

static void do_kind(const struct kind *kind, const char *argument)
{
	struct work work = {
		.ms = atol(argument), .text = argument, .mutex = PTHREAD_MUTEX_INITIALIZER};
	struct helper helper = {.ms = work.ms};
	struct steptrace_command command;
	int ends[2];

	make_ends(kind, ends);
	work.fd = ends[0];
	helper.fd = ends[1];
	helper.mutex = kind->has_mutex ? &work.mutex : NULL;
	begin_command(&command);
	if (helper.mutex || helper.fd >= 0)
		begin_help(&helper);
	run_step(&command, kind->function, &work);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	if (helper.mutex || helper.fd >= 0)
		pthread_join(helper.thread, NULL);
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

static void do_compete(const char *argument)
{
	struct competition competition;

	competition__begin(&competition);
	do_kind(&kinds[0], argument);
	competition__end(&competition);
}

/* ---- several spans */

STEP int before_inner(struct work *work)
{
	return sleep_here(work) + after;
}

STEP int within_inner(struct work *work)
{
	return sleep_here(work) + after;
}

STEP int after_inner(struct work *work)
{
	return sleep_here(work) + after;
}

static void do_nested(const char *argument)
{
	struct work work = {.ms = atol(argument)};
	struct steptrace_command command;
	struct steptrace_step outer, inner;

	begin_command(&command);
	steptrace_step_init(&outer, &command, "OuterStep");
	steptrace_step_begin(&outer);
	before_inner(&work);
	steptrace_step_init(&inner, &command, "InnerStep");
	inner.parent = &outer;
	steptrace_step_begin(&inner);
	within_inner(&work);
	steptrace_step_end(&inner, STEPTRACE_SUCCESS);
	after_inner(&work);
	steptrace_step_end(&outer, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

STEP int outside_of_commands(struct work *work)
{
	return sleep_here(work) + after;
}

static void *sleep_outside(void *context)
{
	outside_of_commands(context);
	return NULL;
}

struct worker {
	struct steptrace_command *command;
	struct work work;
};

STEP void *in_worker(void *context)
{
	struct worker *worker = context;
	struct steptrace_step step;

	begin_step(&step, worker->command);
	first_caller(sleep_here, &worker->work);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	return NULL;
}

static void do_threads(const char *argument)
{
	struct worker worker = {.work = {.ms = atol(argument)}};
	struct steptrace_command command;
	pthread_t threads[2];

	begin_command(&command);
	worker.command = &command;
	pthread_create(&threads[0], NULL, in_worker, &worker);
	pthread_create(&threads[1], NULL, sleep_outside, &worker.work);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

STEP int deeper(long depth)
{
	struct work work = {.ms = 20};
	char local[64];

	memset(local, (int)depth, sizeof(local));
	__asm__ volatile("" : : "r"(local) : "memory");
	return (depth > 1 ? deeper(depth - 1) : sleep_here(&work)) + after;
}

static void do_deep(const char *argument)
{
	struct steptrace_command command;
	struct steptrace_step step;

	begin_command(&command);
	begin_step(&step, &command);
	deeper(atol(argument));
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void do_outside(const char *argument)
{
	struct work work = {.ms = atol(argument)};

	first_caller(SPIN_HERE, &work);
}

static void do_own(const char *argument)
{
	struct steptrace_command command;

	begin_command(&command);
	do_outside(argument);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static struct steptrace_command open_command;
static struct steptrace_step open_step;

static void do_open(const char *argument)
{
	(void)argument;
	begin_command(&open_command);
	begin_step(&open_step, &open_command);
	printf("stamped %d\n", open_step.span.head.start_ns != 0);
}

static void do_close(const char *argument)
{
	struct work work = {.ms = atol(argument)};

	first_caller(sleep_here, &work);
	steptrace_step_end(&open_step, STEPTRACE_SUCCESS);
	steptrace_command_end(&open_command, STEPTRACE_SUCCESS);
}

static void do_failed(const char *argument)
{
	struct work work = {.ms = atol(argument)};
	struct steptrace_command command;
	struct steptrace_step step;

	begin_command(&command);
	begin_step(&step, &command);
	first_caller(sleep_here, &work);
	step.error_category = command.error_category = STEPTRACE_ERROR_DATABASE;
	steptrace_step_end(&step, STEPTRACE_FAILURE);
	steptrace_command_end(&command, STEPTRACE_FAILURE);
}

/* ---- threads that take turns */

static pthread_mutex_t turn_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed[THREADS_MAX];
static int turn, turns, members;

STEP int wait_for_turn(int member)
{
	while (turn % members != member && turn < turns)
		pthread_cond_wait(&turn_changed[member], &turn_mutex);
	return after;
}

static void *take_turns(void *context)
{
	struct steptrace_command command;
	struct steptrace_step step;
	int member = (int)(long)context;

	pthread_mutex_lock(&turn_mutex);
	while (turn < turns) {
		begin_command(&command);
		begin_step(&step, &command);
		wait_for_turn(member);
		if (turn < turns)
			turn++;
		pthread_cond_signal(&turn_changed[turn % members]);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
	}
	for (int i = 0; i < members; i++)
		pthread_cond_signal(&turn_changed[i]);
	pthread_mutex_unlock(&turn_mutex);
	return NULL;
}

static void do_crowd(const char *argument)
{
	static pthread_t threads[THREADS_MAX];
	int rounds = 0;

	if (sscanf(argument, "%d %d", &members, &rounds) != 2 || members > THREADS_MAX)
		exit(1);
	turn = 0;
	turns = members * rounds;
	for (int i = 0; i < members; i++) {
		pthread_cond_init(&turn_changed[i], NULL);
		pthread_create(&threads[i], NULL, take_turns, (void *)(long)i);
	}
	for (int i = 0; i < members; i++)
		pthread_join(threads[i], NULL);
}

/* ---- processes */

static void do_fork(const char *argument)
{
	pid_t child = fork();

	if (child == 0) {
		do_kind(&kinds[1], argument);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	printf("child %d\n", child);
}

static void do_inherit(const char *argument)
{
	struct work work = {.ms = atol(argument)};
	struct steptrace_command command;
	pid_t child;

	begin_command(&command);
	child = fork();
	if (child == 0) {
		run_step(&command, sleep_here, &work);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void do_exec(const char *argument)
{
	execl(argument, argument, NULL);
	perror("profiled: exec");
}

/* ---- names */

/* A copy with what the escapes stand for. */
static void unescape(char *to, size_t room, const char *from)
{
	size_t count = 0;

	for (; *from && *from != ' ' && count + 1 < room; from++) {
		if (*from != '\\')
			to[count++] = *from;
		else if (*++from)
			to[count++] = *from == 'n' ? '\n' : ' ';
	}
	to[count] = 0;
}

static void do_as(const char *argument)
{
	const char *blank = strchr(argument, ' ');

	unescape(slug, sizeof(slug), argument);
	if (blank)
		unescape(type, sizeof(type), blank + 1);
}

static void do_name(const char *argument)
{
	char name[16];

	unescape(name, sizeof(name), argument);
	prctl(PR_SET_NAME, name);
}

/* ---- orders */

static const struct {
	const char *name;
	void (*run)(const char *argument);
} orders[] = {
	{"compete", do_compete}, {"nested", do_nested}, {"threads", do_threads},
	{"outside", do_outside}, {"own", do_own},       {"open", do_open},
	{"close", do_close},     {"failed", do_failed}, {"crowd", do_crowd},
	{"fork", do_fork},       {"exec", do_exec},     {"as", do_as},
	{"name", do_name},       {"deep", do_deep},     {"inherit", do_inherit},
};

static void obey(const char *name, const char *argument)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(name, kinds[i].name) == 0)
			do_kind(&kinds[i], argument);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(name, orders[i].name) == 0)
			orders[i].run(argument);
}

int main(void)
{
	char line[4096];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		char *argument;

		line[strcspn(line, "\n")] = 0;
		argument = strchr(line, ' ');
		if (argument)
			*argument++ = 0;
		if (strcmp(line, "quit") == 0)
			break;
		obey(line, argument ? argument : "");
		puts("ok");
	}
	return STATUS;
}
