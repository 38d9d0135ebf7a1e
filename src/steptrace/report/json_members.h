/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes JSON member by member. Each function reserves its own room; the first time there is no
 * memory, the document has failed, and nothing is appended any more.
 *
 *	json_members__open(&out, "coverage", '{');	,"coverage":{
 *	json_members__u64(&out, "lines", 5);		"lines":5
 *	json_members__close(&out, '}');			}
 *
 * Elements of arrays have the name NULL.
 */
#ifndef STEPTRACE_REPORT_JSON_MEMBERS_H
#define STEPTRACE_REPORT_JSON_MEMBERS_H

#include "steptrace/stream/json.h"

struct json_members {
	struct json json;
	bool has_failed;
};

void json_members__open(struct json_members *out, const char *name, char bracket);
void json_members__close(struct json_members *out, char bracket);
void json_members__u64(struct json_members *out, const char *name, uint64_t value);
/* With 12 digits; null if it is not finite. */
void json_members__double(struct json_members *out, const char *name, double value);
void json_members__null(struct json_members *out, const char *name);
void json_members__bool(struct json_members *out, const char *name, bool value);
/* "" is null. */
void json_members__text(struct json_members *out, const char *name, const char *text);
/* Nanoseconds since 1970 as a timestamp; null if it is not known. */
void json_members__time(struct json_members *out, const char *name, uint64_t ns, bool is_known);
/* part / whole with six decimals; 0 if whole is 0. */
void json_members__share(struct json_members *out, const char *name, uint64_t part, uint64_t whole);

#endif
