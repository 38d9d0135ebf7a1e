// SPDX-License-Identifier: BSD-2-Clause
/*
 * Starts many short-lived processes:
 *
 *	swarm RATE SECONDS ORDER PROGRAM...
 *
 * It starts RATE processes per second for SECONDS seconds, each of the programs in turn, with the
 * line ORDER as standard input. When all have ended, it prints "started N failed N".
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static posix_spawn_file_actions_t actions;
static int order_fds[2];
static long failed;

/* Other children must not inherit the write end of this pipe, or the program would never see the
 * end of its input. */
static void start(char *program, const char *order)
{
	char *argv[] = {program, NULL}, *environment[] = {NULL};
	pid_t pid;

	if (pipe2(order_fds, O_CLOEXEC))
		exit(1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, order_fds[0], STDIN_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (write(order_fds[1], order, strlen(order)) < 0 || write(order_fds[1], "\n", 1) != 1)
		exit(1);
	failed += posix_spawn(&pid, program, &actions, NULL, argv, environment) != 0;
	posix_spawn_file_actions_destroy(&actions);
	close(order_fds[0]);
	close(order_fds[1]);
}

static void reap(int flags)
{
	int status;

	while (waitpid(-1, &status, flags) > 0)
		failed += status != 0;
}

static void wait_until(struct timespec begun, double seconds)
{
	double at = (double)begun.tv_sec + (double)begun.tv_nsec / 1e9 + seconds;
	struct timespec when = {.tv_sec = (time_t)at};

	when.tv_nsec = (long)((at - (double)when.tv_sec) * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

int main(int argc, char **argv)
{
	double rate = strtod(argc > 4 ? argv[1] : "0", NULL);
	long total = argc > 4 ? (long)(rate * strtod(argv[2], NULL)) : 0;
	struct timespec begun;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (long i = 0; i < total; i++) {
		wait_until(begun, (double)i / rate);
		start(argv[4 + i % (argc - 4)], argv[3]);
		reap(WNOHANG);
	}
	reap(0);
	printf("started %ld failed %ld\n", total, failed);
	return total == 0;
}
