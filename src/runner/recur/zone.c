// SPDX-License-Identifier: BSD-2-Clause
#include "runner/recur/zone.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/recur/calendar.h"
#include "runner/recur/tzif.h"

/* The largest file of tzdata has 4 KiB. */
enum { NAME_MAX_BYTES = 64, FILE_MAX_BYTES = 64 * 1024 };

#define SECOND_US INT64_C(1000000)

/* No clock is further away from UTC. */
#define OFFSET_MAX_US (TZIF_OFFSET_MAX_S * SECOND_US)

static const struct date first_date = {1, 1, 1}, end_date = {10001, 1, 1};

struct zone {
	struct tzif rules;
};

/* ---- names */

/* As glibc does. A program with more rights than its user does not trust the variable. */
static const char *folder_name(void)
{
	const char *folder = secure_getenv("TZDIR");

	return folder && *folder ? folder : "/usr/share/zoneinfo";
}

static int unknown(const char *name, struct error *err)
{
	return error__set(err, -EINVAL,
			  "the time zone '%s' is unknown; an IANA name such as Europe/Berlin or "
			  "UTC is expected (see %s)",
			  name, folder_name());
}

/* Letters, digits, _, + and - in components, each of which begins with a letter. So the path does
 * not leave the folder. */
static bool is_a_name(const char *name)
{
	size_t length = strnlen(name, NAME_MAX_BYTES + 1);
	bool begins = true;

	if (length == 0 || length > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)name[i];

		if (begins ? !isalpha(byte) : !isalnum(byte) && !strchr("/_+-", byte))
			return false;
		begins = byte == '/';
	}
	return !begins;
}

/* Files that are in the folder, but are no zones of IANA: see zone.h. */
static bool is_of_the_system(const char *name)
{
	return strcmp(name, "localtime") == 0 || strcmp(name, "posixrules") == 0 ||
	       strcmp(name, "Factory") == 0 || strncmp(name, "posix/", strlen("posix/")) == 0 ||
	       strncmp(name, "right/", strlen("right/")) == 0;
}

/* The database may be missing. */
static bool is_utc(const char *name)
{
	return strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0;
}

/* ---- the file */

static int cannot_read(const char *name, int code, struct error *err)
{
	return error__set(err, -EIO, "cannot read the time zone '%s' in %s: %s", name,
			  folder_name(), strerror(-code));
}

/* O_NONBLOCK: opening a FIFO does not wait. */
static int open_in(int folder, const char *name, int *fd, struct error *err)
{
	*fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENOTDIR || errno == ENXIO)
		return unknown(name, err);
	return cannot_read(name, -errno, err);
}

static int open_file(const char *name, int *fd, struct error *err)
{
	int folder = open(folder_name(), O_PATH | O_DIRECTORY | O_CLOEXEC), code;

	*fd = -1;
	if (folder < 0)
		return error__set(err, -EIO,
				  "cannot open the time zones of the system, '%s': %s; install "
				  "the package tzdata",
				  folder_name(), strerror(errno));
	code = open_in(folder, name, fd, err);
	close(folder);
	return code;
}

/* The number of bytes, or a negative errno. A file with more than `max` bytes has `max`. */
static ssize_t read_bytes(int fd, uint8_t *bytes, size_t max)
{
	size_t used = 0;

	while (used < max) {
		ssize_t got = read(fd, bytes + used, max - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		used += (size_t)got;
	}
	return (ssize_t)used;
}

static int parse(struct zone *zone, const char *name, const uint8_t *bytes, size_t size,
		 struct error *err)
{
	if (!tzif__is_one(bytes, size))
		return unknown(name, err);
	if (size > FILE_MAX_BYTES)
		return cannot_read(name, -EFBIG, err);
	if (tzif__parse(&zone->rules, bytes, size, err))
		return error__prefix(err, -EIO, "cannot read the time zone '%s' in %s", name,
				     folder_name());
	return 0;
}

static int read_file(struct zone *zone, const char *name, int fd, struct error *err)
{
	uint8_t *bytes = malloc(FILE_MAX_BYTES + 1);
	struct stat status;
	ssize_t size;
	int code;

	if (!bytes)
		return error__set(err, -ENOMEM, "out of memory");
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		code = unknown(name, err);
	} else {
		size = read_bytes(fd, bytes, FILE_MAX_BYTES + 1);
		code = size < 0 ? cannot_read(name, (int)size, err)
				: parse(zone, name, bytes, (size_t)size, err);
	}
	free(bytes);
	return code;
}

/* ---- opening */

static int load(struct zone *zone, const char *name, struct error *err)
{
	int fd, code;

	if (!is_a_name(name) || is_of_the_system(name))
		return unknown(name, err);
	if (is_utc(name))
		return 0;
	code = open_file(name, &fd, err);
	if (code)
		return code;
	code = read_file(zone, name, fd, err);
	close(fd);
	return code;
}

int zone__open(const char *name, struct zone **zone, struct error *err)
{
	int code;

	*zone = calloc(1, sizeof(**zone));
	if (!*zone)
		return error__set(err, -ENOMEM, "out of memory");
	code = load(*zone, name, err);
	if (code) {
		zone__close(*zone);
		*zone = NULL;
	}
	return code;
}

void zone__close(struct zone *zone)
{
	free(zone);
}

/* ---- times */

static int64_t start_of(struct date date)
{
	return calendar__day(date) * INT64_C(86400) * SECOND_US;
}

static int check_time(int64_t us, struct error *err)
{
	if (us >= start_of(first_date) && us < start_of(end_date))
		return 0;
	return error__set(err, -ERANGE, "a time is not in the years %d to %d", first_date.year,
			  end_date.year - 1);
}

int zone__span(struct zone *zone, int64_t at_us, struct zone_span *span, struct error *err)
{
	struct tz_span found;
	int code = check_time(at_us, err);

	if (code)
		return code;
	found = tzif__at(&zone->rules, calendar__divide(at_us, SECOND_US));
	*span = (struct zone_span){
		.offset_us = found.offset_s * SECOND_US,
		.until_us = found.until_s < INT64_MAX / SECOND_US ? found.until_s * SECOND_US
								  : INT64_MAX,
	};
	return 0;
}

/* So long before `local_us`, read as UTC, each clock shows less. From there the spans are walked
 * until one reaches it, or begins behind it. */
int zone__first(struct zone *zone, int64_t local_us, int64_t *at_us, struct error *err)
{
	int64_t from_us = local_us - OFFSET_MAX_US;

	for (;;) {
		struct zone_span span;
		int code = zone__span(zone, from_us, &span, err);

		if (code)
			return code;
		if (from_us + span.offset_us >= local_us) {
			*at_us = from_us;
			return 0;
		}
		if (local_us - span.offset_us < span.until_us) {
			*at_us = local_us - span.offset_us;
			return 0;
		}
		from_us = span.until_us;
	}
}
