// SPDX-License-Identifier: BSD-2-Clause
/*
 * Eight producers that count what they do, so that a test can compare the events with their counts.
 * Reads one order from each line of stdin:
 *
 *	threads N	eight threads run N commands each
 *	processes N	eight child processes run N commands each
 *
 * For every command it prints "command ID STEPS" with the execution's id and the number of its
 * steps, then "did KIND COUNT" for every kind of event, then "ok".
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <steptrace.h>

enum { PRODUCERS = 8, COMMANDS_MAX = 4096, STEPS_MODULUS = 25 };

struct done {
	uint8_t execution_id[16];
	unsigned int steps;
};

/* The counts, in memory shared with the child processes. */
struct books {
	struct done commands[COMMANDS_MAX];
	unsigned int count;
	unsigned long tools, fragments, rejected;
};

struct job {
	struct books *books;
	unsigned int number, count;
};

static void tool(struct steptrace_command *command, struct steptrace_step *step,
		 struct books *books)
{
	struct steptrace_tool tool;

	steptrace_tool_init(&tool, command, step, "shell.grep");
	steptrace_tool_begin(&tool);
	steptrace_tool_end(&tool, STEPTRACE_SUCCESS);
	steptrace_fragment_changed(step, 7, STEPTRACE_UPDATED);
	books->tools++;
	books->fragments++;
}

static void one_step(struct steptrace_command *command, unsigned int index, struct books *books)
{
	static const enum steptrace_outcome outcomes[] = {STEPTRACE_SUCCESS, STEPTRACE_SKIPPED,
							  STEPTRACE_FAILURE};
	struct steptrace_step step;

	steptrace_step_init(&step, command, "DatabaseUpdateStep");
	step.name = "set-title";
	step.index = (uint16_t)index;
	steptrace_step_begin(&step);
	if (index == 3)
		tool(command, &step, books);
	steptrace_step_end(&step, outcomes[index % 3]);
	sched_yield(); /* so that all eight have an open command at the same time */
}

static void one_command(struct books *books, unsigned int steps)
{
	struct done *done = &books->commands[books->count++];
	struct steptrace_command command;

	steptrace_command_init(&command, "producer.work");
	command.user_id = "producer";
	command.request_source = "test";
	steptrace_command_begin(&command);
	for (unsigned int i = 0; i < steps; i++)
		one_step(&command, i, books);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	memcpy(done->execution_id, command.span.head.execution_id, sizeof(done->execution_id));
	done->steps = steps;
}

static void one_rejection(struct books *books)
{
	struct steptrace_command command;

	steptrace_command_init(&command, "nonesuch");
	steptrace_command_rejected(&command, "unknown_command", "title");
	books->rejected++;
}

static void *produce(void *argument)
{
	const struct job *job = argument;

	for (unsigned int i = 0; i < job->count; i++) {
		one_command(job->books, (job->number + 7 * i) % STEPS_MODULUS);
		if (i % 4 == 0)
			one_rejection(job->books);
	}
	return NULL;
}

static void by_threads(struct job jobs[PRODUCERS])
{
	pthread_t threads[PRODUCERS];

	for (int i = 0; i < PRODUCERS; i++)
		if (pthread_create(&threads[i], NULL, produce, &jobs[i]))
			exit(1);
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
}

static void by_processes(struct job jobs[PRODUCERS])
{
	int status;

	for (int i = 0; i < PRODUCERS; i++)
		if (fork() == 0) {
			produce(&jobs[i]);
			_exit(0);
		}
	while (wait(&status) > 0)
		if (status)
			exit(1);
}

static void say(const struct books *all)
{
	unsigned long commands = 0, steps = 0, tools = 0, fragments = 0, rejected = 0;

	for (const struct books *books = all; books < all + PRODUCERS; books++) {
		for (const struct done *done = books->commands;
		     done < books->commands + books->count; done++) {
			printf("command ");
			for (int i = 0; i < 16; i++)
				printf("%02x", done->execution_id[i]);
			printf(" %u\n", done->steps);
			steps += done->steps;
		}
		commands += books->count;
		tools += books->tools;
		fragments += books->fragments;
		rejected += books->rejected;
	}
	printf("did command.execution.started %lu\ndid command.execution.completed %lu\n", commands,
	       commands);
	printf("did dsl.step.executed %lu\ndid command.validation.failed %lu\n", steps, rejected);
	printf("did tool.invocation.completed %lu\ndid fragment.changed %lu\nok\n", tools,
	       fragments);
	fflush(stdout);
}

int main(void)
{
	size_t bytes = PRODUCERS * sizeof(struct books);
	struct books *books =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct job jobs[PRODUCERS];
	char line[64], how[16];
	unsigned int count;

	if (books == MAP_FAILED)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %u", how, &count) != 2 || count > COMMANDS_MAX)
			return 2;
		memset(books, 0, bytes);
		for (unsigned int i = 0; i < PRODUCERS; i++)
			jobs[i] = (struct job){&books[i], i, count};
		if (strcmp(how, "threads") == 0)
			by_threads(jobs);
		else
			by_processes(jobs);
		say(books);
	}
	return 0;
}
