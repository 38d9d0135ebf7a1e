/* SPDX-License-Identifier: BSD-2-Clause */
/* How wide compact lines may be. */
#ifndef STEPTRACE_TEXT_WIDTH_H
#define STEPTRACE_TEXT_WIDTH_H

#include <stddef.h>

#include "steptrace/output/outputs.h"

/* The columns of the narrowest terminal, now; TEXT_COLUMNS for a terminal that does not say it. 0:
 * an output is not a terminal. */
unsigned int text_width__columns(const struct output_options *outputs, size_t count);

#endif
