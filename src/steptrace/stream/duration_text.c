// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/duration_text.h"

#include <stddef.h>
#include <stdio.h>

static int decimals_of(double value)
{
	if (value >= 99.95)
		return 0;
	return value >= 9.995 ? 1 : 2;
}

void duration_text__write(uint64_t ns, char text[DURATION_TEXT_BYTES])
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}};
	double value;
	size_t i = 0;

	while (i < 3 && (double)ns >= 999.5 * units[i].unit)
		i++;
	value = (double)ns / units[i].unit;
	snprintf(text, DURATION_TEXT_BYTES, "%.*f %s", i ? decimals_of(value) : 0, value,
		 units[i].name);
}

void duration_text__age(uint64_t ns, char text[DURATION_TEXT_BYTES])
{
	unsigned long long seconds = ns / 1000000000;

	if (seconds < 60)
		duration_text__write(ns, text);
	else if (seconds < 3600)
		snprintf(text, DURATION_TEXT_BYTES, "%llum %02llus", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(text, DURATION_TEXT_BYTES, "%lluh %02llum", seconds / 3600,
			 seconds / 60 % 60);
	else
		snprintf(text, DURATION_TEXT_BYTES, "%llud %02lluh", seconds / 86400,
			 seconds / 3600 % 24);
}
