/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of outputs: -o, and what holds for all outputs wherever it stands. */
#ifndef STEPTRACE_OUTPUT_OPTIONS_H
#define STEPTRACE_OUTPUT_OPTIONS_H

#include "common/option_groups.h"
#include "steptrace/otlp_options.h"
#include "steptrace/output/outputs.h"

/* What was parsed. Texts are borrowed from argv. */
struct output_request {
	struct output_options items[OUTPUTS_MAX]; /* where, and what --when-full says */
	size_t count;
	uint64_t queue_bytes;
	uint64_t rotate_bytes, rotate_age_ns, keep, tcp_timeout_ns; /* see sink.h */
	struct otlp_request_options otlp;
	struct sink_options sink; /* mode and group of files, TLS, Kafka */
	/* the kinds of the outputs */
	bool writes_files, connects, uses_tls, uses_kafka, uses_otlp, uses_https;
};

#define OUTPUT_REQUEST_DEFAULT                                                                     \
	{                                                                                          \
		.queue_bytes = 32 << 20                                                            \
	}

/* NULL: for the help. */
struct option_group output_options__group(struct output_request *request);

/* After parsing. `items` gets the outputs: standard output when none was named. 0, or -EINVAL with
 * a sentence: options that do not fit together. */
int output_options__finish(const struct output_request *request,
			   struct output_options items[OUTPUTS_MAX], size_t *count,
			   struct error *err);

#endif
