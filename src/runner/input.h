/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the input of a command from the command line: from a JSON file (--context), then from
 * TEXT, then from single keys (--set). A later source replaces keys of an earlier one.
 *
 *	steprun exec triage "buy milk" --set lang=en	{"body":"buy milk","lang":"en"}
 */
#ifndef STEPTRACE_RUNNER_INPUT_H
#define STEPTRACE_RUNNER_INPUT_H

#include <cjson/cJSON.h>

#include "common/error.h"

enum { INPUT_BYTES_MAX = 1 << 20 };

/*
 * Reads a JSON object from a file of at most INPUT_BYTES_MAX bytes; "-" is stdin. If `ctx` is its
 * only key, *input is the value of `ctx`. The caller deletes *input. Returns 0, the errno of
 * reading the file, -E2BIG, -EINVAL (not a JSON object) or -ENOMEM.
 */
int input__load(const char *path, cJSON **input, struct error *err);

/* Sets `key` to `text`, or replaces it. */
int input__set_text(cJSON *input, const char *key, const char *text, struct error *err);

/* `pair` is "KEY=VALUE". */
int input__set_pair(cJSON *input, const char *pair, struct error *err);

#endif
