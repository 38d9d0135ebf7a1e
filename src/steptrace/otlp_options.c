// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp_options.h"

#include <errno.h>
#include <string.h>

const char otlp_option_names[] = "--otlp-headers, --otlp-ca, --otlp-compression and --service";

static int set_compression(void *context, const char *value, struct error *err)
{
	struct otlp_request_options *options = context;

	options->otlp.is_plain = strcmp(value, "none") == 0;
	options->has_compression = true;
	if (!options->otlp.is_plain && strcmp(value, "gzip") != 0)
		return error__set(err, -EINVAL, "--otlp-compression must be gzip or none, not '%s'",
				  value);
	return 0;
}

static const struct option_row rows[] = {
	{{0, "otlp-headers", "FILE",
	  "send the HTTP headers in FILE to OTLP receivers, for example\n"
	  "a token; one a line, NAME: VALUE"},
	 OPTION_STORES(TEXT, struct otlp_request_options, otlp.headers)},
	{{0, "otlp-ca", "FILE",
	  "trust the authorities whose certificates are in FILE, for\n"
	  "otlp:https://... (default: those of the system)"},
	 OPTION_STORES(TEXT, struct otlp_request_options, otlp.authorities)},
	{{0, "otlp-compression", "gzip|none",
	  "how requests to OTLP receivers are compressed (default:\n"
	  "gzip)"},
	 .set = set_compression},
	{{0, "service", "NAME",
	  "the service.name of the spans (default: the name of the\n"
	  "traced program)"},
	 OPTION_STORES(TEXT, struct otlp_request_options, otlp.service)},
};

struct option_group otlp_options__group(struct otlp_request_options *options)
{
	return (struct option_group){"OTLP receivers", rows, sizeof(rows) / sizeof(rows[0]),
				     options};
}

bool otlp_options__are_given(const struct otlp_request_options *options)
{
	return options->otlp.headers || options->otlp.authorities || options->otlp.service ||
	       options->has_compression;
}
