// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/seen_mappings.h"

#include <stdlib.h>
#include <string.h>

void seen_mappings__add(struct seen_mappings *seen, pid_t pid,
			const struct process_mapping *mapping)
{
	struct seen_mapping *item;
	char *path = strdup(mapping->untrusted_path);

	if (!seen->items)
		seen->items = calloc(SEEN_MAPPINGS_MAX, sizeof(*seen->items));
	if (!seen->items || !path) {
		free(path);
		return;
	}
	item = &seen->items[seen->count++ % SEEN_MAPPINGS_MAX];
	free((char *)item->mapping.untrusted_path);
	*item = (struct seen_mapping){pid, *mapping};
	item->mapping.untrusted_path = path;
}

const struct process_mapping *seen_mappings__latest(const struct seen_mappings *seen, pid_t pid,
						    uint64_t from, uint64_t *to)
{
	uint64_t oldest = seen->count > SEEN_MAPPINGS_MAX ? seen->count - SEEN_MAPPINGS_MAX : 0;

	while (*to > oldest && *to > from) {
		const struct seen_mapping *item = &seen->items[--*to % SEEN_MAPPINGS_MAX];

		if (item->pid == pid)
			return &item->mapping;
	}
	return NULL;
}

void seen_mappings__free(struct seen_mappings *seen)
{
	for (size_t i = 0; seen->items && i < SEEN_MAPPINGS_MAX; i++)
		free((char *)seen->items[i].mapping.untrusted_path);
	free(seen->items);
	*seen = (struct seen_mappings){0};
}
