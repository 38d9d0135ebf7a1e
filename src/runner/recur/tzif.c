// SPDX-License-Identifier: BSD-2-Clause
#include "runner/recur/tzif.h"

#include <errno.h>
#include <string.h>

enum {
	MAGIC_BYTES = 4,
	HEADER_BYTES = 44,
	COUNTS_AT = 20, /* magic, version and 15 unused bytes are in front */
	TYPE_BYTES = 6,
	TYPES_MAX = 256,
	SHORT_TIME_BYTES = 4,
	TIME_BYTES = 8,
	NEWEST_VERSION = 4
};

struct header {
	int version;
	/* in the order of the file */
	uint32_t ut_flags, standard_flags, leap_seconds, times, types, name_bytes;
};

/* ---- bytes */

struct input {
	const uint8_t *at;
	size_t left;
};

/* NULL: there are fewer. */
static const uint8_t *take(struct input *input, uint64_t bytes)
{
	const uint8_t *taken = input->at;

	if (bytes > input->left)
		return NULL;
	input->at += bytes;
	input->left -= bytes;
	return taken;
}

static uint32_t number_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static int64_t time_at(const uint8_t *bytes, int time_bytes)
{
	if (time_bytes == SHORT_TIME_BYTES)
		return (int32_t)number_at(bytes);
	return (int64_t)((uint64_t)number_at(bytes) << 32 | number_at(bytes + SHORT_TIME_BYTES));
}

static int too_short(struct error *err)
{
	return error__set(err, -EBADMSG, "the file is truncated");
}

/* ---- header */

bool tzif__is_one(const uint8_t *bytes, size_t size)
{
	return size >= MAGIC_BYTES && memcmp(bytes, "TZif", MAGIC_BYTES) == 0;
}

/* 1 for NUL, 2 for '2'. 0: unknown. */
static int version_of(uint8_t byte)
{
	if (byte == 0)
		return 1;
	return byte >= '2' && byte <= '0' + NEWEST_VERSION ? byte - '0' : 0;
}

static int read_header(struct input *input, struct header *header, struct error *err)
{
	const uint8_t *bytes = take(input, HEADER_BYTES);

	if (!bytes)
		return too_short(err);
	if (!tzif__is_one(bytes, HEADER_BYTES))
		return error__set(err, -EBADMSG, "a header does not begin with TZif");
	header->version = version_of(bytes[MAGIC_BYTES]);
	if (!header->version)
		return error__set(err, -ENOTSUP,
				  "the version of the file is unknown; 1 to %d are known",
				  NEWEST_VERSION);
	bytes += COUNTS_AT;
	*header =
		(struct header){header->version,      number_at(bytes),      number_at(bytes + 4),
				number_at(bytes + 8), number_at(bytes + 12), number_at(bytes + 16),
				number_at(bytes + 20)};
	return 0;
}

/* The counts have 32 bits, so this is exact. */
static uint64_t data_bytes(const struct header *header, uint64_t time_bytes)
{
	return header->times * (time_bytes + 1) + (uint64_t)header->types * TYPE_BYTES +
	       header->name_bytes + header->leap_seconds * (time_bytes + 4) +
	       header->standard_flags + header->ut_flags;
}

static int check_counts(const struct header *header, struct error *err)
{
	if (header->leap_seconds)
		return error__set(err, -ENOTSUP,
				  "the file counts leap seconds, as those in 'right' do");
	if (header->times > TZIF_CHANGES_MAX)
		return error__set(err, -ENOTSUP,
				  "the file has %u changes of the clock; at most %d are read",
				  header->times, TZIF_CHANGES_MAX);
	if (header->types < 1 || header->types > TYPES_MAX)
		return error__set(err, -EBADMSG,
				  "the file has %u types of local time; 1 to %d are expected",
				  header->types, TYPES_MAX);
	return 0;
}

/* ---- data */

/* The limits are those of RFC 9636. */
static int check_offset(int32_t offset_s, struct error *err)
{
	if (offset_s <= -25 * 3600 || offset_s >= TZIF_OFFSET_MAX_S)
		return error__set(err, -EBADMSG, "a local time is %d seconds away from UTC",
				  offset_s);
	return 0;
}

static int read_types(int32_t offsets_s[TYPES_MAX], const uint8_t *bytes, uint32_t count,
		      struct error *err)
{
	int code = 0;

	for (uint32_t i = 0; !code && i < count; i++) {
		offsets_s[i] = (int32_t)number_at(bytes + (size_t)i * TYPE_BYTES);
		code = check_offset(offsets_s[i], err);
	}
	return code;
}

static int read_change(struct tzif *tzif, int64_t at_s, uint8_t type, const struct header *header,
		       const int32_t offsets_s[TYPES_MAX], struct error *err)
{
	if (tzif->count && at_s <= tzif->changes[tzif->count - 1].at_s)
		return error__set(err, -EBADMSG, "the changes of the clock are not in order");
	if (type >= header->types)
		return error__set(err, -EBADMSG, "a change of the clock has the type %u of %u",
				  type, header->types);
	tzif->changes[tzif->count++] = (struct tzif_change){at_s, offsets_s[type]};
	return 0;
}

static int read_data(struct tzif *tzif, struct input *input, const struct header *header,
		     int time_bytes, struct error *err)
{
	const uint8_t *times = take(input, data_bytes(header, (uint64_t)time_bytes)), *types;
	int32_t offsets_s[TYPES_MAX];
	int code = times ? check_counts(header, err) : too_short(err);

	if (code)
		return code;
	types = times + (size_t)header->times * (size_t)time_bytes;
	code = read_types(offsets_s, types + header->times, header->types, err);
	for (uint32_t i = 0; !code && i < header->times; i++)
		code = read_change(tzif,
				   time_at(times + (size_t)i * (size_t)time_bytes, time_bytes),
				   types[i], header, offsets_s, err);
	tzif->first_offset_s = offsets_s[0];
	return code;
}

/* ---- the file */

/* Each rule that posix_tz.c reads is within the limits of check_offset(). */
static int read_footer(struct tzif *tzif, const struct input *input, struct error *err)
{
	const char *text = (const char *)input->at;

	if (input->left < 2 || text[0] != '\n' || text[input->left - 1] != '\n')
		return error__set(err, -EBADMSG,
				  "the file has no rule between newlines at its end");
	if (input->left == 2)
		return 0;
	if (posix_tz__parse(&tzif->rule, text + 1, input->left - 2, err))
		return -EBADMSG;
	tzif->has_rule = true;
	return 0;
}

/* The second header has the version as well; the first one counts. */
static int read_second(struct tzif *tzif, struct input *input, struct header *header,
		       struct error *err)
{
	int code = take(input, data_bytes(header, SHORT_TIME_BYTES))
			   ? read_header(input, header, err)
			   : too_short(err);

	if (!code)
		code = read_data(tzif, input, header, TIME_BYTES, err);
	return code ? code : read_footer(tzif, input, err);
}

int tzif__parse(struct tzif *tzif, const uint8_t *bytes, size_t size, struct error *err)
{
	struct input input = {bytes, size};
	struct header header;
	int code = read_header(&input, &header, err);

	memset(tzif, 0, sizeof(*tzif));
	if (code)
		return code;
	if (header.version == 1)
		return read_data(tzif, &input, &header, SHORT_TIME_BYTES, err);
	return read_second(tzif, &input, &header, err);
}

/* ---- instants */

static size_t changes_until(const struct tzif *tzif, int64_t at_s)
{
	size_t low = 0, high = tzif->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (tzif->changes[middle].at_s <= at_s)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct tz_span tzif__at(const struct tzif *tzif, int64_t at_s)
{
	size_t past = changes_until(tzif, at_s);

	if (past == tzif->count && tzif->has_rule)
		return posix_tz__at(&tzif->rule, at_s);
	return (struct tz_span){
		.offset_s = past ? tzif->changes[past - 1].offset_s : tzif->first_offset_s,
		.until_s = past < tzif->count ? tzif->changes[past].at_s : INT64_MAX,
	};
}
