// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/tree/selection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void selection__init(struct selection *selection, const char *wanted)
{
	memset(selection, 0, sizeof(*selection));
	selection->wanted = wanted;
	selection->bytes_max = SELECTION_BYTES_MAX;
}

void selection__free(struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++)
		free(selection->lines[i].text);
	free(selection->lines);
	selection->lines = NULL;
	selection->count = 0;
}

/* ---- ids */

static bool begins_with(struct recorded_text id, const char *wanted)
{
	size_t bytes = strlen(wanted);

	return id.text && id.bytes >= bytes && memcmp(id.text, wanted, bytes) == 0;
}

static bool is_known(const struct selection *selection, struct recorded_text id)
{
	for (size_t i = 0; i < selection->ids_count; i++)
		if (recorded_text__is(id, selection->ids[i]))
			return true;
	return false;
}

/* The whole id gets the first place, also if the table is full. */
static bool note_id(struct selection *selection, struct recorded_text id)
{
	bool is_whole = recorded_text__is(id, selection->wanted);
	size_t at = selection->ids_count;

	if (is_known(selection, id))
		return true;
	if (id.bytes > SELECTION_ID_BYTES)
		return false;
	if (at == SELECTION_IDS_MAX) {
		selection->has_more_ids = true;
		if (!is_whole)
			return false;
		at--;
	} else {
		selection->ids_count++;
	}
	memcpy(selection->ids[at], id.text, id.bytes);
	selection->ids[at][id.bytes] = '\0';
	return true;
}

static bool matches(struct selection *selection, struct recorded_text id)
{
	return begins_with(id, selection->wanted) && note_id(selection, id);
}

bool selection__is_of(const struct recorded_event *event, const char *id)
{
	return recorded_text__is(event->execution_id, id) ||
	       recorded_text__is(event->correlation_id, id);
}

/* "'4f1c' is the beginning of several ids: 4f1c02.., 4f1cab.., and more" */
static const char *refuse(const struct selection *selection, struct error *err)
{
	char list[5 * (SELECTION_ID_BYTES + 2) + 1] = "";
	size_t shown = selection->ids_count < 5 ? selection->ids_count : 5;
	size_t at = 0;

	for (size_t i = 0; i < shown; i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "",
				       selection->ids[i]);
	error__set(err, -EINVAL, "'%s' is the beginning of several ids: %s%s (give more of it)",
		   selection->wanted, list,
		   selection->ids_count > shown || selection->has_more_ids ? ", and more" : "");
	return NULL;
}

const char *selection__id(const struct selection *selection, struct error *err)
{
	for (size_t i = 0; i < selection->ids_count; i++)
		if (strcmp(selection->ids[i], selection->wanted) == 0)
			return selection->ids[i];
	if (selection->ids_count == 1 && !selection->has_more_ids)
		return selection->ids[0];
	if (selection->ids_count > 1)
		return refuse(selection, err);
	error__set(err, -ENOENT, "no execution or correlation id of the recording begins with '%s'",
		   selection->wanted);
	return NULL;
}

/* ---- lines */

static int enlarge(struct selection *selection)
{
	size_t room = selection->room ? selection->room * 2 : 64;
	struct selected_line *lines = realloc(selection->lines, room * sizeof(*lines));

	if (!lines)
		return -ENOMEM;
	selection->lines = lines;
	selection->room = room;
	return 0;
}

static int keep(struct selection *selection, struct recorded_text line)
{
	struct selected_line *kept;

	if (selection->bytes + line.bytes > selection->bytes_max) {
		selection->left_out++;
		return 0;
	}
	if (selection->count == selection->room && enlarge(selection))
		return -ENOMEM;
	kept = &selection->lines[selection->count];
	kept->text = malloc(line.bytes + 1);
	if (!kept->text)
		return -ENOMEM;
	memcpy(kept->text, line.text, line.bytes);
	kept->bytes = line.bytes;
	selection->count++;
	selection->bytes += line.bytes;
	return 0;
}

static void note_loss(struct selection *selection, const struct recorded_event *event)
{
	if (selection->losses_count == SELECTION_LOSSES_MAX) {
		selection->losses_left_out += event->lost;
		return;
	}
	selection->losses[selection->losses_count++] = (struct selected_loss){
		.since_ns = event->since_ns, .until_ns = event->until_ns, .lost = event->lost};
}

static bool is_of_family(const struct selection *selection, const struct recorded_event *event)
{
	switch (family__role(selection->family, event->execution_id)) {
	case FAMILY_SELECTED:
	case FAMILY_DESCENDANT: return true;
	case FAMILY_ANCESTOR:
		return event->kind == RECORDED_COMMAND_STARTED ||
		       event->kind == RECORDED_COMMAND_COMPLETED;
	default: return selection__is_of(event, selection->wanted);
	}
}

int selection__add(struct selection *selection, const struct recorded_event *event)
{
	bool is_of_execution, is_of_correlation;

	if (event->kind == RECORDED_TRACE_LOST)
		note_loss(selection, event);
	if (!recorded_event__is_of_runner(event))
		return 0;
	if (selection->family)
		return is_of_family(selection, event) ? keep(selection, event->line) : 0;
	/* Both, so that both ids are noted. */
	is_of_execution = matches(selection, event->execution_id);
	is_of_correlation = matches(selection, event->correlation_id);
	return is_of_execution || is_of_correlation ? keep(selection, event->line) : 0;
}
