/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends POST requests to one server, one after the other over one connection, with libcurl. Only
 * http_client.c uses libcurl.
 *
 *	http_client__open	before the tracer is confined: reads files, looks up the host
 *	http_client__post	by one thread; waits
 *
 * libcurl starts no thread and looks up no name: it gets the addresses from here (peer.h). It uses
 * no proxy, follows no redirect, and takes no settings from the environment.
 *
 * A server that takes or sends bytes is waited for, however slow it is. One that does neither for
 * the timeout is given up for this request.
 */
#ifndef STEPTRACE_HTTP_CLIENT_H
#define STEPTRACE_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/otlp_address.h"

enum { HTTP_BODY_BYTES = 64 * 1024 }; /* of a response; what is longer is cut */

struct http_client_options {
	const struct otlp_address *address;
	const char *headers;     /* a file of headers; NULL: none */
	const char *authorities; /* PEM, for https; NULL: those of the system */
	uint64_t timeout_ns;
	struct write_state *state; /* borrowed: give_up_fd; written_bytes grows with each byte */
};

struct http_client;

/* 0, or negative errno with a sentence in `err`. */
int http_client__open(const struct http_client_options *options, struct http_client **client,
		      struct error *err);
/* Whether the files can be used: 0, or negative errno with a sentence. Nothing is looked up. */
int http_client__check_files(const struct http_client_options *options, struct error *err);
/* Accepts NULL. */
void http_client__close(struct http_client *client);

/* The texts of responses may repeat the secrets of the headers. */
bool http_client__has_secrets(const struct http_client *client);

struct http_request {
	const char *path; /* behind the base of the address: "/v1/traces" */
	const char *body;
	size_t bytes;
	bool is_gzip;
};

struct http_answer {
	long status;            /* 0: none came; also set where the answer broke off */
	uint64_t retry_after_s; /* 0: the server said nothing */
	const char *body;       /* valid until the next request */
	size_t bytes;
	unsigned int sent_again; /* how often libcurl sent the body again over a new connection */
	bool was_sent;           /* some of the body was, also when there is no answer */
};

/*
 * 0: the server answered. -ECANCELED: state->give_up_fd was readable. Other negative errno, with a
 * reason in `why`: no connection, or no answer. `answer` is set in any case.
 */
int http_client__post(struct http_client *client, const struct http_request *request,
		      struct http_answer *answer, struct error *why);

#endif
