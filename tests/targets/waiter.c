// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner whose steps spend their time in known ways, for --breakdown. It reads one order from
 * each line of stdin, carries it out, and prints what the kernel says of the same time.
 *
 *	burn MS		a step that computes for MS of processor time
 *	compete MS	the same on a processor that another thread uses as well
 *	sleep MS	a step that sleeps
 *	futex MS	a step that waits for a mutex; another thread has it for MS
 *	pipe MS		a step that reads from a pipe; another thread writes after MS
 *	socket MS	the same with a socket
 *	poll MS		a step that waits in poll() until the socket can be read
 *	select MS	the same with select()
 *	epoll MS	the same with epoll_wait()
 *	event MS	a step that reads from an eventfd; another thread writes after MS
 *	fsync FILE	a step that writes 4 MiB to FILE and calls fsync()
 *	nested MS	a step that sleeps for MS, and again for MS in a step within it
 *	deep N		N steps, each within the one before
 *	threads MS	a command with a step that sleeps, in this thread, and in each of two other
 *			threads a step that sleeps within another step, all at once
 *	apart MS	a command with two steps in another thread, which overlap
 *	handed MS	a step that begins in this thread and ends in another one
 *	carried MS	a command that begins in this thread and ends in another one
 *	suspended MS	a step that sleeps while it is suspended
 *	open		begins a command and a step
 *	close		ends both
 *	quit
 *
 * A step with a known time prints "truth WALL CPU DELAY": nanoseconds that passed within the step,
 * and how many of them the thread was on a processor (its processor clock), and ready to run but
 * without a processor (/proc/thread-self/schedstat).
 * Each answer ends with a line "ok".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>
#include <steptrace.h>

#include "competition.h"

enum { MS = 1000000, DEEPEST = 64, FILE_BYTES = 4 << 20 };

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void pause_for(long ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * MS};

	while (nanosleep(&left, &left) && errno == EINTR)
		continue;
}

static void compute(long ms)
{
	uint64_t end_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + (uint64_t)ms * MS;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns)
		continue;
}

/* ---- what the kernel says */

struct times {
	uint64_t wall_ns, cpu_ns, delay_ns;
};

static int schedstat_fd = -1;

static struct times read_times(void)
{
	struct times times;
	unsigned long long delay_ns = 0;
	char text[128];
	ssize_t bytes = pread(schedstat_fd, text, sizeof(text) - 1, 0);

	text[bytes > 0 ? bytes : 0] = 0;
	if (sscanf(text, "%*u %llu", &delay_ns) != 1)
		fprintf(stderr, "waiter: no schedstat\n");
	times.delay_ns = delay_ns;
	times.cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	times.wall_ns = clock_ns(CLOCK_MONOTONIC);
	return times;
}

static void print_truth(const struct times *before)
{
	struct times now = read_times();

	printf("truth %llu %llu %llu\n", (unsigned long long)(now.wall_ns - before->wall_ns),
	       (unsigned long long)(now.cpu_ns - before->cpu_ns),
	       (unsigned long long)(now.delay_ns - before->delay_ns));
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
	uint64_t one = 1;

	if (helper->mutex)
		pthread_mutex_lock(helper->mutex);
	helper->is_ready = true;
	pause_for(helper->ms);
	if (helper->mutex)
		pthread_mutex_unlock(helper->mutex);
	if (helper->fd >= 0 && write(helper->fd, &one, sizeof(one)) != sizeof(one))
		perror("waiter: write");
	return NULL;
}

static void begin_help(struct helper *helper)
{
	helper->is_ready = false;
	pthread_create(&helper->thread, NULL, help, helper);
	while (!helper->is_ready)
		sched_yield();
}

/* ---- one step that waits */

struct wait {
	long ms;
	const char *text; /* the argument of the order */
	int fd;           /* to read from */
	pthread_mutex_t mutex;
};

static void read_eight(int fd)
{
	uint64_t bytes;

	if (read(fd, &bytes, sizeof(bytes)) != sizeof(bytes))
		perror("waiter: read");
}

static void wait_burn(struct wait *wait)
{
	compute(wait->ms);
}

static void wait_sleep(struct wait *wait)
{
	pause_for(wait->ms);
}

static void wait_futex(struct wait *wait)
{
	pthread_mutex_lock(&wait->mutex);
	pthread_mutex_unlock(&wait->mutex);
}

static void wait_read(struct wait *wait)
{
	read_eight(wait->fd);
}

static void wait_poll(struct wait *wait)
{
	struct pollfd polled[] = {{.fd = -1}, {.fd = wait->fd, .events = POLLIN}};

	poll(polled, 2, -1);
	read_eight(wait->fd);
}

static void wait_select(struct wait *wait)
{
	fd_set wanted;

	FD_ZERO(&wanted);
	FD_SET(wait->fd, &wanted);
	select(wait->fd + 1, &wanted, NULL, NULL, NULL);
	read_eight(wait->fd);
}

static void wait_epoll(struct wait *wait)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(fd, EPOLL_CTL_ADD, wait->fd, &event);
	epoll_wait(fd, &event, 1, -1);
	close(fd);
	read_eight(wait->fd);
}

static void wait_fsync(struct wait *wait)
{
	static char bytes[FILE_BYTES];
	int fd = open(wait->text, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	memset(bytes, (int)clock_ns(CLOCK_MONOTONIC), sizeof(bytes));
	if (write(fd, bytes, sizeof(bytes)) < 0 || fsync(fd))
		perror("waiter: fsync");
	close(fd);
}

/* How the two ends of what the step reads from are made. */
static void make_none(int ends[2])
{
	ends[0] = ends[1] = -1;
}

static void make_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC))
		perror("waiter: pipe");
}

static void make_socket(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		perror("waiter: socketpair");
}

static void make_event(int ends[2])
{
	ends[0] = eventfd(0, EFD_CLOEXEC);
	ends[1] = dup(ends[0]);
}

static const struct kind {
	const char *name;
	void (*wait)(struct wait *wait);
	void (*make)(int ends[2]);
	bool has_mutex;
} kinds[] = {
	{"burn", wait_burn, make_none, false},       {"sleep", wait_sleep, make_none, false},
	{"futex", wait_futex, make_none, true},      {"pipe", wait_read, make_pipe, false},
	{"socket", wait_read, make_socket, false},   {"poll", wait_poll, make_socket, false},
	{"select", wait_select, make_socket, false}, {"epoll", wait_epoll, make_socket, false},
	{"event", wait_read, make_event, false},     {"fsync", wait_fsync, make_none, false},
};

static void begin_command(struct steptrace_command *command)
{
	steptrace_command_init(command, "waiter.run");
	steptrace_command_begin(command);
}

static void begin_step(struct steptrace_step *step, struct steptrace_command *command,
		       const char *name)
{
	steptrace_step_init(step, command, "WaitStep");
	step->name = name;
	steptrace_step_begin(step);
}

static void run_step(struct steptrace_command *command, const struct kind *kind, struct wait *wait)
{
	struct steptrace_step step;
	struct times before;

	begin_step(&step, command, kind->name);
	before = read_times();
	kind->wait(wait);
	print_truth(&before);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
}

static void do_kind(const struct kind *kind, const char *argument)
{
	struct wait wait = {
		.ms = atol(argument), .text = argument, .mutex = PTHREAD_MUTEX_INITIALIZER};
	struct steptrace_command command;
	struct helper helper = {.ms = wait.ms};
	bool has_helper;
	int ends[2];

	kind->make(ends);
	wait.fd = ends[0];
	helper.fd = ends[1];
	helper.mutex = kind->has_mutex ? &wait.mutex : NULL;
	has_helper = kind->has_mutex || ends[1] >= 0;
	begin_command(&command);
	if (has_helper)
		begin_help(&helper);
	run_step(&command, kind, &wait);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	if (has_helper)
		pthread_join(helper.thread, NULL);
	if (ends[0] >= 0)
		close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
}

/* ---- a busy processor */

static void do_compete(const char *argument)
{
	struct competition competition;

	competition__begin(&competition);
	do_kind(&kinds[0], argument);
	competition__end(&competition);
}

/* ---- several spans */

static void do_nested(const char *argument)
{
	struct steptrace_command command;
	struct steptrace_step outer, inner;

	begin_command(&command);
	begin_step(&outer, &command, "outer");
	pause_for(atol(argument));
	begin_step(&inner, &command, "inner");
	pause_for(atol(argument));
	steptrace_step_end(&inner, STEPTRACE_SUCCESS);
	steptrace_step_end(&outer, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void do_deep(const char *argument)
{
	static struct steptrace_step steps[DEEPEST];
	struct steptrace_command command;
	long count = atol(argument);

	begin_command(&command);
	for (long i = 0; i < count && i < DEEPEST; i++)
		begin_step(&steps[i], &command, "deep");
	for (long i = count; i-- > 0;)
		steptrace_step_end(&steps[i], STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

struct worker {
	pthread_t thread;
	struct steptrace_command *command;
	struct steptrace_step *step;
	long ms;
};

static void *work_nested(void *context)
{
	struct worker *worker = context;
	struct steptrace_step outer, inner;

	begin_step(&outer, worker->command, "worker");
	begin_step(&inner, worker->command, "within");
	pause_for(worker->ms);
	steptrace_step_end(&inner, STEPTRACE_SUCCESS);
	steptrace_step_end(&outer, STEPTRACE_SUCCESS);
	return NULL;
}

static void do_threads(const char *argument)
{
	struct steptrace_command command;
	struct steptrace_step own;
	struct worker workers[2];

	begin_command(&command);
	for (int i = 0; i < 2; i++) {
		workers[i] = (struct worker){.command = &command, .ms = atol(argument)};
		pthread_create(&workers[i].thread, NULL, work_nested, &workers[i]);
	}
	begin_step(&own, &command, "own");
	pause_for(atol(argument));
	steptrace_step_end(&own, STEPTRACE_SUCCESS);
	for (int i = 0; i < 2; i++)
		pthread_join(workers[i].thread, NULL);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void *work_apart(void *context)
{
	struct worker *worker = context;
	struct steptrace_step first, second;

	begin_step(&first, worker->command, "first");
	begin_step(&second, worker->command, "second");
	pause_for(worker->ms);
	steptrace_step_end(&first, STEPTRACE_SUCCESS);
	steptrace_step_end(&second, STEPTRACE_SUCCESS);
	return NULL;
}

static void *end_step(void *context)
{
	struct worker *worker = context;

	pause_for(worker->ms);
	steptrace_step_end(worker->step, STEPTRACE_SUCCESS);
	return NULL;
}

static void *end_command(void *context)
{
	struct worker *worker = context;

	pause_for(worker->ms);
	steptrace_command_end(worker->command, STEPTRACE_SUCCESS);
	return NULL;
}

static void in_thread(struct worker *worker, void *(*work)(void *context))
{
	pthread_create(&worker->thread, NULL, work, worker);
	pthread_join(worker->thread, NULL);
}

static void do_apart(const char *argument)
{
	struct steptrace_command command;
	struct worker worker = {.command = &command, .ms = atol(argument)};

	begin_command(&command);
	in_thread(&worker, work_apart);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void do_handed(const char *argument)
{
	struct steptrace_command command;
	struct steptrace_step step;
	struct worker worker = {.command = &command, .step = &step, .ms = atol(argument)};

	begin_command(&command);
	begin_step(&step, &command, "handed");
	in_thread(&worker, end_step);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void do_carried(const char *argument)
{
	struct steptrace_command command;
	struct worker worker = {.command = &command, .ms = atol(argument)};

	begin_command(&command);
	in_thread(&worker, end_command);
}

static void do_suspended(const char *argument)
{
	struct steptrace_command command;
	struct steptrace_step step;

	begin_command(&command);
	begin_step(&step, &command, "suspended");
	steptrace_step_suspend(&step);
	pause_for(atol(argument));
	steptrace_step_resume(&step);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static struct steptrace_command open_command;
static struct steptrace_step open_step;

static void do_open(const char *argument)
{
	(void)argument;
	begin_command(&open_command);
	begin_step(&open_step, &open_command, "open");
}

static void do_close(const char *argument)
{
	(void)argument;
	steptrace_step_end(&open_step, STEPTRACE_SUCCESS);
	steptrace_command_end(&open_command, STEPTRACE_SUCCESS);
}

/* ---- orders */

static const struct {
	const char *name;
	void (*run)(const char *argument);
} orders[] = {
	{"compete", do_compete}, {"nested", do_nested},       {"deep", do_deep},
	{"threads", do_threads}, {"apart", do_apart},         {"handed", do_handed},
	{"carried", do_carried}, {"suspended", do_suspended}, {"open", do_open},
	{"close", do_close},
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
	schedstat_fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
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
	return 0;
}
