/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `steptrace export`. */
#ifndef STEPTRACE_EXPORT_OPTIONS_H
#define STEPTRACE_EXPORT_OPTIONS_H

#include <stdio.h>

#include "common/error.h"
#include "steptrace/export_formats.h"
#include "steptrace/otlp_options.h"
#include "steptrace/recording/recording_reader.h"

/* Texts are borrowed from argv. */
struct export_request {
	const struct export_format *format; /* NULL: events are sent to `where` */
	const char *where; /* "otlp:http://HOST:PORT" or "kafka:BROKER/TOPIC"; NULL: a format */
	struct otlp_request_options otlp;
	const char *kafka_settings; /* NULL: none */
	enum csv_table table;
	bool has_table;
	struct recording_from from; /* .part 0: from the beginning */
	const char *output;         /* NULL: standard output */
	const char *const *files;
	size_t files_count;
};

/* Returns OPTION_END, OPTION_HELP, or OPTION_BAD with a sentence. */
int export_options__parse(struct export_request *request, int argc, char **argv, struct error *err);

/* All options, for the help. */
void export_options__print(FILE *out);

#endif
