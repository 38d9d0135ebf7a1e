/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time zones by their IANA names: Europe/Berlin, UTC, Etc/GMT-5, EST5EDT. A name is known if the
 * system has its file: /usr/share/zoneinfo/NAME, from the package tzdata, or $TZDIR/NAME. So
 * "GMT+5" (the sign is the opposite of that in Etc/GMT+5) and abbreviations such as BST are
 * unknown. UTC and Etc/UTC need no file. A file is read when the zone is opened. Neither TZ nor the
 * C library's functions for local time are used.
 *
 * Some files there are refused: localtime, because its rules depend on the machine; posixrules and
 * posix/, which are copies; right/, which counts leap seconds; Factory, which says that no zone is
 * set.
 *
 * An instant is microseconds since 1970 UTC. A local time is what a clock in the zone shows,
 * counted in the same way: 1970-01-01 00:01 is 60,000,000 in every zone.
 *
 * A zone that is open does not change: threads may share it.
 */
#ifndef STEPTRACE_RUNNER_ZONE_H
#define STEPTRACE_RUNNER_ZONE_H

#include <stdint.h>

#include "common/error.h"

struct zone;

/* 0; -EINVAL: there is no such zone; -EIO: its file cannot be read or is damaged, or there are no
 * zones at all; -ENOMEM. The sentence quotes the name or the folder. The caller closes the zone; on
 * an error it is NULL. */
int zone__open(const char *name, struct zone **zone, struct error *err);
/* `zone` may be NULL. */
void zone__close(struct zone *zone);

/*
 * A span of time in which the clock of the zone is not changed: it contains the instant that was
 * asked for, and ends before `until_us`. The next span may have the same offset.
 *
 *	local time = instant + offset_us
 */
struct zone_span {
	int64_t offset_us;
	int64_t until_us; /* INT64_MAX: no change is known */
};

/* 0; -ERANGE: `at_us` is not in the years 1 to 10000. */
int zone__span(struct zone *zone, int64_t at_us, struct zone_span *span, struct error *err);

/*
 * The first instant at which the clock of the zone shows `local_us` or more. This is also the rule
 * where the clock is changed:
 *
 *	Berlin, 30 March 2025	02:30 does not exist: the instant after the gap, shown as 03:00
 *	Berlin, 26 October 2025	02:30 comes twice: the first of the two
 *
 * A later local time never gives an earlier instant. `local_us` is in the years 2 to 9999; 0, or
 * -ERANGE far outside.
 */
int zone__first(struct zone *zone, int64_t local_us, int64_t *at_us, struct error *err);

#endif
