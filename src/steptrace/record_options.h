/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `steptrace record`. */
#ifndef STEPTRACE_RECORD_OPTIONS_H
#define STEPTRACE_RECORD_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "steptrace/record/session.h"

/* Returns OPTION_END (then `options` is complete), OPTION_HELP, or OPTION_BAD with a sentence. */
int record_options__parse(struct session_options *options, int argc, char **argv,
			  struct error *err);

/* The options as help text, in groups. */
void record_options__print(FILE *out);

#endif
