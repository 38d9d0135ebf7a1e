/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `steptrace top`. */
#ifndef STEPTRACE_TOP_OPTIONS_H
#define STEPTRACE_TOP_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "common/error.h"
#include "steptrace/record/session.h"
#include "steptrace/top/top.h"

enum { TOP_TARGET_BYTES = 256 };

struct top_request {
	struct session_options session; /* without its reader */
	struct top_options top;         /* its target is the text below */
	char target[TOP_TARGET_BYTES];
	uint64_t interval_ns; /* between two screens */
};

/* Returns OPTION_END, OPTION_HELP, or OPTION_BAD with a sentence. Texts are borrowed from argv. */
int top_options__parse(struct top_request *request, int argc, char **argv, struct error *err);

/* All options, for the help. */
void top_options__print(FILE *out);

#endif
