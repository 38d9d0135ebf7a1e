/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks the head of a request: its path, its method, its token and user, its Host and Origin.
 *
 * Without a token, the server listens on loopback only, and believes every process of this machine.
 * A browser is such a process, and executes what web sites tell it. So, without a token, a request
 * is refused if a page of another site sent it (Origin), or if it is meant for another host name
 * (Host): a name that its owner points to this machine.
 */
#ifndef STEPTRACE_RUNNER_GATE_H
#define STEPTRACE_RUNNER_GATE_H

#include "runner/request/request.h"
#include "runner/serve/http.h"

enum { GATE_USER_BYTES = 65, GATE_CORRELATION_BYTES = 129, GATE_TOKEN_BYTES_MAX = 4096 };

enum gate_route { GATE_EXECUTE, GATE_COMMANDS, GATE_HEALTH, GATE_REFUSED };

/* A bearer token; `text` NULL: there is none. */
struct gate_token {
	char *text; /* owned */
	size_t length;
};

struct gate_pass {
	char user_id[GATE_USER_BYTES];
	char correlation_id[GATE_CORRELATION_BYTES]; /* of the request; "": it has none */
	/* If it is refused: */
	unsigned int status;
	const char *allow; /* of a 405 */
	struct refusal refusal;
};

/* Reads the token from a file: 16 to GATE_TOKEN_BYTES_MAX printable characters of ASCII without
 * blanks, and nothing else but blanks around them. Warns if other users may read the file. Returns
 * 0 or a negative errno with a sentence. The caller frees token->text. */
int gate_token__read(struct gate_token *token, const char *path, struct error *err);

enum gate_route gate__look(const struct http_exchange *exchange, const struct gate_token *token,
			   struct gate_pass *pass);

#endif
