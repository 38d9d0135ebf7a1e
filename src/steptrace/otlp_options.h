/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of OTLP receivers, of `steptrace record` and `steptrace export`. */
#ifndef STEPTRACE_OTLP_OPTIONS_H
#define STEPTRACE_OTLP_OPTIONS_H

#include "common/option_groups.h"
#include "steptrace/output/otlp_sender.h"

/* What was parsed. Texts are borrowed from argv. */
struct otlp_request_options {
	struct otlp_options otlp;
	bool has_compression;
};

/* NULL: for the help. */
struct option_group otlp_options__group(struct otlp_request_options *options);

/* Whether one of them was given. */
bool otlp_options__are_given(const struct otlp_request_options *options);

/* "--otlp-headers, --otlp-ca, --otlp-compression and --service" */
extern const char otlp_option_names[];

#endif
