/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns of a row that the program itself reads and writes. Other programs write to the database,
 * too: a column that is missing or has another type counts as empty. */
#ifndef STEPTRACE_RUNNER_STORE_ROW_H
#define STEPTRACE_RUNNER_STORE_ROW_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Borrowed from the row; "" if it is no text. */
const char *store_row__text(const cJSON *row, const char *column);
/* 0 if it is no whole number. */
int64_t store_row__number(const cJSON *row, const char *column);
/* Microseconds since 1970. Returns 0 or -EINVAL. */
int store_row__time(const cJSON *row, const char *column, int64_t *us);

/* False: out of memory. */
bool store_row__add_time(cJSON *values, const char *column, int64_t us);

#endif
