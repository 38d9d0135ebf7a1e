/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a TZif file (RFC 9636), which holds the rules of one time zone: changes of the clock
 * in the past, one by one, and a rule for all years behind the last of them. Versions 1 to 4 are
 * read. From version 2 on, the file begins with a copy for readers of version 1, which is skipped.
 *
 *	header		TZif, version, six counts; 44 bytes
 *	data		times of 4 bytes, for version 1 only
 *	header		from here on from version 2 only
 *	data		times of 8 bytes
 *	footer		newline, rule (see posix_tz.h) or nothing, newline
 *
 * and the data, of which only times, types and offsets are used:
 *
 *	timecnt times, ascending	1743296400	instants, in seconds since 1970 UTC
 *	timecnt types, a byte each	1		what begins at this instant
 *	typecnt types, 6 bytes each	7200 1 4	offset in seconds, is daylight, name
 *	names, leap seconds, two tables of flags
 *
 * A file with leap seconds is refused, because its seconds are not those of the clock of Linux.
 * Nothing is allocated.
 */
#ifndef STEPTRACE_RUNNER_TZIF_H
#define STEPTRACE_RUNNER_TZIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/recur/posix_tz.h"

/* The largest files of tzdata have about 250 changes. */
enum { TZIF_CHANGES_MAX = 2000, TZIF_OFFSET_MAX_S = 26 * 3600 };

struct tzif_change {
	int64_t at_s;
	int32_t offset_s;
};

/* All zero is UTC. Each offset is less than TZIF_OFFSET_MAX_S. */
struct tzif {
	int32_t first_offset_s; /* before the first change */
	size_t count;
	struct tzif_change changes[TZIF_CHANGES_MAX];
	bool has_rule;
	struct posix_tz rule; /* from the last change on; without changes, always */
};

/* True for any TZif file, also a damaged one. */
bool tzif__is_one(const uint8_t *bytes, size_t size);

/* 0; -EBADMSG: the file is damaged; -ENOTSUP: it has leap seconds, a later version or more than
 * TZIF_CHANGES_MAX changes. The sentence says what is wrong, but not with which file. After an
 * error, `tzif` is not to be used. */
int tzif__parse(struct tzif *tzif, const uint8_t *bytes, size_t size, struct error *err);

/* `at_s` is in the years 1 to 10000. */
struct tz_span tzif__at(const struct tzif *tzif, int64_t at_s);

#endif
