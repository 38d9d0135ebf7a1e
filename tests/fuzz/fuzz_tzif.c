// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads any bytes as the rules of a time zone. Of rules that are taken, the spans are walked from
 * several instants: each ends later than it begins, and is one span up to its end.
 *
 * links: src/runner/recur/tzif.c src/runner/recur/posix_tz.c src/runner/recur/calendar.c
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/recur/tzif.h"

enum { SPANS = 8 };

/* Years 1 to 10000. */
#define FIRST_S INT64_C(-62135596800)
#define LAST_S  INT64_C(253433923199)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_changes(const struct tzif *tzif)
{
	require(tzif->count <= TZIF_CHANGES_MAX);
	for (size_t i = 1; i < tzif->count; i++)
		require(tzif->changes[i - 1].at_s < tzif->changes[i].at_s);
}

/* `at_s` is any number. */
static void walk(const struct tzif *tzif, int64_t at_s)
{
	for (int i = 0; i < SPANS && at_s >= FIRST_S && at_s <= LAST_S; i++) {
		struct tz_span span = tzif__at(tzif, at_s), last;

		require(span.until_s > at_s);
		require(abs(span.offset_s) < TZIF_OFFSET_MAX_S);
		if (span.until_s > LAST_S)
			return;
		last = tzif__at(tzif, span.until_s - 1);
		require(last.offset_s == span.offset_s && last.until_s == span.until_s);
		at_s = span.until_s;
	}
}

static void walk_all(const struct tzif *tzif)
{
	static const int64_t starts[] = {FIRST_S,    0,          1709251199, 1735689600,
					 4102444800, LAST_S - 1, LAST_S};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		walk(tzif, starts[i]);
	for (size_t i = 0; i < tzif->count && i < SPANS; i++)
		walk(tzif, tzif->changes[i].at_s);
	if (tzif->count)
		walk(tzif, tzif->changes[tzif->count - 1].at_s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tzif tzif;
	struct error err = {{0}};
	int code = tzif__parse(&tzif, data, size, &err);

	require(code == 0 || code == -EBADMSG || code == -ENOTSUP);
	require(!code == !err.text[0]);
	if (code)
		return 0;
	require(tzif__is_one(data, size));
	check_changes(&tzif);
	walk_all(&tzif);
	return 0;
}
