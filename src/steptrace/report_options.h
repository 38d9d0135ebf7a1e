/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `steptrace report`. */
#ifndef STEPTRACE_REPORT_OPTIONS_H
#define STEPTRACE_REPORT_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "steptrace/compare_options.h"
#include "steptrace/report/summary.h"

struct report_request {
	struct summary_options summary;
	bool is_json, is_html;
	const char *const *paths; /* borrowed from argv */
	size_t paths_count;
	struct compare_request compare;
};

/* Returns OPTION_END, OPTION_HELP, or OPTION_BAD with a sentence. Free the request in all cases. */
int report_options__parse(struct report_request *request, int argc, char **argv, struct error *err);
void report_options__free(struct report_request *request);
void report_options__print(FILE *out);

#endif
