/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command's input from the command line: a JSON file, then the text, then single keys.
 *
 *	steprun exec note "buy milk" --set lang=en	{"body":"buy milk","lang":"en"}
 */
#ifndef STEPTRACE_RUNNER_INPUT_H
#define STEPTRACE_RUNNER_INPUT_H

#include <cjson/cJSON.h>

#include "common/error.h"

enum { INPUT_BYTES_MAX = 1 << 20 };

/* A JSON object from a file, "-" being stdin; one that holds nothing but `ctx` is unwrapped. */
int input__load(const char *path, cJSON **input, struct error *err);

/* Replaces `key`. */
int input__set_text(cJSON *input, const char *key, const char *text, struct error *err);

/* "KEY=VALUE". */
int input__set_pair(cJSON *input, const char *pair, struct error *err);

#endif
