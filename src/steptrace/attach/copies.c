// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/copies.h"

#include <stddef.h>

static bool shows(const struct mapped_part *part, uint64_t offset)
{
	return offset >= part->offset && offset - part->offset < part->bytes;
}

static void count(uint16_t *counter, bool is_one)
{
	if (is_one && *counter < UINT16_MAX)
		++*counter;
}

/* Mappings that are neither executable nor writable do not count: symbolizers map files to read
 * them, and libraries that are linked for large pages leave holes that show other parts of the
 * file. */
void copies__add(struct copies *copies, const struct probe_notes *notes,
		 const struct mapped_part *part)
{
	if (part->shared)
		return;
	for (size_t i = 0; i < notes->count; i++) {
		bool probe = shows(part, notes->notes[i].offset);
		bool semaphore = notes->notes[i].semaphore_offset &&
				 shows(part, notes->notes[i].semaphore_offset);

		count(&copies->code[i], probe && part->executable && !part->writable);
		count(&copies->semaphores[i], semaphore && part->writable);
		copies->has_data_segment |= semaphore && part->writable && !probe;
	}
}

/* Without code a mapping of the whole file does no harm: the kernel raises no semaphore there. */
enum loading copies__judge(const struct copies *copies, const struct probe_notes *notes)
{
	enum loading found = LOADED_ONCE;

	for (size_t i = 0; i < notes->count; i++) {
		unsigned int code = copies->code[i], semaphores = copies->semaphores[i];

		if (code && semaphores && (code > 1 || semaphores > 1))
			return LOADED_TWICE;
		if (!code && semaphores && copies->has_data_segment)
			found = LOADED_MOVED;
	}
	return found;
}

bool copies__is_code_twice(const struct copies *copies, const struct probe_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		if (notes->notes[i].semaphore_offset && copies->code[i] > 1)
			return true;
	return false;
}

const char *loading__text(enum loading loading)
{
	static const char *const texts[] = {
		[LOADED_TWICE] = "has it mapped more than once, and the kernel would raise the "
				 "wrong semaphore",
		[LOADED_MOVED] = "has its code in memory where the kernel cannot put probes: the "
				 "code was moved there, or is writable",
	};

	return texts[loading];
}
