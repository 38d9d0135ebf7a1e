// SPDX-License-Identifier: BSD-2-Clause
#include "runner/check/check.h"

#include <errno.h>

#include "runner/check/checker.h"

static void check_pack(struct checker *checker)
{
	check_keys__run(checker);
	check_orders__run(checker);
	check_templates__run(checker);
	check_references__run(checker);
	check_branches__run(checker);
	check_collisions__run(checker);
}

int check__packs(struct pack_list *list,
		 void (*found)(void *data, const struct pack_entry *entry,
			       const struct pack_problem *problem),
		 void *data, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct pack_entry *entry = &list->entries[i];
		struct checker checker = {.list = list, .entry = entry, .pack = entry->pack};

		if (cJSON_IsObject(entry->pack->manifest.root))
			check_pack(&checker);
		if (entry->problems.lacks_memory)
			return -ENOMEM;
		pack_problems__sort(&entry->problems);
		for (size_t at = 0; at < entry->problems.count; at++)
			found(data, entry, &entry->problems.items[at]);
		*count += entry->problems.count;
	}
	return 0;
}
