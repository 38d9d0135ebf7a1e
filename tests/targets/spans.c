// SPDX-License-Identifier: BSD-2-Clause
/*
 * The runner of most end-to-end tests. It reads one order from each line of stdin, carries it out,
 * and prints what it did and measured, so that a test can compare the events with it.
 *
 *	go N		N commands of five empty steps
 *	names N		N commands with a step, each with a slug of its own: name-0, name-1, ...
 *	sleep N		a command with N steps that sleep 20 ms each; prints "slept NS" for each
 *	idle N		a command with N empty steps; prints "clock NS", the median time between
 *			two readings of the clock
 *	text WHAT	a command with the same text in every field; WHAT is quotes, control,
 *			invalid, long or newline
 *	tool		a command with a step, a tool call and fragment changes
 *	reject		a rejected command
 *	refuse		a command that is rejected after its first step
 *	fail		a command whose third step fails
 *	nested		a command with three nested steps, in another command
 *	open		begins a command; prints "stamped 1" if a tracer is attached, so that the
 *			command has a start time, otherwise "stamped 0"
 *	step N		runs step N of the open command
 *	close		ends the open command
 *	threads N	8 threads run N commands each
 *	hop N		N commands of five steps; each step runs on another processor
 *	fork		a command in a child process; prints "child PID STATUS"
 *	crowd N		N child processes begin a command, then all are killed
 *	flood N		begins N commands and ends none
 *	drain N		ends the first N of these commands
 *	change WHAT	a command in a child process; after its first step, the child changes its
 *			name from "alpha" to "beta" (comm), or its user from root to 65534 (uid)
 *	continue	the open command continues in a child process and ends there
 *	spread N	a command with a step in this process and one in each of N child processes,
 *			which then exit
 *	break HOW	a command with a child process that ends inside a step, by exit or kill,
 *			and with a step in this process
 *	leave		begins a command and exits; a child process waits for that, prints "left",
 *			and runs a step and ends the command
 *	daemonize WHEN	the same with two forks: the process in between ends first; the grandchild
 *			runs a step "before" or "after" the process of the runner exits
 *	die HOW		ends this process inside two nested steps, by kill, segv, abort, exit,
 *			quiet (exit in a second thread), exec (of another program), hang (waits to
 *			be killed) or grow (allocates 512 MiB to reach a memory limit)
 *	semaphore	prints "semaphore COUNT", the number of probes that tracers have attached
 *	run PROGRAM	executes another program in a child process; prints "child PID"
 *	become PROGRAM	executes another program in this process
 *	enabled		prints "enabled 1" if a tracer is attached, otherwise "enabled 0"
 *	quit
 *
 * Each answer ends with a line "ok".
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>
#include <steptrace.h>

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void begin(struct steptrace_command *command, const char *slug)
{
	steptrace_command_init(command, slug);
	command->user_id = "tester";
	command->request_source = "test";
	command->arguments_count = 2;
	steptrace_command_begin(command);
}

static void step_of(struct steptrace_command *command, int index, enum steptrace_outcome outcome)
{
	struct steptrace_step step;

	steptrace_step_init(&step, command, "DatabaseUpdateStep");
	step.name = "set-title";
	step.index = (uint16_t)index;
	steptrace_step_begin(&step);
	if (outcome == STEPTRACE_SUCCESS)
		step.mutations_count = (uint64_t)index;
	else
		step.error_category = STEPTRACE_ERROR_DATABASE;
	steptrace_step_end(&step, outcome);
}

static void five_steps(int failing)
{
	struct steptrace_command command;
	enum steptrace_outcome outcome = STEPTRACE_SUCCESS;

	begin(&command, "fragment.update");
	for (int i = 0; i < 5 && outcome == STEPTRACE_SUCCESS; i++) {
		outcome = i == failing ? STEPTRACE_FAILURE : STEPTRACE_SUCCESS;
		step_of(&command, i, outcome);
	}
	if (outcome == STEPTRACE_FAILURE)
		command.error_category = STEPTRACE_ERROR_DATABASE;
	steptrace_command_end(&command, outcome);
}

static void do_go(int count)
{
	for (int i = 0; i < count; i++)
		five_steps(-1);
}

static void do_names(int count)
{
	struct steptrace_command command;
	char slug[32];

	for (int i = 0; i < count; i++) {
		snprintf(slug, sizeof(slug), "name-%d", i);
		begin(&command, slug);
		step_of(&command, 0, STEPTRACE_SUCCESS);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
	}
}

static void do_sleep(int count)
{
	struct timespec twenty_ms = {.tv_nsec = 20000000};
	struct steptrace_command command;
	struct steptrace_step step;

	begin(&command, "sleepy");
	for (int i = 0; i < count; i++) {
		uint64_t start, end;

		steptrace_step_init(&step, &command, "SleepStep");
		step.index = (uint16_t)i;
		steptrace_step_begin(&step);
		start = now_ns();
		nanosleep(&twenty_ms, NULL);
		end = now_ns();
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
		printf("slept %llu\n", (unsigned long long)(end - start));
	}
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static int by_size(const void *one, const void *other)
{
	uint64_t left = *(const uint64_t *)one, right = *(const uint64_t *)other;

	return (left > right) - (left < right);
}

static uint64_t clock_cost_ns(void)
{
	uint64_t between[1001];

	for (int i = 0; i < 1001; i++) {
		uint64_t before = now_ns();

		between[i] = now_ns() - before;
	}
	qsort(between, 1001, sizeof(between[0]), by_size);
	return between[500];
}

static void do_idle(int count)
{
	struct steptrace_command command;
	struct steptrace_step step;

	printf("clock %llu\n", (unsigned long long)clock_cost_ns());
	begin(&command, "idle");
	for (int i = 0; i < count; i++) {
		steptrace_step_init(&step, &command, "IdleStep");
		step.index = (uint16_t)i;
		steptrace_step_begin(&step);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
	}
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static const char *text_named(const char *what)
{
	static char long_text[10241], control[32];

	if (strcmp(what, "quotes") == 0)
		return "a \"quoted\" \\ back/slash";
	if (strcmp(what, "newline") == 0)
		return "one\ntwo\r\nthree";
	if (strcmp(what, "invalid") == 0)
		return "\xff\xfe \xc3( \xed\xa0\x80 \xf8\x88 ok \xc3";
	if (strcmp(what, "control") == 0) {
		for (int i = 0; i < 31; i++)
			control[i] = (char)(i + 1);
		return control;
	}
	for (size_t i = 0; i + 2 < sizeof(long_text); i += 2)
		memcpy(&long_text[i], "\xc3\xa9", 2); /* é: truncation must not split it */
	return long_text;
}

static void do_text(const char *what)
{
	const char *text = text_named(what);
	struct steptrace_command command;
	struct steptrace_step step;

	steptrace_command_init(&command, text);
	command.user_id = command.request_source = command.correlation_id = text;
	steptrace_command_begin(&command);
	steptrace_step_init(&step, &command, text);
	step.name = text;
	steptrace_step_begin(&step);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	steptrace_command_init(&command, text);
	command.user_id = text;
	steptrace_command_rejected(&command, text, text);
}

static void do_tool(void)
{
	struct steptrace_command command;
	struct steptrace_step step;
	struct steptrace_tool tool;

	begin(&command, "toolbox");
	steptrace_step_init(&step, &command, "ToolCallStep");
	step.name = "call";
	step.fragment_id = -7;
	step.has_fragment_id = 1;
	step.items_in = 9;
	step.items_out = 4;
	step.has_items = 1;
	step.ai_cache = STEPTRACE_AI_MISS;
	step.prompt_tokens = 12;
	step.completion_tokens = 34;
	steptrace_step_begin(&step);
	steptrace_tool_init(&tool, &command, &step, "shell.grep");
	steptrace_tool_begin(&tool);
	tool.exit_status = 3;
	tool.has_exit_status = 1;
	steptrace_tool_end(&tool, STEPTRACE_FAILURE);
	steptrace_fragment_changed(&step, 41, STEPTRACE_CREATED);
	steptrace_fragment_changed(&step, 42, STEPTRACE_UPDATED);
	steptrace_fragment_changed(&step, 43, STEPTRACE_DELETED);
	steptrace_step_end(&step, STEPTRACE_SKIPPED);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void do_reject(void)
{
	struct steptrace_command command;

	steptrace_command_init(&command, "nonesuch");
	command.user_id = "tester";
	command.request_source = "api";
	command.correlation_id = "req-12345678";
	steptrace_command_rejected(&command, "unknown_command", "title,tags");
}

static void do_refuse(void)
{
	struct steptrace_command command;

	begin(&command, "refused");
	step_of(&command, 0, STEPTRACE_SUCCESS);
	steptrace_command_rejected(&command, "invalid_argument", "title");
}

static void do_nested(void)
{
	struct steptrace_command parent, command;
	struct steptrace_step outer, middle, inner;

	begin(&parent, "parent");
	steptrace_command_init(&command, "nested");
	command.parent = &parent;
	command.dry_run = 1;
	command.is_scheduled = 1;
	command.schedule_id = 17;
	command.schedule_run_id = 99;
	command.planned_run_at_s = 1790000000;
	steptrace_command_begin(&command);
	steptrace_step_init(&outer, &command, "ConditionStep");
	outer.name = "outer";
	steptrace_step_begin(&outer);
	steptrace_step_init(&middle, &command, "ConditionStep");
	middle.name = "middle";
	middle.parent = &outer;
	steptrace_step_begin(&middle);
	steptrace_step_init(&inner, &command, "NotifyStep");
	inner.name = "inner";
	inner.parent = &middle;
	steptrace_step_begin(&inner);
	steptrace_step_end(&inner, STEPTRACE_SUCCESS);
	steptrace_step_end(&middle, STEPTRACE_SUCCESS);
	steptrace_step_end(&outer, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	steptrace_command_end(&parent, STEPTRACE_SUCCESS);
}

/* Moves this thread to the next processor that it may use. */
static void hop(void)
{
	static cpu_set_t allowed;
	static int cpu;
	cpu_set_t one;

	if (CPU_COUNT(&allowed) == 0)
		sched_getaffinity(0, sizeof(allowed), &allowed);
	do
		cpu = (cpu + 1) % CPU_SETSIZE;
	while (!CPU_ISSET(cpu, &allowed));
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void do_hop(int count)
{
	struct steptrace_command command;

	for (int i = 0; i < count; i++) {
		begin(&command, "hopping");
		for (int step = 0; step < 5; step++) {
			hop();
			step_of(&command, step, STEPTRACE_SUCCESS);
		}
		hop();
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
	}
}

static void *thread_main(void *count)
{
	do_go(*(int *)count);
	return NULL;
}

static void do_threads(int count)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, thread_main, &count);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
}

static void do_fork(void)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		five_steps(-1);
		_exit(0);
	}
	waitpid(child, &status, 0);
	printf("child %d %d\n", child, status);
}

/* Begins a command when the parent has closed the pipe, that is, when all children exist. */
static void doomed_child(const int ends[2], atomic_int *begun)
{
	struct steptrace_command command;
	char byte;

	close(ends[1]);
	if (read(ends[0], &byte, 1) != 0)
		_exit(1);
	begin(&command, "doomed");
	++*begun;
	pause();
}

static void do_crowd(int number)
{
	pid_t *children = calloc((size_t)number + 1, sizeof(*children));
	atomic_int *begun = mmap(NULL, sizeof(*begun), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ends[2];

	if (!children || begun == MAP_FAILED || pipe(ends))
		return;
	for (int i = 0; i < number; i++) {
		children[i] = fork();
		if (children[i] == 0)
			doomed_child(ends, begun);
	}
	close(ends[0]);
	close(ends[1]);
	while (*begun < number)
		usleep(1000);
	for (int i = 0; i < number; i++)
		if (children[i] > 0)
			kill(children[i], SIGKILL);
	while (wait(NULL) > 0)
		continue;
	munmap(begun, sizeof(*begun));
	free(children);
}

static void do_open(struct steptrace_command *held)
{
	begin(held, "held");
	printf("stamped %d\n", held->span.head.start_ns != 0);
}

/* The open command continues and ends in a child process. */
static void do_continue(struct steptrace_command *held)
{
	pid_t child = fork();

	if (child == 0) {
		step_of(held, 0, STEPTRACE_SUCCESS);
		steptrace_command_end(held, STEPTRACE_SUCCESS);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void do_change(const char *what)
{
	struct steptrace_command command;

	if (fork() == 0) {
		prctl(PR_SET_NAME, "alpha");
		begin(&command, "changing");
		step_of(&command, 0, STEPTRACE_SUCCESS);
		if (strcmp(what, "comm") == 0)
			prctl(PR_SET_NAME, "beta");
		else if (setreuid(65534, 65534))
			_exit(1);
		step_of(&command, 1, STEPTRACE_SUCCESS);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
		_exit(0);
	}
	wait(NULL);
}

static struct steptrace_command *flooded;
static int flooded_count;

static void do_flood(int count)
{
	flooded = calloc((size_t)count, sizeof(*flooded));
	for (flooded_count = 0; flooded && flooded_count < count; flooded_count++)
		begin(&flooded[flooded_count], "flood");
}

static void do_drain(int count)
{
	for (int i = 0; i < count && i < flooded_count; i++)
		steptrace_command_end(&flooded[i], STEPTRACE_SUCCESS);
}

static void do_spread(int count)
{
	struct steptrace_command command;

	begin(&command, "spread");
	step_of(&command, 0, STEPTRACE_SUCCESS);
	for (int i = 0; i < count; i++) {
		if (fork() == 0) {
			step_of(&command, i + 1, STEPTRACE_SUCCESS);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		continue;
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void do_break(const char *how)
{
	struct steptrace_command command;
	struct steptrace_step step;

	begin(&command, "broken");
	if (fork() == 0) {
		steptrace_step_init(&step, &command, "DatabaseUpdateStep");
		step.name = "fatal";
		steptrace_step_begin(&step);
		if (strcmp(how, "kill") == 0)
			raise(SIGKILL);
		_exit(3);
	}
	wait(NULL);
	step_of(&command, 1, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void do_leave(void)
{
	struct steptrace_command command;
	pid_t parent = getpid();

	begin(&command, "left");
	if (fork())
		_exit(0);
	while (getppid() == parent)
		usleep(1000);
	puts("left");
	fflush(stdout);
	step_of(&command, 0, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	_exit(0);
}

static void wait_for_byte(int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		continue;
}

/* In the grandchild. The runner waits for the end of `ready`; it has ended when `gone` ends. */
static void end_as_daemon(struct steptrace_command *command, bool before, int ready, int gone)
{
	if (before)
		step_of(command, 0, STEPTRACE_SUCCESS);
	close(ready);
	wait_for_byte(gone);
	if (!before)
		step_of(command, 0, STEPTRACE_SUCCESS);
	steptrace_command_end(command, STEPTRACE_SUCCESS);
	puts("left");
	fflush(stdout);
	_exit(0);
}

static void do_daemonize(const char *when)
{
	struct steptrace_command command;
	int ready[2], gone[2];

	if (pipe(ready) || pipe(gone))
		return;
	begin(&command, "daemon");
	if (fork() == 0) {
		close(gone[1]);
		close(ready[0]);
		if (fork() == 0)
			end_as_daemon(&command, strcmp(when, "before") == 0, ready[1], gone[0]);
		_exit(0);
	}
	close(ready[1]);
	while (wait(NULL) > 0)
		continue;
	wait_for_byte(ready[0]);
	_exit(0);
}

static void *exit_quietly(void *unused)
{
	(void)unused;
	exit(7);
}

static void grow(void)
{
	for (int megabytes = 0; megabytes < 512; megabytes++) {
		char *more = malloc(1 << 20);

		if (more)
			memset(more, 1, 1 << 20);
	}
	_exit(99); /* no memory limit stopped it */
}

static void die(const char *how)
{
	static volatile int *volatile nowhere;
	pthread_t thread;

	if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(how, "segv") == 0)
		*nowhere = 1;
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "exit") == 0)
		exit(3);
	else if (strcmp(how, "exec") == 0)
		execl("/bin/true", "true", (char *)NULL);
	else if (strcmp(how, "grow") == 0)
		grow();
	else if (strcmp(how, "quiet") == 0)
		pthread_create(&thread, NULL, exit_quietly, NULL);
	puts("hanging");
	fflush(stdout);
	for (;;)
		pause();
}

static void do_die(const char *how)
{
	struct steptrace_command command;
	struct steptrace_step outer, inner;

	begin(&command, "doomed");
	step_of(&command, 0, STEPTRACE_SUCCESS);
	steptrace_step_init(&outer, &command, "ConditionStep");
	outer.name = "outer";
	outer.index = 1;
	steptrace_step_begin(&outer);
	step_of(&command, 1, STEPTRACE_FAILURE);
	steptrace_step_init(&inner, &command, "DatabaseUpdateStep");
	inner.name = "fatal";
	inner.index = 2;
	inner.parent = &outer;
	steptrace_step_begin(&inner);
	die(how);
}

static void do_run(const char *program)
{
	pid_t child = fork();

	if (child == 0) {
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	printf("child %d\n", child);
	fflush(stdout);
	waitpid(child, NULL, 0);
}

static void obey(const char *word, const char *argument)
{
	static struct steptrace_command held;
	int number = atoi(argument);

	if (strcmp(word, "go") == 0)
		do_go(number);
	else if (strcmp(word, "names") == 0)
		do_names(number);
	else if (strcmp(word, "sleep") == 0)
		do_sleep(number);
	else if (strcmp(word, "idle") == 0)
		do_idle(number);
	else if (strcmp(word, "text") == 0)
		do_text(argument);
	else if (strcmp(word, "tool") == 0)
		do_tool();
	else if (strcmp(word, "reject") == 0)
		do_reject();
	else if (strcmp(word, "refuse") == 0)
		do_refuse();
	else if (strcmp(word, "fail") == 0)
		five_steps(2);
	else if (strcmp(word, "nested") == 0)
		do_nested();
	else if (strcmp(word, "open") == 0)
		do_open(&held);
	else if (strcmp(word, "step") == 0)
		step_of(&held, number, STEPTRACE_SUCCESS);
	else if (strcmp(word, "close") == 0)
		steptrace_command_end(&held, STEPTRACE_SUCCESS);
	else if (strcmp(word, "threads") == 0)
		do_threads(number);
	else if (strcmp(word, "hop") == 0)
		do_hop(number);
	else if (strcmp(word, "continue") == 0)
		do_continue(&held);
	else if (strcmp(word, "change") == 0)
		do_change(argument);
	else if (strcmp(word, "flood") == 0)
		do_flood(number);
	else if (strcmp(word, "drain") == 0)
		do_drain(number);
	else if (strcmp(word, "spread") == 0)
		do_spread(number);
	else if (strcmp(word, "break") == 0)
		do_break(argument);
	else if (strcmp(word, "leave") == 0)
		do_leave();
	else if (strcmp(word, "daemonize") == 0)
		do_daemonize(argument);
	else if (strcmp(word, "fork") == 0)
		do_fork();
	else if (strcmp(word, "crowd") == 0)
		do_crowd(number);
	else if (strcmp(word, "die") == 0)
		do_die(argument);
	else if (strcmp(word, "run") == 0)
		do_run(argument);
	else if (strcmp(word, "become") == 0)
		execl(argument, argument, (char *)NULL);
	else if (strcmp(word, "semaphore") == 0)
		printf("semaphore %u\n", (unsigned int)steptrace_semaphore);
	else if (strcmp(word, "enabled") == 0)
		printf("enabled %d\n", steptrace_enabled());
	else
		printf("unknown word %s\n", word);
}

int main(void)
{
	char line[256], word[64], argument[128];

	while (fgets(line, sizeof(line), stdin)) {
		argument[0] = 0;
		if (sscanf(line, "%63s %127s", word, argument) < 1)
			continue;
		if (strcmp(word, "quit") == 0)
			break;
		obey(word, argument);
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
