/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON does not say what an object means in which a name comes twice. One program reads the first
 * value, another one the last: what a filter in front of the server has checked could be another
 * value than the one that a command gets. So such objects are refused.
 */
#ifndef STEPTRACE_RUNNER_UNIQUE_NAMES_H
#define STEPTRACE_RUNNER_UNIQUE_NAMES_H

#include <cjson/cJSON.h>

/* Looks at all objects of the tree. Returns 0, -EEXIST (a name comes twice) or -ENOMEM. */
int unique_names__check(const cJSON *tree);

#endif
