/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a fragment's fields may hold: `tags` a list of texts (a list, JSON text, or words with
 * commas between them), `state` and `metadata` maps, the rest as it comes.
 */
#ifndef STEPTRACE_RUNNER_FRAGMENT_H
#define STEPTRACE_RUNNER_FRAGMENT_H

#include <cjson/cJSON.h>

#include "common/error.h"

/* Puts `value` (taken over, also on failure) under `column`, in that column's shape. */
int fragment__set(cJSON *values, const char *column, cJSON *value, struct error *err);

#endif
