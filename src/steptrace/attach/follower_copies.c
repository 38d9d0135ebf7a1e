// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower_private.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/attach/copies.h"

static struct mapped_part part_of(const struct steptrace_mapping *mapping)
{
	return (struct mapped_part){
		.offset = mapping->file_page * (uint64_t)sysconf(_SC_PAGESIZE),
		.bytes = mapping->end - mapping->start,
		.writable = mapping->flags & MAPPING_WRITABLE,
		.executable = mapping->flags & MAPPING_EXECUTABLE,
		.shared = mapping->flags & MAPPING_SHARED,
	};
}

/* `mappings` are those of one process, sorted by address. Where its first thread has ended, they
 * are listed once for each other thread. */
static struct copies copies_of(const struct binary *binary,
			       const struct steptrace_mapping *mappings, size_t count)
{
	struct copies copies = {0};

	for (size_t i = 0; i < count; i++) {
		const struct mapped_part part = part_of(&mappings[i]);

		if (i == 0 || mappings[i].start != mappings[i - 1].start)
			copies__add(&copies, &binary->notes, &part);
	}
	return copies;
}

/* How many of the mappings, which are sorted by process, belong to the process of the first. */
static size_t count_of_process(const struct steptrace_mapping *mappings, size_t count)
{
	size_t same = 1;

	while (same < count && mappings[same].pid == mappings[0].pid)
		same++;
	return same;
}

/* Links by file reach every process, also those that are not wanted. */
int follower__check_copies(struct follower *follower, const struct binary *binary,
			   const struct steptrace_file *file, struct error *err)
{
	struct steptrace_mapping *mappings;
	ssize_t count = capture__mappings_of(follower->capture, file, &mappings);
	enum loading loading = LOADED_ONCE;
	uint32_t pid = 0;

	if (count <= 0)
		return 0; /* without this list, attach all the same */
	follower__sort(mappings, (size_t)count);
	for (size_t at = 0, same; at < (size_t)count && loading == LOADED_ONCE; at += same) {
		struct copies copies;

		same = count_of_process(&mappings[at], (size_t)count - at);
		copies = copies_of(binary, &mappings[at], same);
		loading = copies__judge(&copies, &binary->notes);
		pid = mappings[at].pid;
	}
	free(mappings);
	return loading == LOADED_ONCE
		       ? 0
		       : error__set(err, -ENOTUNIQ,
				    "'%s' is not traced while process %u runs: it %s", binary->name,
				    pid, loading__text(loading));
}

void follower__warn_second_load(struct attachment *attachment,
				const struct steptrace_mapping *mappings, size_t count)
{
	const struct binary *binary = attachment->binary;

	for (size_t at = 0, same; at < count && !attachment->is_loaded_twice; at += same) {
		struct copies copies;

		same = count_of_process(&mappings[at], count - at);
		if (same < 2)
			continue;
		copies = copies_of(binary, &mappings[at], same);
		attachment->is_loaded_twice = copies__is_code_twice(&copies, &binary->notes);
		if (attachment->is_loaded_twice)
			log__warn("process %u has loaded '%s' a second time: only the first load "
				  "is traced, and a semaphore may stay raised in this process",
				  mappings[at].pid, binary->name);
	}
}
