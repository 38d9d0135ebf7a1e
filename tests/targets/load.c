// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner under load whose output can be compared byte for byte:
 *
 *	load N
 *
 * It runs N commands of five steps, which compute a checksum, and prints the checksum of every
 * 1000th command and the final one. Then it runs further commands, whose results it does not print,
 * until stdin has input or ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <steptrace.h>

static uint64_t run_command(uint64_t state)
{
	struct steptrace_command command;
	struct steptrace_step step;

	steptrace_command_init(&command, "load.checksum");
	command.user_id = "loader";
	steptrace_command_begin(&command);
	for (uint16_t i = 0; i < 5; i++) {
		steptrace_step_init(&step, &command, "ChecksumStep");
		step.name = "mix";
		step.index = i;
		steptrace_step_begin(&step);
		state = (state ^ i) * 6364136223846793005u + 1442695040888963407u;
		step.mutations_count = state & 3;
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
	}
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	return state;
}

static int told_to_end(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&in, 1, 0) != 0;
}

int main(int argc, char **argv)
{
	char *end;
	long count = strtol(argc > 1 ? argv[1] : "", &end, 10);
	uint64_t state = 1, rest;

	if (argc < 2 || *end || count < 1)
		return 3;
	for (long i = 0; i < count; i++) {
		state = run_command(state);
		if (i % 1000 == 0)
			printf("%ld %016llx\n", i, (unsigned long long)state);
	}
	printf("result %016llx\n", (unsigned long long)state);
	for (rest = state; !told_to_end();)
		for (int i = 0; i < 1000; i++)
			rest = run_command(rest);
	return 0;
}
