// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/timeline_bars.h"

void timeline_bars__collect(struct timeline_bars *bars, const struct timeline *timeline,
			    size_t most, bool only_failed)
{
	const struct timeline_slot *first = &timeline->slots[0];
	uint64_t slots = (timeline->slots[timeline->count - 1].start_ns - first->start_ns) /
				 timeline->width_ns +
			 1;

	most = most < TIMELINE_BARS_MAX ? most : TIMELINE_BARS_MAX;
	*bars = (struct timeline_bars){.slots_of_one = (slots + most - 1) / most};
	bars->count = (size_t)((slots + bars->slots_of_one - 1) / bars->slots_of_one);
	for (size_t i = 0; i < timeline->count; i++) {
		const struct timeline_slot *slot = &timeline->slots[i];
		uint64_t *value = &bars->values[(slot->start_ns - first->start_ns) /
						timeline->width_ns / bars->slots_of_one];

		*value += only_failed ? slot->failed : slot->count;
		if (*value > bars->highest)
			bars->highest = *value;
	}
}

const char *timeline_bars__width_name(uint64_t width_ns, char text[DURATION_TEXT_BYTES])
{
	if (width_ns == 1000000000)
		return "second";
	if (width_ns == 60000000000)
		return "minute";
	if (width_ns == 3600000000000)
		return "hour";
	if (width_ns == 86400000000000)
		return "day";
	duration_text__age(width_ns, text);
	return text;
}
