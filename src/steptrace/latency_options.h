/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `steptrace latency`. */
#ifndef STEPTRACE_LATENCY_OPTIONS_H
#define STEPTRACE_LATENCY_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "steptrace/latency/latency.h"
#include "steptrace/record/session.h"

struct latency_request {
	struct session_options session; /* without its reader */
	struct latency_options latency; /* without its source */
};

/* Returns OPTION_END, OPTION_HELP, or OPTION_BAD with a sentence. Texts are borrowed from argv. */
int latency_options__parse(struct latency_request *request, int argc, char **argv,
			   struct error *err);

/* All options, for the help. */
void latency_options__print(FILE *out);

#endif
