/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of a recording that belong to one id: of an execution or of a correlation, or the
 * beginning of one.
 *
 * The recording is read once. Which id is meant is known at its end only: until then, the lines of
 * all ids that begin like that are kept, up to SELECTION_IDS_MAX ids and SELECTION_BYTES_MAX. An id
 * that is the same as the given text is preferred over longer ones.
 *
 * If the executions have ancestors or descendants (family.h), the recording is read a second time,
 * with a selection of the whole family: all lines of the id and of descendants, and of ancestors
 * the start and the end.
 */
#ifndef STEPTRACE_TREE_SELECTION_H
#define STEPTRACE_TREE_SELECTION_H

#include "common/error.h"
#include "steptrace/tree/family.h"

enum {
	SELECTION_IDS_MAX = 16,
	SELECTION_ID_BYTES = 128,
	SELECTION_LOSSES_MAX = 1024,
};
#define SELECTION_BYTES_MAX ((size_t)32 << 20)

struct selected_line {
	char *text; /* owned */
	size_t bytes;
};

/* A trace.lost event: its time may overlap with that of the execution. */
struct selected_loss {
	uint64_t since_ns, until_ns, lost;
};

struct selection {
	const char *wanted; /* borrowed: the text that the user gave; the whole id with a family */
	const struct family *family; /* borrowed; NULL: the first time */
	char ids[SELECTION_IDS_MAX][SELECTION_ID_BYTES + 1];
	size_t ids_count;
	bool has_more_ids;
	struct selected_line *lines; /* owned */
	size_t count, room, bytes, bytes_max;
	uint64_t left_out; /* events for which there was no room */
	struct selected_loss losses[SELECTION_LOSSES_MAX];
	size_t losses_count;
	uint64_t losses_left_out; /* the number of lost events in further trace.lost */
};

void selection__init(struct selection *selection, const char *wanted);
void selection__free(struct selection *selection);

/* Looks at one event. 0 or -ENOMEM. */
int selection__add(struct selection *selection, const struct recorded_event *event);

/* The one id that is meant. NULL, with a sentence that names candidates: none or several. */
const char *selection__id(const struct selection *selection, struct error *err);

/* Whether the execution or correlation of the event is this one. */
bool selection__is_of(const struct recorded_event *event, const char *id);

#endif
