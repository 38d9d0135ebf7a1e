/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TZif files, written by hand. See src/runner/recur/tzif.h for the format.
 *
 *	struct tzif_file file = {.size = 0};
 *
 *	tzif_file__header(&file, '2', (struct tzif_counts){.types = 1, .name_bytes = 4});
 *	tzif_file__type(&file, 3600);
 */
#ifndef TESTS_TZIF_FILE_H
#define TESTS_TZIF_FILE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TZIF_FILE_BYTES = 64 * 1024 };

struct tzif_file {
	size_t size;
	uint8_t bytes[TZIF_FILE_BYTES];
};

/* In the order of the file. */
struct tzif_counts {
	uint32_t ut_flags, standard_flags, leap_seconds, times, types, name_bytes;
};

static inline void tzif_file__add(struct tzif_file *file, const void *bytes, size_t size)
{
	if (size > sizeof(file->bytes) - file->size)
		abort();
	memcpy(file->bytes + file->size, bytes, size);
	file->size += size;
}

/* In network byte order. */
static inline void tzif_file__number(struct tzif_file *file, int64_t number, int bytes)
{
	for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
		tzif_file__add(file, &(uint8_t){(uint8_t)((uint64_t)number >> shift)}, 1);
}

static inline void tzif_file__zeros(struct tzif_file *file, size_t count)
{
	while (count--)
		tzif_file__add(file, "", 1);
}

/* The version is a letter, NUL for 1. */
static inline void tzif_file__header(struct tzif_file *file, char version,
				     struct tzif_counts counts)
{
	tzif_file__add(file, "TZif", 4);
	tzif_file__add(file, &version, 1);
	tzif_file__zeros(file, 15);
	tzif_file__number(file, counts.ut_flags, 4);
	tzif_file__number(file, counts.standard_flags, 4);
	tzif_file__number(file, counts.leap_seconds, 4);
	tzif_file__number(file, counts.times, 4);
	tzif_file__number(file, counts.types, 4);
	tzif_file__number(file, counts.name_bytes, 4);
}

static inline void tzif_file__type(struct tzif_file *file, int32_t offset_s)
{
	tzif_file__number(file, offset_s, 4);
	tzif_file__zeros(file, 2);
}

/* The smallest data for readers of version 1, and its header. */
static inline void tzif_file__stub(struct tzif_file *file, char version)
{
	tzif_file__header(file, version, (struct tzif_counts){.types = 1, .name_bytes = 4});
	tzif_file__type(file, 0);
	tzif_file__add(file, "UTC", 4);
}

#endif
