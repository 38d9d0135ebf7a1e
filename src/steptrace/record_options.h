/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `steptrace record`. */
#ifndef STEPTRACE_RECORD_OPTIONS_H
#define STEPTRACE_RECORD_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "steptrace/record/session.h"
#include "steptrace/record_config.h"

struct record_request {
	struct session_options session;
	struct record_config config; /* texts of the session point into its file */
};

/* Returns OPTION_END (then `request` is complete), OPTION_HELP, or OPTION_BAD with a sentence. The
 * caller frees the request in any case. */
int record_options__parse(struct record_request *request, int argc, char **argv, struct error *err);
void record_options__free(struct record_request *request);

/* The options as help text, in groups. */
void record_options__print(FILE *out);

#endif
