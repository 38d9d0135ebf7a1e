// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/kafka_settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/output/kafka_setting_rows.h"

/* ---- files */

/* A NUL would hide what is behind it. */
static int read_open(int fd, char **text, size_t *bytes)
{
	struct stat status;
	ssize_t count = 0;
	size_t room;

	*bytes = 0;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode))
		return -ENOTSUP;
	if (status.st_size > KAFKA_FILE_BYTES_MAX)
		return -EFBIG;
	room = (size_t)status.st_size;
	*text = calloc(1, room + 1);
	if (!*text)
		return -ENOMEM;
	while (*bytes < room && (count = read(fd, *text + *bytes, room - *bytes)) > 0)
		*bytes += (size_t)count;
	if (count < 0 || !memchr(*text, 0, *bytes))
		return count < 0 ? -errno : 0;
	explicit_bzero(*text, *bytes);
	return -EILSEQ;
}

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* O_NONBLOCK: the open of a FIFO would wait for its writer. */
static int read_text(const char *path, char **text, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t bytes;
	int code = fd < 0 ? -errno : read_open(fd, text, &bytes);

	if (fd >= 0)
		close(fd);
	if (code == -ENOTSUP)
		return error__set(err, code, "cannot read '%s': it is not a regular file", path);
	if (code == -EILSEQ)
		return error__set(err, code, "cannot read '%s': it is not text", path);
	return code ? error__set(err, code, "cannot read '%s': %s", path, strerror(-code)) : 0;
}

/* ---- one line */

struct reader {
	struct kafka_settings *settings;
	const char *path;
	unsigned int line;
	struct error *err;
};

/* What is wrong with a line is told without its text. */
static int refuse(const struct reader *reader, const char *why)
{
	return error__set(reader->err, -EINVAL, "'%s' line %u: %s", reader->path, reader->line,
			  why);
}

static int refuse_name(const struct reader *reader, const char *name, const char *why)
{
	return error__set(reader->err, -EINVAL, "'%s' line %u: '%s' cannot be set: %s",
			  reader->path, reader->line, name, why);
}

static int refuse_value(const struct reader *reader, const char *name, const char *why)
{
	return error__set(reader->err, -EINVAL, "'%s' line %u: %s %s", reader->path, reader->line,
			  name, why);
}

static int check_value(const struct reader *reader, const char *name, const char *value)
{
	if (!*value)
		return refuse_value(reader, name, "has no value");
	if (strncmp(name, "sasl.mechanism", 14) == 0 && strcmp(value, "PLAIN") != 0 &&
	    strcmp(value, "SCRAM-SHA-256") != 0 && strcmp(value, "SCRAM-SHA-512") != 0)
		return refuse_value(
			reader, name,
			"can be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (GSSAPI would start kinit, "
			"and OAUTHBEARER would need tokens)");
	if (strcmp(name, "partitioner") == 0 && strcmp(value, "random") == 0)
		return refuse_value(reader, name,
				    "cannot be random: the events of one correlation would not "
				    "stay in order");
	return 0;
}

static int take_value(struct reader *reader, struct kafka_setting *setting, const char *becomes,
		      const char *value)
{
	struct error why;
	int code = 0;

	if (!becomes)
		setting->value = strdup(value);
	else if (read_text(value, &setting->value, &why))
		code = error__set(reader->err, -EINVAL, "'%s' line %u: %s", reader->path,
				  reader->line, why.text);
	if (!code && !setting->value)
		code = error__set(reader->err, -ENOMEM, "out of memory");
	return code;
}

static int add(struct reader *reader, const struct kafka_setting_row *row, const char *value)
{
	struct kafka_settings *settings = reader->settings;
	const char *name = row->becomes ? row->becomes : row->name;
	int code = check_value(reader, row->name, value);

	if (code)
		return code;
	if (kafka_settings__value(settings, name))
		return refuse_value(reader, row->name, "was set by an earlier line");
	if (settings->count == KAFKA_SETTINGS_MAX)
		return refuse(reader, "the file has too many settings");
	settings->items[settings->count] =
		(struct kafka_setting){.name = name, .line = reader->line};
	return take_value(reader, &settings->items[settings->count++], row->becomes, value);
}

/* Another name may be a password in the wrong place, so it is not printed. */
static int take_setting(struct reader *reader, const char *name, const char *value)
{
	const struct kafka_setting_row *row = kafka_setting_row__named(name);
	const char *why = kafka_setting_row__refusal(name);

	if (row)
		return add(reader, row, value);
	return why ? refuse_name(reader, name, why)
		   : refuse(reader,
			    "steptrace passes no setting of this name on to librdkafka (man 8 "
			    "steptrace lists the settings under --kafka-config)");
}

static char *trimmed(char *text)
{
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = 0;
	return text;
}

static int take_line(struct reader *reader, char *line)
{
	char *name = trimmed(line), *equals = strchr(name, '=');

	if (!*name || *name == '#')
		return 0;
	if (!equals)
		return refuse(reader, "this is not NAME=VALUE");
	*equals = 0;
	return take_setting(reader, trimmed(name), trimmed(equals + 1));
}

/* ---- the file */

/* librdkafka would use Kerberos. */
static int check_mechanism(struct reader *reader)
{
	const char *protocol = kafka_settings__value(reader->settings, "security.protocol");

	if (!protocol || strncasecmp(protocol, "sasl", 4) != 0 ||
	    kafka_settings__value(reader->settings, "sasl.mechanism") ||
	    kafka_settings__value(reader->settings, "sasl.mechanisms"))
		return 0;
	return error__set(reader->err, -EINVAL,
			  "'%s': security.protocol needs sasl.mechanism, which can be PLAIN, "
			  "SCRAM-SHA-256 or SCRAM-SHA-512",
			  reader->path);
}

static int take_lines(struct reader *reader, char *text)
{
	char *next;
	int code = 0;

	for (char *line = text; line && !code; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		reader->line++;
		code = take_line(reader, line);
	}
	return code ? code : check_mechanism(reader);
}

int kafka_settings__read(struct kafka_settings *settings, const char *path, struct error *err)
{
	struct reader reader = {.settings = settings, .path = path, .err = err};
	char *text = NULL;
	size_t bytes;
	int code;

	settings->path = path;
	code = path ? read_text(path, &text, err) : 0;

	if (!code && text) {
		bytes = strlen(text);
		code = take_lines(&reader, text);
		explicit_bzero(text, bytes);
	}
	wipe(text);
	return code;
}

const char *kafka_settings__value(const struct kafka_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->items[i].name, name) == 0)
			return settings->items[i].value;
	return NULL;
}

void kafka_settings__free(struct kafka_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		wipe(settings->items[i].value);
	settings->count = 0;
}
