/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model's server and a client of it, for a test program: set-up and tear-down of its tests. The
 * server answers every question with: Nice "weather". Include <cmocka.h> first.
 */
#ifndef TESTS_MODEL_SERVER_H
#define TESTS_MODEL_SERVER_H

#include <stdio.h>
#include <stdlib.h>

#include "../support/http_server.h"
#include "runner/ai/ai_client.h"

static struct http_server *server;
static struct ai_client *client;
static char *completion;

static inline int model_server__open(void **state)
{
	struct http_reply reply = {0};
	struct error err;
	char url[64];

	(void)state;
	completion = http_server__completion("Nice \"weather\"", 11, 4);
	reply.body = completion;
	server = http_server__start(&reply);
	if (!server)
		return -1;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1/", http_server__port(server));
	return ai_client__open(url, "tiny", "secret-key", &client, &err);
}

static inline int model_server__close(void **state)
{
	(void)state;
	ai_client__close(client);
	http_server__stop(server);
	free(completion);
	return 0;
}

#endif
