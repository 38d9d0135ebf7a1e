/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads one line of a recording, without files. recording_reader.h is what commands use.
 *
 * A line as steptrace writes it (no blanks between tokens) is scanned once, and its texts point
 * into it. Any other line is checked by cJSON, copied without its blanks, and scanned then: the
 * numbers are those of the text, never doubles. Both ways accept JSON only, with texts that are
 * UTF-8.
 */
#ifndef STEPTRACE_RECORDED_LINE_H
#define STEPTRACE_RECORDED_LINE_H

#include "steptrace/recording/recorded_event.h"

struct recorded_line {
	/* Where texts with escapes are decoded, and lines without their blanks; grows, owned. */
	char *room;
	size_t room_bytes;
	bool is_slow; /* cJSON checked the line that was read last */
	bool is_odd;  /* one of its known fields had a value of another type */
};

/*
 * Reads the line into the event, whose texts are valid until the next call. Sets all members but
 * `place`. 0; -EBADMSG: not one JSON object; -ENOENT: it has no "event"; -ENOMEM.
 */
int recorded_line__read(struct recorded_line *reader, struct recorded_event *event,
			const char *line, size_t bytes);

/* Frees the room. */
void recorded_line__free(struct recorded_line *reader);

#endif
