/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON strings of a recording: checks them (escapes, UTF-8, no control characters) and decodes
 * their escapes. */
#ifndef STEPTRACE_RECORDED_TEXT_H
#define STEPTRACE_RECORDED_TEXT_H

#include "steptrace/recording/recorded_event.h"

/*
 * *at is behind the opening quote; afterwards it is behind the closing one. A text without escapes
 * stays where it is. One with escapes is decoded to *room, which moves behind it; the decoded text
 * is not longer than the source. False: it is no JSON string, or not UTF-8, or it has "\u0000".
 */
bool recorded_text__scan(const char **at, const char *end, char **room, struct recorded_text *text);

/* The same without the text. */
bool recorded_text__pass(const char **at, const char *end);

#endif
