/* SPDX-License-Identifier: BSD-2-Clause */
/* The format of the lines of `steptrace record`, where the command line does not say it. */
#ifndef STEPTRACE_RECORD_FORMAT_H
#define STEPTRACE_RECORD_FORMAT_H

#include <stdbool.h>

#include "steptrace/record/session.h"

/* Whether an option is given that only works with JSON lines. */
bool record_format__needs_json(const struct session_options *session);

/*
 * To be called when all options and outputs are known. Looks whether every output is a terminal,
 * how wide the narrowest is, and whether it gets colours (text_line.h). Then, without --format: a
 * terminal gets compact lines, unless an option needs JSON. So does --ids.
 */
void record_format__choose(struct session_options *session);

#endif
