/* SPDX-License-Identifier: BSD-2-Clause */
/* What a plain scalar means, by YAML's core schema (yaml.h says what is understood). */
#ifndef STEPTRACE_RUNNER_YAML_SCALAR_H
#define STEPTRACE_RUNNER_YAML_SCALAR_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Null, true, false, a number, or text; NULL when there is no memory. */
cJSON *yaml_scalar__typed(const char *text);

/* .inf and .nan, which JSON cannot say. */
bool yaml_scalar__is_not_finite(const char *text);

#endif
