/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command as a user types it: a name, and arguments in the text behind it.
 *
 *	/todo buy milk due:tomorrow with:"oat flakes"
 *
 *	name		todo
 *	arguments	{"due":"tomorrow","with":"oat flakes","body":"buy milk"}
 *
 * An argument is `key:value` without a blank. The key is a letter or '_', then letters, digits, '_'
 * and '-'. The value may be in double quotes; in them `\"` and `\\` are escapes. Everything else is
 * text, and becomes `body` as it was typed: `https://example.org`, `12:30`, `note:` and what is in
 * quotes. A value of the key `body` is such text, too. If a key comes twice, the last value counts.
 */
#ifndef STEPTRACE_RUNNER_COMMAND_TEXT_H
#define STEPTRACE_RUNNER_COMMAND_TEXT_H

#include <cjson/cJSON.h>

#include "common/error.h"

enum {
	COMMAND_NAME_BYTES = 128,
	COMMAND_KEY_BYTES = 64,
	COMMAND_KEYS_MAX = 100,
};

/* Writes the name of the command, without a '/' in front of it. Returns the text behind it, or NULL
 * if the name is longer than the room for it; then `name` is empty. */
const char *command_text__name(const char *text, char name[COMMAND_NAME_BYTES]);

/* *arguments is an object with texts, which the caller deletes. Returns 0, -E2BIG (too many keys)
 * or -ENOMEM. */
int command_text__arguments(const char *text, cJSON **arguments, struct error *err);

#endif
