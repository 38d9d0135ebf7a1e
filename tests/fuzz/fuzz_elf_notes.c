// SPDX-License-Identifier: BSD-2-Clause
/*
 * Searches for probes in any bytes, as if they were a program file.
 *
 * links: src/steptrace/attach/elf_notes.c src/steptrace/attach/elf_limits.c
 * links: src/steptrace/stream/event.c src/steptrace/attach/site.c
 * links: -lelf
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/attach/elf_notes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_found(const struct probe_notes *notes, size_t size)
{
	require(notes->count <= PROBE_NOTES_MAX);
	require(notes->build_id_bytes <= BUILD_ID_MAX_BYTES);
	for (size_t i = 0; i < notes->count; i++) {
		require(notes->notes[i].probe < PROBES_COUNT);
		require(notes->notes[i].offset < size); /* the bytes there were recognised */
		require(notes->notes[i].sites & 1u << SITE_NOP1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_notes notes;
	struct error err = {{0}};
	void *copy = NULL;
	int result;

	require(posix_memalign(&copy, 16, size) == 0);
	if (size)
		memcpy(copy, data, size);
	result = elf_notes__read_memory(copy, size, &notes, &err);
	require(result == 0 || result == -EBADMSG || result == -ENOEXEC);
	require(!result == !err.text[0]);
	check_found(&notes, size);
	free(copy);
	return 0;
}
