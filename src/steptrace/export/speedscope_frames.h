/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames of a profile: each text once, with a number from 0 on. A text is the JSON object of
 * the frame.
 *
 *	speedscope_frames__number(frames, "{\"name\":\"note\"}", 15, &number);
 *
 * Memory is bounded: at most FRAMES_MAX frames and FRAMES_BYTES_MAX of text. Further texts get the
 * number of the frame "other", and are counted.
 */
#ifndef STEPTRACE_SPEEDSCOPE_FRAMES_H
#define STEPTRACE_SPEEDSCOPE_FRAMES_H

#include <stddef.h>
#include <stdint.h>

enum { FRAMES_MAX = 1 << 16, FRAMES_BYTES_MAX = 16 << 20 };

struct speedscope_frames;

struct speedscope_frames *speedscope_frames__new(void);
void speedscope_frames__free(struct speedscope_frames *frames);

/* 0 or -ENOMEM. */
int speedscope_frames__number(struct speedscope_frames *frames, const char *text, size_t bytes,
			      uint32_t *number);

/* The text of a number below speedscope_frames__count(). */
uint32_t speedscope_frames__count(const struct speedscope_frames *frames);
const char *speedscope_frames__text(const struct speedscope_frames *frames, uint32_t number,
				    size_t *bytes);

/* How often "other" was given for another text. */
uint64_t speedscope_frames__others(const struct speedscope_frames *frames);

#endif
