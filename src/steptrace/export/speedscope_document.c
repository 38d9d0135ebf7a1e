// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>

#include "steptrace/export/event_values.h"
#include "steptrace/export/speedscope_private.h"
#include "steptrace/version.h"

/* For everything in a line but its texts. */
enum { LINE_BYTES = 512 };

/* ---- the head: what was left out, and the frames */

static void put_count(struct json *json, const char *name, uint64_t value)
{
	json__raw(json, ",\"");
	json__word(json, name);
	json__raw(json, "\":");
	json__u64(json, value);
}

static void put_counts(struct json *json, const struct speedscope_counts *counts)
{
	put_count(json, "executions", counts->executions);
	put_count(json, "steps", counts->steps);
	put_count(json, "tools", counts->tools);
	put_count(json, "lost", counts->lost);
	put_count(json, "without_timestamp", counts->without_time);
	put_count(json, "without_begin", counts->without_begin);
	put_count(json, "without_end", counts->without_end);
	put_count(json, "left_out", counts->not_held + counts->not_nested + counts->without_lane);
}

static void put_head(struct speedscope *speedscope)
{
	struct json *json = export_out__room(speedscope->out, 2 * LINE_BYTES);

	if (!json)
		return;
	json__raw(json, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
			"\"exporter\":\"steptrace " STEPTRACE_VERSION "\",\"name\":\"");
	event_time__write(json, speedscope->begin_ns);
	json__raw(json, "\",\"activeProfileIndex\":0,\n\"steptrace\":{\"time_base\":\"");
	event_time__write(json, speedscope->begin_ns);
	json__raw(json, "\"");
	put_counts(json, &speedscope->counts);
	json__raw(json, "},\n\"shared\":{\"frames\":[");
}

static void put_frames(struct speedscope *speedscope)
{
	for (uint32_t i = 0; i < speedscope_frames__count(speedscope->frames); i++) {
		size_t bytes;
		const char *text = speedscope_frames__text(speedscope->frames, i, &bytes);
		struct json *json = export_out__room(speedscope->out, bytes + 2);

		if (!json)
			return;
		if (i)
			json__raw(json, ",");
		json__raw(json, "\n");
		json__bytes(json, text, bytes);
	}
}

/* ---- profiles */

struct writing {
	struct speedscope *speedscope;
	bool is_first;
};

static int put_event(void *context, const struct spooled *item)
{
	struct writing *writing = context;
	struct json *json = export_out__room(writing->speedscope->out, LINE_BYTES);

	if (!json)
		return writing->speedscope->out->err;
	if (!writing->is_first)
		json__raw(json, ",");
	writing->is_first = false;
	json__raw(json, "\n{\"type\":\"");
	*json->at++ = item->is_begin ? 'O' : 'C';
	json__raw(json, "\",\"frame\":");
	json__u64(json, item->number);
	json__raw(json, ",\"at\":");
	json__u64(json, item->ns - writing->speedscope->begin_ns);
	json__raw(json, "}");
	return 0;
}

/* "vm/steprun", and "vm/steprun (2)" for the second lane. */
static void put_name(struct json *json, const struct lane_group *group, const struct lane *lane)
{
	json__text(json, group->name, group->name_bytes);
	if (lane->number == 0)
		return;
	json->at--; /* the quote */
	json__raw(json, " (");
	json__u64(json, lane->number + 1);
	json__raw(json, ")\"");
}

static int put_profile(struct speedscope *speedscope, const struct lane *lane, bool is_first)
{
	const struct lane_group *group = &speedscope->lanes->groups[lane->group];
	struct writing writing = {speedscope, true};
	struct json *json =
		export_out__room(speedscope->out, LINE_BYTES + JSON_TEXT_BYTES(group->name_bytes));
	int err;

	if (!json)
		return speedscope->out->err;
	if (!is_first)
		json__raw(json, ",");
	json__raw(json, "\n{\"type\":\"evented\",\"name\":");
	put_name(json, group, lane);
	json__raw(json, ",\"unit\":\"nanoseconds\",\"startValue\":0,\"endValue\":");
	json__u64(json, speedscope->end_ns - speedscope->begin_ns);
	json__raw(json, ",\n\"events\":[");
	err = spool__read(&speedscope->spool, &lane->list, put_event, &writing);
	json = export_out__room(speedscope->out, 2);
	if (json)
		json__raw(json, "]}");
	return err;
}

/* A program's profiles are next to each other. */
static int put_profiles(struct speedscope *speedscope)
{
	struct lanes *lanes = speedscope->lanes;
	bool is_first = true;
	int err = 0;

	for (uint32_t group = 0; group < lanes->groups_count; group++)
		for (size_t i = 0; i < lanes->count && !err; i++)
			if (lanes->lanes[i].group == group) {
				err = put_profile(speedscope, &lanes->lanes[i], is_first);
				is_first = false;
			}
	return err;
}

int speedscope__write(struct speedscope *speedscope)
{
	struct json *json;
	int err;

	put_head(speedscope);
	put_frames(speedscope);
	json = export_out__room(speedscope->out, LINE_BYTES);
	if (json)
		json__raw(json, "]},\n\"profiles\":[");
	err = put_profiles(speedscope);
	json = export_out__room(speedscope->out, 4);
	if (json)
		json__raw(json, "]}\n");
	return err;
}
