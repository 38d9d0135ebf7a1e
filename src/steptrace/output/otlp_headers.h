/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of --otlp-headers: HTTP headers that a receiver wants, such as a token. One a line;
 * empty lines and lines that begin with # are left out.
 *
 *	# the collector of the team
 *	Authorization: Bearer 5e0c…
 *
 * The values are secrets: no message contains one. Other users must not be able to read the file.
 */
#ifndef STEPTRACE_OTLP_HEADERS_H
#define STEPTRACE_OTLP_HEADERS_H

#include <stddef.h>

#include "common/error.h"

enum { OTLP_HEADERS_MAX = 32, OTLP_HEADERS_BYTES = 16384 };

struct otlp_headers {
	char text[OTLP_HEADERS_BYTES + 1]; /* the file; each line ends with a NUL */
	const char *lines[OTLP_HEADERS_MAX];
	size_t count;
};

/* Fills in zeroed memory; the struct must not move. 0, or negative errno with a sentence. */
int otlp_headers__read(const char *path, struct otlp_headers *headers, struct error *err);

/* Overwrites the secrets. */
void otlp_headers__wipe(struct otlp_headers *headers);

#endif
