// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/utc_text.h"

#include "steptrace/stream/clock_anchor.h"

void utc_text__write(char text[UTC_TEXT_BYTES], uint64_t ns)
{
	struct clock_anchor unix_time = {0};
	char room[64] = "";
	struct json json = {.base = room, .at = room, .limit = room + sizeof(room)};

	if (!ns) {
		memcpy(text, "-", 2);
		return;
	}
	clock_anchor__timestamp(&unix_time, &json, ns);
	memcpy(text, room, 19);
	text[10] = ' ';
	text[19] = 0;
}
