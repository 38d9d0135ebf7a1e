// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/lanes.h"

#include <stdlib.h>
#include <string.h>

static bool add_group(struct lanes *lanes, uint64_t key, const char *name, size_t bytes)
{
	struct lane_group *group = &lanes->groups[lanes->groups_count];

	if (lanes->groups_count == LANE_GROUPS_MAX)
		return false;
	group->name = malloc(bytes + 1);
	if (!group->name)
		return false;
	memcpy(group->name, name, bytes);
	group->name_bytes = bytes;
	group->key = key;
	lanes->groups_count++;
	return true;
}

struct lanes *lanes__new(void)
{
	static const char others[] = "further programs";
	struct lanes *lanes = calloc(1, sizeof(*lanes));

	if (!lanes)
		return NULL;
	text_hash__init(&lanes->hash);
	if (add_group(lanes, 0, others, sizeof(others) - 1))
		return lanes;
	lanes__free(lanes);
	return NULL;
}

void lanes__free(struct lanes *lanes)
{
	if (!lanes)
		return;
	for (size_t i = 0; i < lanes->count; i++)
		spool_list__free(&lanes->lanes[i].list);
	for (size_t i = 0; i < lanes->groups_count; i++)
		free(lanes->groups[i].name);
	free(lanes);
}

uint32_t lanes__group(struct lanes *lanes, const char *name, size_t bytes)
{
	uint64_t key = text_hash__of(&lanes->hash, name, bytes);

	for (size_t i = 1; i < lanes->groups_count; i++)
		if (lanes->groups[i].key == key)
			return (uint32_t)i;
	return add_group(lanes, key, name, bytes) ? (uint32_t)lanes->groups_count - 1 : 0;
}

static struct lane *add_lane(struct lanes *lanes, uint32_t group)
{
	struct lane *lane = &lanes->lanes[lanes->count];

	if (lanes->count == LANES_MAX)
		return NULL;
	lanes->count++;
	lane->group = group;
	lane->number = lanes->groups[group].lanes_count++;
	return lane;
}

struct lane *lanes__take(struct lanes *lanes, uint32_t group, uint64_t begin_ns, uint64_t end_ns)
{
	struct lane *best = NULL;

	for (size_t i = 0; i < lanes->count; i++) {
		struct lane *lane = &lanes->lanes[i];

		if (lane->group == group && lane->end_ns <= begin_ns &&
		    (!best || lane->end_ns > best->end_ns))
			best = lane;
	}
	if (!best)
		best = add_lane(lanes, group);
	if (best)
		best->end_ns = end_ns;
	return best;
}
