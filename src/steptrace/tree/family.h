/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which executions of a recording are ancestors and descendants of the selected ones.
 *
 *	family__note(family, &event);		of every event, while the recording is read
 *	...
 *	family__add(family, id);		each selected execution
 *	family__resolve(family);
 *	...
 *	switch (family__role(family, id))	of every event, while it is read again
 *
 * Memory is bounded: 16 bytes for each execution with a parent, of which FAMILY_LINKS_MAX are
 * known; at most FAMILY_ANCESTORS_MAX ancestors and FAMILY_MEMBERS_MAX executions in all. Ids are
 * compared by a keyed hash of 64 bits. Parents in a circle are no problem: each execution has one
 * role.
 */
#ifndef STEPTRACE_TREE_FAMILY_H
#define STEPTRACE_TREE_FAMILY_H

#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/text_hash.h"

enum {
	FAMILY_LINKS_MAX = 1 << 20,
	FAMILY_ANCESTORS_MAX = 64,
	FAMILY_MEMBERS_MAX = 4096,
};

enum family_role { FAMILY_NONE, FAMILY_SELECTED, FAMILY_ANCESTOR, FAMILY_DESCENDANT };

struct family_link {
	uint64_t child, parent;
};

struct family_member {
	uint64_t key;
	enum family_role role;
};

struct family {
	struct text_hash hash;
	struct family_link *links; /* owned */
	size_t links_count, links_room;
	uint64_t links_left_out;
	struct family_member members[FAMILY_MEMBERS_MAX]; /* sorted by key */
	size_t members_count;
	size_t ancestors_count, descendants_count;
	bool has_more; /* ancestors or descendants that are no members */
};

void family__init(struct family *family);
void family__free(struct family *family);

/* Looks at one event. 0 or -ENOMEM. */
int family__note(struct family *family, const struct recorded_event *event);

/* The execution is a selected one. */
void family__add(struct family *family, struct recorded_text execution_id);

/* Finds the ancestors and descendants of the selected executions. */
void family__resolve(struct family *family);

enum family_role family__role(const struct family *family, struct recorded_text execution_id);

#endif
