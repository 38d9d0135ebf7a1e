/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `steptrace inflight`. */
#ifndef STEPTRACE_INFLIGHT_OPTIONS_H
#define STEPTRACE_INFLIGHT_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "steptrace/inflight/inflight.h"

/* Returns OPTION_END, OPTION_HELP, or OPTION_BAD with a sentence. */
int inflight_options__parse(struct inflight_options *options, int argc, char **argv,
			    struct error *err);

/* All options, for the help. */
void inflight_options__print(FILE *out);

#endif
