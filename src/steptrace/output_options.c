// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output_options.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"

#define TCP_TIMEOUT_NS 60000000000ull

/* ---- setters; the context is a struct output_request */

static int add_output(void *context, const char *where, struct error *err)
{
	const struct sink_kind *kind = sink__kind(where);
	struct output_request *request = context;

	request->writes_files = request->writes_files || kind->makes_files;
	request->uses_tls = request->uses_tls || kind->is_tls;
	request->uses_kafka = request->uses_kafka || kind->is_kafka;
	request->connects = request->connects || kind->is_tcp;
	request->uses_otlp = request->uses_otlp || kind->is_otlp;
	request->uses_https = request->uses_https || otlp_address__is_encrypted(where);
	if (request->count == OUTPUTS_MAX)
		return error__set(
			err, -EINVAL,
			"-o can be given up to %d times (start a second recording for more "
			"outputs)",
			OUTPUTS_MAX);
	request->items[request->count] =
		(struct output_options){.sink.where = where, .drops = kind->drops};
	if (sink__check(where, err) || outputs__check_once(request->items, request->count, err))
		return -EINVAL;
	request->count++;
	return 0;
}

/* The owner has to be able to read and write; nobody executes it. */
static int set_file_mode(void *context, const char *value, struct error *err)
{
	struct output_request *request = context;
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	if (value[0] < '0' || value[0] > '7' || *end || (mode & 0600) != 0600 || mode & ~0666ul)
		return error__set(err, -EINVAL,
				  "--file-mode cannot be '%s': give an octal number from 600 to "
				  "666, which lets the owner read and write (for example: "
				  "--file-mode 640)",
				  value);
	request->sink.file_mode = (unsigned int)mode;
	return 0;
}

static int set_file_group(void *context, const char *value, struct error *err)
{
	struct output_request *request = context;
	const struct group *entry = getgrnam(value);
	uint64_t number;

	if (!entry && parse__u64(value, 0, UINT32_MAX - 1, &number))
		return error__set(err, -EINVAL, "there is no group '%s'", value);
	request->sink.file_group = entry ? entry->gr_gid : (gid_t)number;
	request->sink.has_file_group = true;
	return 0;
}

static int set_when_full(void *context, const char *value, struct error *err)
{
	struct output_request *request = context;
	size_t count = request->count;

	if (count == 0)
		return error__set(err, -EINVAL,
				  "--when-full must come after the -o that it applies to");
	if (strcmp(value, "block") != 0 && strcmp(value, "drop") != 0)
		return error__set(err, -EINVAL, "--when-full must be block or drop, not '%s'",
				  value);
	request->items[count - 1].drops = strcmp(value, "drop") == 0;
	return 0;
}

static const struct option_row output_rows[] = {
	{{'o', "output", "WHERE",
	  "write events to FILE (lines are appended), FILE.gz,\n"
	  "unix:PATH, tcp:HOST:PORT, tls:HOST:PORT,\n"
	  "kafka:BROKER[,BROKER...]/TOPIC, otlp:http://HOST:4318,\n"
	  "otlp:https://..., or - (standard output, the default); may be\n"
	  "given up to 8 times"},
	 .set = add_output},
	{{0, "when-full", "block|drop",
	  "what to do when the queue of an output is full; block: the\n"
	  "recording waits; drop: this output loses events (default:\n"
	  "drop for sockets, kafka: and otlp:, block for all others);\n"
	  "applies to the last -o before --when-full"},
	 .set = set_when_full},
	{{0, "rotate-size", "SIZE",
	  "start a new file before FILE grows beyond SIZE (4K or\n"
	  "more; default: no limit); the old file becomes FILE.1"},
	 OPTION_STORES(SIZE, struct output_request, rotate_bytes),
	 .min = 4096,
	 .max = UINT64_MAX / 2,
	 .range = "a size of 4K or more",
	 .example = "256M"},
	{{0, "rotate-age", "TIME",
	  "start a new file when FILE is older than TIME, for\n"
	  "example 24h (default: no limit)"},
	 OPTION_STORES(TIME, struct output_request, rotate_age_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "24h"},
	{{0, "keep", "N", "keep the newest N rotated files (1 to 10000; default: all)"},
	 OPTION_STORES(NUMBER, struct output_request, keep),
	 .min = 1,
	 .max = 10000,
	 .range = "a number from 1 to 10000",
	 .example = "7"},
	{{0, "file-mode", "MODE",
	  "permissions of new files, as an octal number (600 to 666;\n"
	  "default: after a rotation, those of the old file;\n"
	  "otherwise 640)"},
	 .set = set_file_mode},
	{{0, "file-group", "GROUP",
	  "group of new files (name or number; default: after a\n"
	  "rotation, that of the old file)"},
	 .set = set_file_group},
	{{0, "tcp-timeout", "TIME",
	  "connect again when a TCP peer has not answered for TIME\n"
	  "(1s to 1h; default: 1m)"},
	 OPTION_STORES(TIME, struct output_request, tcp_timeout_ns),
	 .min = 1000000000,
	 .max = 3600000000000,
	 .range = "a time from 1s to 1h",
	 .example = "1m"},
	{{0, "tls-ca", "FILE",
	  "trust the authorities whose certificates are in FILE\n"
	  "(default: those of the system)"},
	 OPTION_STORES(TEXT, struct output_request, sink.tls.authorities)},
	{{0, "tls-cert", "FILE",
	  "send the certificate in FILE to the servers of tls: outputs\n"
	  "(default: none)"},
	 OPTION_STORES(TEXT, struct output_request, sink.tls.certificate)},
	{{0, "tls-key", "FILE",
	  "read the key of the certificate from FILE (default: the\n"
	  "file of --tls-cert)"},
	 OPTION_STORES(TEXT, struct output_request, sink.tls.key)},
	{{0, "kafka-config", "FILE",
	  "settings of librdkafka for kafka: outputs, NAME=VALUE, one a\n"
	  "line: TLS, SASL, tuning (default: none)"},
	 OPTION_STORES(TEXT, struct output_request, sink.kafka_settings)},
	{{0, "queue", "SIZE",
	  "size of the queue of each output, in which events wait until\n"
	  "they are written (64K to 1G; default: 32M)"},
	 OPTION_STORES(SIZE, struct output_request, queue_bytes),
	 .min = 1 << 16,
	 .max = 1 << 30,
	 .range = "a size from 64K to 1G",
	 .example = "32M"},
};

struct option_group output_options__group(struct output_request *request)
{
	return (struct option_group){"outputs", output_rows,
				     sizeof(output_rows) / sizeof(output_rows[0]), request};
}

/* ---- after parsing */

/* An option without an effect is an error: the user expects an effect. */
static int check(const struct output_request *request, struct error *err)
{
	const struct sink_options *sink = &request->sink;
	bool rotates = request->rotate_bytes || request->rotate_age_ns;

	if (rotates && !request->writes_files)
		return error__set(err, -EINVAL,
				  "--rotate-size and --rotate-age need a file as output (-o FILE)");
	if (request->keep && !rotates)
		return error__set(err, -EINVAL, "--keep needs --rotate-size or --rotate-age");
	if ((sink->file_mode || sink->has_file_group) && !request->writes_files)
		return error__set(err, -EINVAL,
				  "--file-mode and --file-group need a file as output (-o FILE)");
	if (request->tcp_timeout_ns && !request->connects)
		return error__set(err, -EINVAL,
				  "--tcp-timeout needs a TCP output (-o tcp:, tls: or otlp:)");
	if (otlp_options__are_given(&request->otlp) && !request->uses_otlp)
		return error__set(err, -EINVAL, "%s need -o otlp:http://HOST:PORT",
				  otlp_option_names);
	if (request->otlp.otlp.authorities && !request->uses_https)
		return error__set(err, -EINVAL, "--otlp-ca needs -o otlp:https://HOST:PORT");
	if ((sink->tls.authorities || sink->tls.certificate || sink->tls.key) && !request->uses_tls)
		return error__set(err, -EINVAL,
				  "--tls-ca, --tls-cert and --tls-key need -o tls:HOST:PORT");
	if (sink->kafka_settings && !request->uses_kafka)
		return error__set(err, -EINVAL,
				  "--kafka-config needs -o kafka:BROKER[,BROKER...]/TOPIC");
	if (sink->tls.key && !sink->tls.certificate)
		return error__set(err, -EINVAL, "--tls-key needs --tls-cert");
	return 0;
}

/* The options of all outputs, and what this one has of its own. */
static void complete(const struct output_request *request, struct output_options *output)
{
	const char *where = output->sink.where;
	struct sink_options *sink = &output->sink;

	output->queue_bytes = request->queue_bytes;
	*sink = request->sink;
	sink->otlp = request->otlp.otlp;
	sink->where = where;
	sink->queue_bytes = output->queue_bytes;
	sink->drops = output->drops;
	sink->rotate_bytes = request->rotate_bytes;
	sink->rotate_age_ns = request->rotate_age_ns;
	sink->keep = (unsigned int)request->keep;
	sink->tcp_timeout_ns = request->tcp_timeout_ns ? request->tcp_timeout_ns : TCP_TIMEOUT_NS;
	if (!sink->tls.key)
		sink->tls.key = sink->tls.certificate;
}

int output_options__finish(const struct output_request *request,
			   struct output_options items[OUTPUTS_MAX], size_t *count,
			   struct error *err)
{
	int code = check(request, err);

	if (code)
		return code;
	*count = request->count ? request->count : 1;
	for (size_t i = 0; i < *count; i++) {
		items[i] = request->items[i];
		complete(request, &items[i]);
	}
	return 0;
}
