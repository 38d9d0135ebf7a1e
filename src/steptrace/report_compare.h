/* SPDX-License-Identifier: BSD-2-Clause */
/* steptrace report --compare. */
#ifndef STEPTRACE_REPORT_COMPARE_H
#define STEPTRACE_REPORT_COMPARE_H

#include "common/error.h"
#include "steptrace/report_options.h"
#include "steptrace/stream/text_line.h"

/* Reads both recordings and writes the comparison to stdout. 0, or negative errno with a sentence:
 * one cannot be read or has no event, or something is slower than --fail-slower accepts. */
int report_compare__run(const struct report_request *request, const struct text_style *style,
			struct error *err);

#endif
