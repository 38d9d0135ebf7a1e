// SPDX-License-Identifier: BSD-2-Clause
/*
 * A model's server for the demo and the end-to-end tests. It gives the same answer to every
 * question, after a delay of --delay-ms. It prints its address, and ends at the end of stdin or on
 * SIGINT or SIGTERM.
 *
 *	$ ai_server --delay-ms 20
 *	listening 127.0.0.1:43817
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/log.h"
#include "common/parse.h"
#include "http_server.h"

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL); /* before the threads start, which inherit the mask */
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Waits for the end of stdin or a signal. Input from stdin is ignored. */
static void wait_for_end(int signals)
{
	struct pollfd fds[] = {{.fd = signals, .events = POLLIN},
			       {.fd = STDIN_FILENO, .events = POLLIN}};
	char scrap[256];

	while (poll(fds, 2, -1) >= 0 && !fds[0].revents)
		if (fds[1].revents && read(STDIN_FILENO, scrap, sizeof(scrap)) <= 0)
			return;
}

static int parse_delay(int argc, char **argv, int *delay_ms)
{
	uint64_t value;

	*delay_ms = 0;
	if (argc == 1)
		return 0;
	if (argc != 3 || strcmp(argv[1], "--delay-ms") != 0 ||
	    parse__u64(argv[2], 0, 600000, &value))
		return -1;
	*delay_ms = (int)value;
	return 0;
}

int main(int argc, char **argv)
{
	char *body = http_server__completion("A short answer, always the same.", 24, 8);
	struct http_reply reply = {.body = body};
	struct http_server *server;
	int signals;

	log__init("ai_server");
	if (parse_delay(argc, argv, &reply.delay_ms)) {
		log__error("usage: ai_server [--delay-ms N]");
		free(body);
		return 2;
	}
	signals = open_signals();
	server = http_server__start(&reply);
	if (!server) {
		log__error("cannot listen on 127.0.0.1");
		free(body);
		return 1;
	}
	printf("listening 127.0.0.1:%d\n", http_server__port(server));
	fflush(stdout);
	wait_for_end(signals);
	http_server__stop(server);
	close(signals);
	free(body);
	return 0;
}
