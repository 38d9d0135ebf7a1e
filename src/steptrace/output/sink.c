// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/output/kafka_address.h"
#include "steptrace/output/library_settings.h"
#include "steptrace/output/otlp_address.h"
#include "steptrace/output/peer.h"

static bool is_standard_output(const char *where)
{
	return !where || strcmp(where, "-") == 0;
}

/* A named descriptor, or a FIFO or device that exists. */
static bool is_special(const char *path)
{
	struct stat status;

	if (descriptor__named(path) >= 0)
		return true;
	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode);
}

static bool is_path(const char *where)
{
	(void)where;
	return true;
}

static int check_kafka(const char *where, struct error *err)
{
	struct kafka_address address;

	return kafka_address__parse(&address, where, err);
}

/* The first row that matches is taken. */
static const struct sink_kind kinds[] = {
	{.name = "- (standard output)",
	 .is_meant = is_standard_output,
	 .open = sink_inherited__open,
	 .is_given = true},
	{.name = "unix:PATH",
	 .prefix = "unix:",
	 .check = peer__check_unix,
	 .open = sink_socket__open_unix,
	 .drops = true,
	 .connects = true},
	{.name = "tcp:HOST:PORT",
	 .prefix = "tcp:",
	 .check = peer__check_host,
	 .open = sink_socket__open_tcp,
	 .drops = true,
	 .connects = true,
	 .is_tcp = true},
	{.name = "tls:HOST:PORT",
	 .prefix = "tls:",
	 .check = peer__check_host,
	 .open = sink_socket__open_tls,
	 .drops = true,
	 .connects = true,
	 .is_tcp = true,
	 .is_tls = true},
	{.name = "kafka:BROKER[,BROKER...]/TOPIC",
	 .prefix = "kafka:",
	 .check = check_kafka,
	 .open = sink_kafka__open,
	 .drops = true,
	 .connects = true,
	 .is_kafka = true,
	 .needs_json = true},
	{.name = "otlp:http://HOST:PORT",
	 .prefix = "otlp:",
	 .check = otlp_address__check,
	 .open = sink_otlp__open,
	 .drops = true,
	 .connects = true,
	 .speaks_http = true,
	 .is_tcp = true,
	 .is_otlp = true,
	 .needs_events = true},
	{.name = "a FIFO or device",
	 .is_meant = is_special,
	 .open = sink_inherited__open,
	 .is_given = true},
	{.name = "FILE or FILE.gz",
	 .is_meant = is_path,
	 .open = sink_file__open,
	 .makes_files = true},
};

enum { KINDS_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool matches(const struct sink_kind *kind, const char *where)
{
	return kind->prefix ? begins_with(where, kind->prefix) : kind->is_meant(where);
}

const struct sink_kind *sink__kind(const char *where)
{
	const struct sink_kind *kind = kinds;

	while (!matches(kind, where))
		kind++; /* the last row matches everything */
	return kind;
}

/* Prefixes that a user may expect to work. A file of such a name is written as "./udp:x". */
static bool has_unknown_prefix(const char *where)
{
	static const char *const prefixes[] = {"udp:", "http:", "https:", "file:"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (begins_with(where, prefixes[i]))
			return true;
	return false;
}

static int refuse(const char *where, struct error *err)
{
	char names[256] = "";
	size_t bytes = 0;

	for (size_t i = 0; i < KINDS_COUNT && bytes < sizeof(names); i++)
		bytes += (size_t)snprintf(names + bytes, sizeof(names) - bytes, "%s%s",
					  i ? ", " : "", kinds[i].name);
	return error__set(err, -EINVAL,
			  "'%s' is not an output that steptrace can write to; there are: %s "
			  "(for a file of that name write './%s')",
			  where, names, where);
}

int sink__check(const char *where, struct error *err)
{
	const struct sink_kind *kind = sink__kind(where);

	if (where && has_unknown_prefix(where))
		return refuse(where, err);
	return kind->check ? kind->check(where, err) : 0;
}

int sink__open(const struct sink_options *options, struct sink **sink, struct error *err)
{
	const struct sink_kind *kind = sink__kind(options->where);
	int code = sink__check(options->where, err);

	if (code)
		return code;
	library_settings__ignore();
	code = kind->open(options, sink, err);
	if (!code)
		(*sink)->kind = kind;
	return code;
}

void sink__close(struct sink *sink)
{
	if (!sink)
		return;
	sink->ops->close(sink);
	free(sink);
}

int sink__write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		struct error *err)
{
	*written = 0;
	return sink->ops->write(sink, lines, bytes, written, err);
}

void sink__init(struct sink *sink, const struct sink_ops *ops, const char *name)
{
	sink->ops = ops;
	snprintf(sink->name, sizeof(sink->name), "%s", name);
}

/* {"event":"trace.started",...,"part":2} The caller frees it. */
static char *next_header(const struct sink *sink)
{
	size_t bytes = sink->header ? strlen(sink->header) : 0;
	char *text;

	if (bytes < 3)
		return NULL;
	if (sink->header[0] != '{') /* titles of columns */
		return strdup(sink->header);
	if (asprintf(&text, "%.*s,\"part\":%u}\n", (int)bytes - 2, sink->header, sink->parts + 1) <
	    0)
		return NULL;
	return text;
}

int sink__put_header(struct sink *sink,
		     int (*put)(struct sink *sink, const char *bytes, size_t count))
{
	char *header = next_header(sink);
	int code = header ? put(sink, header, strlen(header)) : 0;

	free(header);
	sink->parts += code == 0;
	return code;
}

int sink__settle(struct sink *sink, struct error *err)
{
	return sink->ops->settle ? sink->ops->settle(sink, err) : 0;
}

uint64_t sink__timer_ns(const struct sink *sink)
{
	return sink->ops->timer_ns ? sink->ops->timer_ns(sink) : UINT64_MAX;
}

bool sink__is_terminal(const struct sink *sink)
{
	return sink->kind->is_given && isatty(STDOUT_FILENO);
}
