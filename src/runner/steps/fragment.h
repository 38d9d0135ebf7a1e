/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Converts the fields of a fragment to the types that their columns need: `tags` is a list of texts
 * (given as a list, as JSON text, or as words separated by commas), `state` and `metadata` are
 * maps, and other fields are kept as they are.
 */
#ifndef STEPTRACE_RUNNER_FRAGMENT_H
#define STEPTRACE_RUNNER_FRAGMENT_H

#include <cjson/cJSON.h>

#include "common/error.h"

/* Converts `value` and sets it in `values` under the key `column`. Takes ownership of `value`, also
 * on failure. Returns 0, -EINVAL (the wrong type) or -ENOMEM. */
int fragment__set(cJSON *values, const char *column, cJSON *value, struct error *err);

#endif
