/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instants as tests write them: "2025-03-30T01:00Z" is microseconds since 1970 UTC. Include
 * <cmocka.h> first.
 */
#ifndef TESTS_INSTANTS_H
#define TESTS_INSTANTS_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline int64_t instants__read(const char *text)
{
	struct tm fields = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%MZ", &fields);

	if (!end || *end)
		fail_msg("'%s' is no instant", text);
	return (int64_t)timegm(&fields) * 1000000;
}

/* Valid until the next call. Seconds are written where there are any. */
static inline const char *instants__text(int64_t us)
{
	static char text[64];
	time_t seconds = (time_t)(us / 1000000);
	struct tm fields;

	gmtime_r(&seconds, &fields);
	strftime(text, sizeof(text), seconds % 60 ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%MZ",
		 &fields);
	return text;
}

#endif
