/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints schedules and their runs to standard output. Other programs write to the database, too:
 * any column may contain control characters, which a terminal would execute. They are escaped. */
#ifndef STEPTRACE_RUNNER_SCHEDULE_PRINT_H
#define STEPTRACE_RUNNER_SCHEDULE_PRINT_H

#include <cjson/cJSON.h>

enum { SCHEDULE_SHOWN_BYTES = 1024, SCHEDULE_TIME_BYTES = 32 };

/* As one line of JSON. Returns 0 or -ENOMEM. */
int schedule_print__json(const cJSON *row);

/* A table of schedules. */
void schedule_print__row_titles(void);
void schedule_print__row(const cJSON *row);
/* One schedule, and a table of its runs. */
void schedule_print__details(const cJSON *row);
void schedule_print__run_titles(void);
void schedule_print__run(const cJSON *run);

/* A column, for a sentence. Returns `text`. */
const char *schedule_print__column(const cJSON *row, const char *column,
				   char text[SCHEDULE_SHOWN_BYTES]);
/* The same of a time, to the second; "-" if there is none. What is no time is shown as it is. */
const char *schedule_print__time(const cJSON *row, const char *column,
				 char text[SCHEDULE_TIME_BYTES]);

#endif
