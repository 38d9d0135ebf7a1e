// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses any text as a recurrence. Of one that is taken, the instants that follow are computed in
 * three time zones. The text is the name of a time zone as well.
 *
 * links: src/runner/recur/[a-z]*.c
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runner/recur/recurrence.h"

enum { ZONES = 3, INSTANTS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Late enough for both changes of a clock, and behind the last year. */
static const int64_t starts[] = {INT64_MIN,        INT64_MAX,        1325152800000000,
				 1743292800000000, 1761350400000000, 253402214400000000};

static void open_zones(struct zone *zones[ZONES])
{
	static const char *const names[ZONES] = {"Europe/Berlin", "Pacific/Apia", "UTC"};

	for (int i = 0; i < ZONES; i++)
		if (!zones[i] && zone__open(names[i], &zones[i], NULL))
			abort();
}

static void follow(const struct recurrence *recurrence, struct zone *zone, int64_t after_us)
{
	for (int i = 0; i < INSTANTS; i++) {
		int64_t next_us, again_us;
		int code = recurrence__next(recurrence, zone, after_us, &next_us, NULL);

		if (code == -ENOENT)
			return;
		if (code || next_us <= after_us)
			abort();
		if (recurrence__next(recurrence, zone, next_us - 1, &again_us, NULL) ||
		    again_us != next_us)
			abort();
		after_us = next_us;
	}
}

static void parse(const char *text, struct zone *zones[ZONES])
{
	struct recurrence recurrence;
	struct error err = {{0}};
	int code = recurrence__parse(&recurrence, text, &err);

	if ((code != 0) != (err.text[0] != 0))
		abort();
	for (size_t i = 0; !code && i < sizeof(starts) / sizeof(starts[0]); i++)
		for (int zone = 0; zone < ZONES; zone++)
			follow(&recurrence, zones[zone], starts[i]);
}

static void name_zone(const char *text)
{
	struct error err = {{0}};
	struct zone *zone;
	int code = zone__open(text, &zone, &err);

	if ((code != 0) != (err.text[0] != 0) || !code != !!zone)
		abort();
	zone__close(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct zone *zones[ZONES];
	char *text = malloc(size + 1);

	open_zones(zones);
	memcpy(text, data, size);
	text[size] = 0;
	parse(text, zones);
	name_zone(text);
	free(text);
	return 0;
}
