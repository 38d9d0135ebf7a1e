// SPDX-License-Identifier: BSD-2-Clause
/* steprun serve: the command controller, an HTTP server that executes commands. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/option_groups.h"
#include "runner/background_options.h"
#include "runner/commands.h"
#include "runner/serve/server.h"
#include "runner/stop_signals.h"

struct request_options {
	struct runner_options runner;
	struct server_settings server;
	struct background_options background;
	struct background_settings background_settings;
	uint64_t workers, queue_limit; /* as the options store them */
	const char *listen, *token_path;
	uint64_t grace_ns;
};

/* ------------------------------------------------------------------ options */

/* The end of the grace, in nanoseconds since the machine started, must be a number of 64 bits. */
#define GRACE_NS_MAX (1000ull * 3600 * 1000000000)

static const struct option_row server_rows[] = {
	{{'l', "listen", "ADDRESS:PORT",
	  "listen here (default: 127.0.0.1:8440); another address\n"
	  "than loopback needs --token-file"},
	 OPTION_STORES(TEXT, struct request_options, listen)},
	{{0, "token-file", "FILE", "want the bearer token that is in FILE"},
	 OPTION_STORES(TEXT, struct request_options, token_path)},
	{{'w', "workers", "N", "execute N commands at the same time (default: 4)"},
	 OPTION_STORES(NUMBER, struct request_options, workers),
	 .min = 1,
	 .max = SERVER_WORKERS_MAX,
	 .range = "a number from 1 to 256",
	 .example = "8"},
	{{0, "backlog", "N", "let N more requests wait (default: 64)"},
	 OPTION_STORES(NUMBER, struct request_options, queue_limit),
	 .min = 1,
	 .max = SERVER_QUEUE_MAX,
	 .range = "a number from 1 to 4096",
	 .example = "100"},
	{{0, "grace", "TIME",
	  "at the end, cancel what still runs after TIME\n"
	  "(default: 10s)"},
	 OPTION_STORES(TIME, struct request_options, grace_ns),
	 .min = 0,
	 .max = GRACE_NS_MAX,
	 .range = "a time of at most 1000h",
	 .example = "30s"},
};

enum { GROUPS_COUNT = 3 };

static void collect_groups(struct request_options *options,
			   struct option_group groups[GROUPS_COUNT])
{
	groups[0] = (struct option_group){"the server", server_rows,
					  sizeof(server_rows) / sizeof(server_rows[0]), options};
	groups[1] = (struct option_group){"schedules and jobs", background_option_rows,
					  BACKGROUND_OPTION_ROWS,
					  options ? &options->background : NULL};
	groups[2] = (struct option_group){"the runner", runner_option_rows, RUNNER_OPTION_ROWS,
					  options ? &options->runner : NULL};
}

static void print_help(void)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	printf("usage: steprun serve [OPTIONS]\n\n"
	       "Executes commands that clients send by HTTP:\n\n"
	       "  POST /api/commands/execute  {\"command\": \"/todo buy milk\"}\n"
	       "  GET /api/commands           the commands and their triggers\n"
	       "  GET /healthz                what the server is doing\n\n"
	       "Beside that, it executes the runs of schedules and the jobs of the queue.\n"
	       "SIGTERM or Ctrl-C ends the server when all accepted requests are answered.\n"
	       "--timeout is 60s if it is not given.\n");
	option_groups__print(stdout, groups, GROUPS_COUNT);
	printf("\nexit status: 0 stopped, 1 the server cannot run, 2 wrong usage\n");
}

static int check(struct request_options *options, const struct options_parser *parser,
		 struct error *err)
{
	if (parser->operands < parser->argc)
		return error__set(err, -EINVAL,
				  "serve takes no operands, such as '%s' (see --help)",
				  parser->argv[parser->operands]);
	if (strcmp(options->runner.database, ":memory:") == 0)
		return error__set(err, -EINVAL,
				  "--db :memory: would be a database for each worker: give a file");
	options->server = (struct server_settings){.workers = options->workers,
						   .queue_limit = options->queue_limit};
	if (background_options__settings(&options->background, &options->background_settings, err))
		return -EINVAL;
	return runner_options__finish(&options->runner, err) ? -EINVAL : 0;
}

/* Returns 0, 1 when the help was printed, or -EINVAL with a sentence. */
static int parse(struct request_options *options, int argc, char **argv, struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	int which;

	*options = (struct request_options){.workers = 4,
					    .queue_limit = 64,
					    .listen = "127.0.0.1:8440",
					    .grace_ns = 10000000000};
	runner_options__set_defaults(&options->runner);
	options->runner.timeout_ns = 60000000000;
	background_options__set_defaults(&options->background);
	collect_groups(options, groups);
	which = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (which == OPTION_HELP) {
		print_help();
		return 1;
	}
	return which == OPTION_BAD ? -EINVAL : check(options, &parser, err);
}

/* ------------------------------------------------------------------ serving */

static int open_listener(const struct request_options *options, const struct gate_token *token,
			 struct tcp_listener *listener, struct error *err)
{
	struct host_port address;
	int code;

	if (tcp_listener__split(options->listen, &address))
		return error__set(err, -EINVAL,
				  "--listen is ADDRESS:PORT or PORT, not '%s' (for example: "
				  "--listen 127.0.0.1:8440)",
				  options->listen);
	code = tcp_listener__open(listener, &address, HTTP_CONNECTIONS_MAX, err);
	if (code)
		return error__prefix(err, code, "cannot listen at '%s'", options->listen);
	if (listener->is_loopback || token->text)
		return 0;
	close(listener->fd);
	return error__set(
		err, -EACCES,
		"other machines can reach '%s': give --token-file, and put a reverse proxy "
		"with TLS in front, because the token travels unencrypted",
		options->listen);
}

static void tell_begin(const struct request_options *options, const struct runtime *runtime,
		       const struct tcp_listener *listener)
{
	log__info("serving %zu packs at http://%s with %" PRIu64 " workers; database '%s'",
		  runtime->catalogue.list.count, listener->name, options->workers,
		  options->runner.database);
	if (!listener->is_loopback)
		log__warn("the token travels unencrypted: put a reverse proxy with TLS in front");
}

static void tell_end(struct server *server, size_t unsent)
{
	struct server_counts counts;

	server__count(server, &counts);
	if (unsent)
		log__warn("%zu clients did not read their answers", unsent);
	log__info("%" PRIu64 " commands executed, %" PRIu64 " of them failed; %" PRIu64
		  " requests refused",
		  counts.executed, counts.failed, counts.refused);
}

static int open_background(const struct request_options *options, const struct runtime *runtime,
			   struct background **background, struct error *err)
{
	*background = NULL;
	return options->background_settings.threads
		       ? background__open(&options->background_settings, runtime, background, err)
		       : 0;
}

static void close_background(struct background *background, uint64_t grace_ns)
{
	struct background_counts counts;

	if (!background)
		return;
	background__stop(background, grace_ns);
	background__count(background, &counts);
	background_options__tell(&counts);
	background__close(background);
}

/* What runs in the background has the same grace as the requests. Clients that do not read their
 * answers come last. */
static void stop(const struct request_options *options, struct server *server,
		 struct background *background)
{
	uint64_t begin_ns = clock__now_ns(), used_ns;

	background__begin_stop(background);
	server__finish(server, options->grace_ns);
	used_ns = clock__now_ns() - begin_ns;
	close_background(background, used_ns < options->grace_ns ? options->grace_ns - used_ns : 0);
	tell_end(server, server__send_rest(server));
	server__close(server);
}

static int serve(const struct request_options *options, const struct runtime *runtime,
		 const struct gate_token *token, struct error *err)
{
	struct background *background;
	struct tcp_listener listener;
	struct server *server;
	int code = open_listener(options, token, &listener, err);

	if (code)
		return code;
	code = open_background(options, runtime, &background, err);
	if (!code)
		code = server__open(&options->server, runtime, &listener, token, &server, err);
	if (code) {
		close(listener.fd);
		close_background(background, 0);
		return code;
	}
	background__begin(background);
	tell_begin(options, runtime, &listener);
	log__info("%s: finishing what was accepted", stop_signals__wait(NULL, NULL));
	stop(options, server, background);
	return 0;
}

static int run(const struct request_options *options, struct error *err)
{
	struct gate_token token = {.text = NULL};
	struct runtime runtime;
	int code = runtime__open(&runtime, &options->runner, err);

	if (!code && options->token_path)
		code = gate_token__read(&token, options->token_path, err);
	if (!code)
		code = serve(options, &runtime, &token, err);
	free(token.text);
	runtime__close(&runtime);
	return code;
}

int cmd_serve(int argc, char **argv)
{
	struct request_options options;
	struct error err = {0};
	int code = parse(&options, argc, argv, &err);

	if (code > 0)
		return EXIT_DONE;
	if (!code) {
		stop_signals__block();
		code = run(&options, &err);
		if (!code)
			return EXIT_DONE;
		log__error("%s", err.text);
		return EXIT_FAILED;
	}
	log__error("%s", err.text);
	return EXIT_USAGE;
}
