/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `steptrace profile`. */
#ifndef STEPTRACE_PROFILE_OPTIONS_H
#define STEPTRACE_PROFILE_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "steptrace/capture/capture.h"
#include "steptrace/flame/flame.h"
#include "steptrace/profile/profile.h"
#include "steptrace/record/session.h"

struct profile_request {
	struct session_options session; /* without its reader */
	struct stack_options stacks;
	struct profile_options profile;
	uint64_t frequency_hz, hold_bytes; /* as parsed */
	bool has_unwind;                   /* --unwind was given */
	enum flame_format format;
	const char *output; /* a path; NULL: standard output */
};

/* Returns OPTION_END, OPTION_HELP, or OPTION_BAD with a sentence. Texts are borrowed from argv.
 * session.watch.stacks points into the request. */
int profile_options__parse(struct profile_request *request, int argc, char **argv,
			   struct error *err);

/* Without --unwind, stacks are copied if the kernel can do that, otherwise frame pointers are used.
 * Returns false in the latter case. */
bool profile_options__choose_unwind(struct profile_request *request, bool can_copy);

/* All options, for the help. */
void profile_options__print(FILE *out);

#endif
