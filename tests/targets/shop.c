// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner with three planted causes of latency, under load (docs/latency.md):
 *
 *	shop FILE
 *
 *	order.place	three threads; the step "stock" waits for a lock that another thread holds
 *	report.save	one thread; the step "store" waits for the disk: fsync() of FILE
 *	triage		two threads; the step "ask" waits for a model, which answers after 60 ms
 *
 * It prints "open" when it has begun. The line "hang" on stdin makes the model stop to answer; the
 * runner prints "hangs" when a step waits for it. The end of stdin ends the runner.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <pthread.h>
#include <steptrace.h>

enum { FILE_BYTES = 256 << 10 };

static const char *path;
static pthread_mutex_t stock = PTHREAD_MUTEX_INITIALIZER;
static volatile int has_to_hang;

static void wait_ms(long milliseconds)
{
	struct timespec time = {0, milliseconds * 1000000};

	nanosleep(&time, NULL);
}

static void begin(struct steptrace_command *command, const char *slug)
{
	steptrace_command_init(command, slug);
	command->user_id = "mia";
	command->request_source = "api";
	steptrace_command_begin(command);
}

static void begin_step(struct steptrace_step *step, struct steptrace_command *command,
		       const char *type, const char *name)
{
	steptrace_step_init(step, command, type);
	step->name = name;
	steptrace_step_begin(step);
}

/* ---- order.place: a lock */

static void check(struct steptrace_command *command)
{
	struct steptrace_step step;

	begin_step(&step, command, "ValidateStep", "check");
	for (volatile int i = 0; i < 20000; i++)
		;
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
}

static void *place_orders(void *argument)
{
	struct steptrace_command command;
	struct steptrace_step step;

	for (;;) {
		begin(&command, "order.place");
		check(&command);
		begin_step(&step, &command, "DatabaseUpdateStep", "stock");
		pthread_mutex_lock(&stock);
		wait_ms(4);
		pthread_mutex_unlock(&stock);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
	}
	return argument;
}

/* ---- report.save: a disk */

static void store(void)
{
	static const char bytes[FILE_BYTES];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != sizeof(bytes) || fsync(fd))
		exit(3);
	close(fd);
}

static void *save_reports(void *argument)
{
	struct steptrace_command command;
	struct steptrace_step step;

	for (;;) {
		begin(&command, "report.save");
		begin_step(&step, &command, "FragmentUpdateStep", "store");
		store();
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
		wait_ms(20);
	}
	return argument;
}

/* ---- triage: a model */

static void *answer(void *ends)
{
	int socket = ((int *)ends)[1];
	char question;

	while (read(socket, &question, 1) == 1) {
		wait_ms(60);
		if (has_to_hang) {
			puts("hangs");
			fflush(stdout);
			break;
		}
		if (write(socket, "!", 1) != 1)
			exit(3);
	}
	return NULL;
}

static void ask(int socket)
{
	char reply;

	if (send(socket, "?", 1, 0) != 1 || recv(socket, &reply, 1, 0) != 1)
		exit(3);
}

static void *triage(void *ends)
{
	struct steptrace_command command;
	struct steptrace_step step;

	for (;;) {
		begin(&command, "triage");
		check(&command);
		begin_step(&step, &command, "AiGenerateStep", "ask");
		ask(((int *)ends)[0]);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
	}
	return NULL;
}

/* ---- */

static void start(void *(*run)(void *argument), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, argument))
		exit(3);
}

int main(int argc, char **argv)
{
	static int ends[2][2];
	char line[16];

	if (argc != 2)
		return 2;
	path = argv[1];
	for (int i = 0; i < 2; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends[i]))
			return 3;
		start(answer, ends[i]);
		start(triage, ends[i]);
	}
	for (int i = 0; i < 3; i++)
		start(place_orders, NULL);
	start(save_reports, NULL);
	puts("open");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		has_to_hang = has_to_hang || strcmp(line, "hang\n") == 0;
	exit(0);
}
