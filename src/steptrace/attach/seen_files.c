// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/seen_files.h"

#include <stddef.h>
#include <string.h>

static struct seen_file *place_of(struct seen_files *seen, const struct seen_key *key)
{
	uint64_t mixed = (key->inode ^ key->device << 20 ^ key->generation) * 0x9e3779b97f4a7c15ull;

	return &seen->entries[mixed >> 54];
}

struct seen_file *seen_files__find(struct seen_files *seen, const struct seen_key *key)
{
	struct seen_file *entry = place_of(seen, key);

	return memcmp(&entry->key, key, sizeof(*key)) == 0 ? entry : NULL;
}

void seen_files__add(struct seen_files *seen, const struct seen_key *key,
		     const struct steptrace_file *file)
{
	struct seen_file *entry = place_of(seen, key);

	*entry = (struct seen_file){.key = *key, .is_attached = file != NULL};
	if (file)
		entry->file = *file;
}

_Static_assert(SEEN_FILES_COUNT == 1 << (64 - 54), "the hash has another number of bits");
