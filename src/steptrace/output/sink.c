// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool begins_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A pipe, a device or a descriptor, which exists already; anything else is a file, or will be one. */
static bool is_special(const char *path)
{
	struct stat status;

	if (descriptor__named(path) >= 0)
		return true;
	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode);
}

/* Of a kind that somebody may expect. As "./udp:x" it is a file. */
static bool is_of_another_kind(const char *where)
{
	static const char *const kinds[] = {"udp:", "http:", "https:", "tls:", "file:"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (begins_with(where, kinds[i]))
			return true;
	return false;
}

static bool is_standard_output(const char *where)
{
	return !where || strcmp(where, "-") == 0;
}

static bool is_socket(const char *where)
{
	return begins_with(where, "unix:") || begins_with(where, "tcp:");
}

bool sink__is_file(const char *where)
{
	return !is_standard_output(where) && !is_socket(where) && !is_special(where);
}

int sink__open(const struct sink_options *options, struct sink **sink, struct error *err)
{
	const char *where = options->where;
	int code;

	if (is_standard_output(where))
		code = sink_inherited__open(NULL, sink, err);
	else if (is_socket(where))
		code = sink_socket__open(where, sink, err);
	else if (is_of_another_kind(where))
		code = error__set(err, -EINVAL,
				  "'%s' is no output: there are FILE, FILE.gz, unix:PATH, "
				  "tcp:HOST:PORT and - (a file of that name is './%s')",
				  where, where);
	else if (is_special(where))
		code = sink_inherited__open(where, sink, err);
	else
		code = sink_file__open(options, sink, err);
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

/* {"event":"trace.started",...,"part":2} */
char *sink__next_header(const struct sink *sink)
{
	size_t bytes = sink->header ? strlen(sink->header) : 0;
	char *text;

	if (bytes < 3)
		return NULL;
	if (asprintf(&text, "%.*s,\"part\":%u}\n", (int)bytes - 2, sink->header, sink->parts + 1) <
	    0)
		return NULL;
	return text;
}

uint64_t sink__idles_ns(const struct sink *sink)
{
	return sink->ops->idles_ns ? sink->ops->idles_ns(sink) : UINT64_MAX;
}

bool sink__is_terminal(const struct sink *sink)
{
	return sink->ops->watched_fd == NULL && sink->ops->reopen == NULL && isatty(STDOUT_FILENO);
}
