/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text as a cell of a CSV table (RFC 4180).
 *
 *	buy milk		buy milk
 *	milk, bread		"milk, bread"
 *	say "hello"		"say ""hello"""
 *	=HYPERLINK(...)		'=HYPERLINK(...)
 *	two<newline>lines	two\nlines
 *
 * A spreadsheet computes a cell that begins with = + - or @. A runner chooses its texts, so an
 * apostrophe is put in front of such a cell, also if blanks come first. Control characters are
 * escaped as in printable.h: every row is one line, and no program executes them.
 */
#ifndef STEPTRACE_CSV_CELL_H
#define STEPTRACE_CSV_CELL_H

#include "steptrace/stream/json.h"

/* The caller has reserved JSON_TEXT_BYTES(bytes) + 1. */
void csv_cell__text(struct json *json, const char *text, size_t bytes);

#endif
