/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds a field by its object and its name: the table of recorded_fields.h as a hash table.
 */
#ifndef STEPTRACE_RECORDED_NAMES_H
#define STEPTRACE_RECORDED_NAMES_H

#include <stdint.h>

#include "steptrace/recording/recorded_event.h"

#define RECORDED_OBJECT(object, ...) RECORDED_IN_##object,
enum recorded_object { RECORDED_IN_TOP, RECORDED_OBJECTS(RECORDED_OBJECT) RECORDED_OBJECTS_COUNT };
#undef RECORDED_OBJECT

enum recorded_type {
	RECORDED_IS_OBJECT, /* `bit` is an enum recorded_object */
	RECORDED_IS_TEXT,
	RECORDED_IS_U64,
	RECORDED_IS_I64,
	RECORDED_IS_BOOL,
	RECORDED_IS_MS,
	RECORDED_IS_TIME,
	RECORDED_IS_RAW,
};

struct recorded_field {
	const char *name;
	uint8_t name_bytes;
	uint8_t object; /* that has the field */
	uint8_t type;
	uint8_t bit;
	uint16_t offset; /* of the member in struct recorded_event */
};

/* NULL: there is no such field. */
const struct recorded_field *recorded_names__find(enum recorded_object object, const char *name,
						  size_t bytes);

/* RECORDED_OTHER, if no kind has this name. */
enum recorded_kind recorded_names__kind(struct recorded_text name);
/* RECORDED_NO_OUTCOME, if no outcome has this name. */
enum recorded_outcome recorded_names__outcome(struct recorded_text name);

#endif
