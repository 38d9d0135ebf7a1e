/* SPDX-License-Identifier: BSD-2-Clause */
/* The type of a plain scalar by YAML's core schema. yaml.h says what is supported. */
#ifndef STEPTRACE_RUNNER_YAML_SCALAR_H
#define STEPTRACE_RUNNER_YAML_SCALAR_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Returns null, true, false, a number or text as a new value, which the caller deletes. NULL: out
 * of memory. */
cJSON *yaml_scalar__typed(const char *text);

/* True for a whole number that has more than 64 bits. */
bool yaml_scalar__is_too_large(const char *text);

/* True for .inf and .nan, which JSON cannot represent. */
bool yaml_scalar__is_not_finite(const char *text);

#endif
