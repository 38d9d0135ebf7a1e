// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recorded_names.h"

#define TYPE_OF(type, member) TYPE_OF_##member = RECORDED_IS_##type,
enum { RECORDED_MEMBERS(TYPE_OF) };
#undef TYPE_OF

#define OBJECT(child, parent, name)                                                                \
	{name, sizeof(name) - 1, RECORDED_IN_##parent, RECORDED_IS_OBJECT, RECORDED_IN_##child, 0},
#define FIELD(object, name, member)                                                                \
	{name,                                                                                     \
	 sizeof(name) - 1,                                                                         \
	 RECORDED_IN_##object,                                                                     \
	 TYPE_OF_##member,                                                                         \
	 RECORDED_BIT_##member,                                                                    \
	 offsetof(struct recorded_event, member)},

static const struct recorded_field fields[] = {RECORDED_OBJECTS(OBJECT) RECORDED_FIELDS(FIELD)};

enum { FIELDS_COUNT = sizeof(fields) / sizeof(fields[0]), SLOTS = 1024 };

_Static_assert(FIELDS_COUNT < 255 && RECORDED_BITS_COUNT < 256, "a byte holds an index");
_Static_assert(FIELDS_COUNT * 4 < SLOTS, "the table of names is too full to be fast");

/* An index into fields, plus 1; 0: free. Filled at the first look-up. */
static uint8_t slots[SLOTS];

static unsigned int slot_of(unsigned int object, const char *name, size_t bytes)
{
	unsigned int first = (uint8_t)name[0], last = (uint8_t)name[bytes - 1];
	unsigned int middle = (uint8_t)name[bytes / 2];

	return (object * 389 + (unsigned int)bytes * 151 + first * 7 + last * 31 + middle * 61) %
	       SLOTS;
}

static void fill(void)
{
	for (unsigned int i = 0; i < FIELDS_COUNT; i++) {
		unsigned int slot = slot_of(fields[i].object, fields[i].name, fields[i].name_bytes);

		while (slots[slot])
			slot = (slot + 1) % SLOTS;
		slots[slot] = (uint8_t)(i + 1);
	}
}

const struct recorded_field *recorded_names__find(enum recorded_object object, const char *name,
						  size_t bytes)
{
	static bool is_filled;

	if (!is_filled)
		fill();
	is_filled = true;
	if (bytes == 0)
		return NULL;
	for (unsigned int slot = slot_of(object, name, bytes); slots[slot];
	     slot = (slot + 1) % SLOTS) {
		const struct recorded_field *field = &fields[slots[slot] - 1];

		if (field->name_bytes == bytes && field->object == object &&
		    memcmp(field->name, name, bytes) == 0)
			return field;
	}
	return NULL;
}

/* ---- kinds and outcomes */

#define KIND(kind, name) [RECORDED_##kind] = name,
const char *const recorded_kind_names[RECORDED_KINDS_COUNT] = {RECORDED_KINDS(KIND)};
#undef KIND

enum recorded_kind recorded_names__kind(struct recorded_text name)
{
#define KIND(kind, word)                                                                           \
	if (name.bytes == sizeof(word) - 1 && memcmp(name.text, word, sizeof(word) - 1) == 0)      \
		return RECORDED_##kind;
	RECORDED_KINDS(KIND)
#undef KIND
	return RECORDED_OTHER;
}

enum recorded_outcome recorded_names__outcome(struct recorded_text name)
{
	static const char *const names[RECORDED_OUTCOMES_COUNT] = {
		[RECORDED_SUCCESS] = "success",     [RECORDED_FAILURE] = "failure",
		[RECORDED_SKIPPED] = "skipped",     [RECORDED_ABORTED] = "aborted",
		[RECORDED_CANCELLED] = "cancelled",
	};

	for (int i = RECORDED_SUCCESS; i < RECORDED_OUTCOMES_COUNT; i++)
		if (recorded_text__is(name, names[i]))
			return (enum recorded_outcome)i;
	return RECORDED_NO_OUTCOME;
}
