/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of an OTLP output, in parts. Nothing is looked up.
 *
 *	otlp:https://collector:4318/base	is_tls, host "collector", port "4318", path "/base"
 *
 * Without a port it is that of the scheme, 80 or 443. A user, a query or a fragment is an error:
 * they may contain secrets, and the text of -o is visible to others (--otlp-headers reads a file).
 */
#ifndef STEPTRACE_OTLP_ADDRESS_H
#define STEPTRACE_OTLP_ADDRESS_H

#include <stdbool.h>

#include "common/error.h"

struct otlp_address {
	bool is_tls;
	char peer[300]; /* "otlp:HOST:PORT", as peer__find_host() wants it */
	char base[512]; /* the URL without a slash at its end: "https://collector:4318/base" */
};

/* 0, or -EINVAL with a sentence. */
int otlp_address__parse(const char *where, struct otlp_address *address, struct error *err);

/* Whether it begins with "otlp:https://". */
bool otlp_address__is_encrypted(const char *where);

/* For the table of kinds: the same without the result. */
int otlp_address__check(const char *where, struct error *err);

#endif
