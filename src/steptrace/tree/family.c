// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/tree/family.h"

#include <errno.h>
#include <stdlib.h>

void family__init(struct family *family)
{
	memset(family, 0, sizeof(*family));
	text_hash__init(&family->hash);
}

void family__free(struct family *family)
{
	free(family->links);
	family->links = NULL;
	family->links_count = family->links_room = 0;
}

static uint64_t key_of(const struct family *family, struct recorded_text id)
{
	return text_hash__of(&family->hash, id.text, id.bytes);
}

/* ---- links */

static int enlarge(struct family *family)
{
	size_t room = family->links_room ? family->links_room * 2 : 256;
	struct family_link *links = realloc(family->links, room * sizeof(*links));

	if (!links)
		return -ENOMEM;
	family->links = links;
	family->links_room = room;
	return 0;
}

/* The start and the end of a command both name its parent; either may be missing. */
int family__note(struct family *family, const struct recorded_event *event)
{
	struct family_link link;

	if (!event->execution_id.bytes || !event->parent_execution_id.bytes)
		return 0;
	link.child = key_of(family, event->execution_id);
	link.parent = key_of(family, event->parent_execution_id);
	if (family->links_count && family->links[family->links_count - 1].child == link.child)
		return 0;
	if (family->links_count == FAMILY_LINKS_MAX) {
		family->links_left_out++;
		return 0;
	}
	if (family->links_count == family->links_room && enlarge(family))
		return -ENOMEM;
	family->links[family->links_count++] = link;
	return 0;
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_child(const void *left, const void *right)
{
	const struct family_link *a = left, *b = right;

	return a->child != b->child ? compare(a->child, b->child) : compare(a->parent, b->parent);
}

static int by_parent(const void *left, const void *right)
{
	const struct family_link *a = left, *b = right;

	return a->parent != b->parent ? compare(a->parent, b->parent) : compare(a->child, b->child);
}

/* The first link with this key in a sorted list, as `order` compares. */
static size_t first_of(const struct family *family, const struct family_link *wanted,
		       int (*order)(const void *left, const void *right))
{
	size_t low = 0, high = family->links_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(&family->links[middle], wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- members */

/* Where the key is, or would be. */
static size_t place_of(const struct family *family, uint64_t key)
{
	size_t low = 0, high = family->members_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (family->members[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_member(const struct family *family, size_t place, uint64_t key)
{
	return place < family->members_count && family->members[place].key == key;
}

/* False: it is one already, or there are too many. */
static bool add(struct family *family, uint64_t key, enum family_role role)
{
	size_t place = place_of(family, key);

	if (is_member(family, place, key))
		return false;
	if (family->members_count == FAMILY_MEMBERS_MAX) {
		family->has_more = true;
		return false;
	}
	memmove(&family->members[place + 1], &family->members[place],
		(family->members_count - place) * sizeof(family->members[0]));
	family->members[place] = (struct family_member){key, role};
	family->members_count++;
	return true;
}

void family__add(struct family *family, struct recorded_text execution_id)
{
	if (execution_id.bytes)
		add(family, key_of(family, execution_id), FAMILY_SELECTED);
}

enum family_role family__role(const struct family *family, struct recorded_text execution_id)
{
	uint64_t key = execution_id.bytes ? key_of(family, execution_id) : 0;
	size_t place = place_of(family, key);

	return execution_id.bytes && is_member(family, place, key) ? family->members[place].role
								   : FAMILY_NONE;
}

/* ---- both directions */

/* Up from one execution, until a parent is unknown or a member. The links are sorted by child. */
static void add_ancestors(struct family *family, uint64_t child)
{
	for (;;) {
		const struct family_link wanted = {.child = child};
		size_t at = first_of(family, &wanted, by_child);

		if (at == family->links_count || family->links[at].child != child)
			return;
		child = family->links[at].parent;
		if (family->ancestors_count == FAMILY_ANCESTORS_MAX) {
			family->has_more |= !is_member(family, place_of(family, child), child);
			return;
		}
		if (!add(family, child, FAMILY_ANCESTOR))
			return;
		family->ancestors_count++;
	}
}

/* The children of one execution; they are added to the list of those whose children are looked for.
 * The links are sorted by parent. */
static void add_children(struct family *family, uint64_t parent, uint64_t *list, size_t *count)
{
	const struct family_link wanted = {.parent = parent};

	for (size_t at = first_of(family, &wanted, by_parent);
	     at < family->links_count && family->links[at].parent == parent; at++) {
		if (!add(family, family->links[at].child, FAMILY_DESCENDANT))
			continue;
		list[(*count)++] = family->links[at].child;
		family->descendants_count++;
	}
}

static void sort(struct family *family, int (*order)(const void *left, const void *right))
{
	if (family->links_count)
		qsort(family->links, family->links_count, sizeof(*family->links), order);
}

void family__resolve(struct family *family)
{
	uint64_t list[FAMILY_MEMBERS_MAX];
	size_t count = 0, selected;

	for (size_t i = 0; i < family->members_count; i++)
		list[count++] = family->members[i].key;
	selected = count;
	sort(family, by_child);
	for (size_t i = 0; i < selected; i++)
		add_ancestors(family, list[i]);
	sort(family, by_parent);
	for (size_t i = 0; i < count; i++)
		add_children(family, list[i], list, &count);
}
