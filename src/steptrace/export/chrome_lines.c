// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/chrome_lines.h"

#include "steptrace/export/event_values.h"

/* For everything in a line but its texts. */
enum { LINE_BYTES = 512 };

static const uint64_t day_ns = 86400ull * 1000000000;

void chrome_lines__begin(struct chrome_lines *lines)
{
	struct json *json = export_out__room(lines->out, LINE_BYTES);

	if (json)
		json__raw(json, "{\"traceEvents\":[\n");
}

void chrome_lines__base(struct chrome_lines *lines, uint64_t ns)
{
	if (lines->base_ns == 0)
		lines->base_ns = ns < 2 * day_ns ? 1 : (ns / day_ns - 1) * day_ns;
}

/* ---- members that several lines have */

static void put_time(const struct chrome_lines *lines, struct json *json, uint64_t ns)
{
	uint64_t distance = ns >= lines->base_ns ? ns - lines->base_ns : lines->base_ns - ns;

	json__raw(json, ",\"ts\":");
	if (ns < lines->base_ns)
		json__raw(json, "-");
	json__u64(json, distance / 1000);
	json__raw(json, ".");
	*json->at++ = (char)('0' + distance / 100 % 10);
	*json->at++ = (char)('0' + distance / 10 % 10);
	*json->at++ = (char)('0' + distance % 10);
}

static void put_head(struct json *json, char phase, const struct chrome_place *place)
{
	json__raw(json, "{\"ph\":\"");
	*json->at++ = phase;
	json__raw(json, "\",\"pid\":");
	json__u64(json, place->process);
	json__raw(json, ",\"tid\":");
	json__u64(json, place->tid);
}

static void put_category(struct json *json, const char *category)
{
	json__raw(json, ",\"cat\":\"");
	json__word(json, category);
	json__raw(json, "\"");
}

static void put_id(struct json *json, const struct chrome_id *id)
{
	json__raw(json, ",\"id\":");
	json__text(json, id->text, id->bytes);
	json->at--; /* the quote */
	if (id->lane) {
		json__raw(json, "/");
		json__u64(json, (uint64_t)id->lane + 1);
	}
	if (id->part) {
		json__raw(json, "#");
		json__u64(json, id->part + 1);
	}
	json__raw(json, "\"");
}

static void put_end(struct json *json)
{
	json__raw(json, "},\n");
}

/* ---- lines */

void chrome_lines__name(struct chrome_lines *lines, const char *kind,
			const struct chrome_place *place, const char *name, size_t bytes)
{
	struct json *json = export_out__room(lines->out, LINE_BYTES + bytes);

	if (!json)
		return;
	put_head(json, 'M', place);
	json__raw(json, ",\"name\":\"");
	json__word(json, kind);
	json__raw(json, "\",\"args\":{\"name\":");
	json__bytes(json, name, bytes);
	json__raw(json, "}");
	put_end(json);
}

/* Negative: to an earlier time. */
static void put_moved(struct json *json, uint64_t from_ns, uint64_t to_ns)
{
	json__raw(json, ",\"begin_moved_ms\":");
	if (to_ns < from_ns)
		json__raw(json, "-");
	json__milliseconds(json, to_ns < from_ns ? from_ns - to_ns : to_ns - from_ns);
}

static void put_body(struct json *json, const struct span *span)
{
	json__bytes(json, span->body, span->body_bytes);
	if (span->given_ns && span->given_ns != span->begin_ns)
		put_moved(json, span->given_ns, span->begin_ns);
	json__raw(json, "}");
}

void chrome_lines__span(struct chrome_lines *lines, char phase, const char *category,
			const struct chrome_id *id, const struct chrome_place *place,
			const struct span *span)
{
	size_t bytes = LINE_BYTES + JSON_TEXT_BYTES(id->bytes) + span->body_bytes;
	struct json *json = export_out__room(lines->out, bytes);

	if (!json)
		return;
	put_head(json, phase, place);
	put_category(json, category);
	put_id(json, id);
	put_time(lines, json, phase == 'b' ? span->begin_ns : span->end_ns);
	json__raw(json, ",");
	if (phase == 'e')
		json__bytes(json, span->body, span->name_bytes);
	else
		put_body(json, span);
	put_end(json);
}

void chrome_lines__instant(struct chrome_lines *lines, const struct chrome_place *place,
			   uint64_t ns, const char *body, size_t bytes)
{
	struct json *json = export_out__room(lines->out, LINE_BYTES + bytes);

	if (!json)
		return;
	put_head(json, 'i', place);
	json__raw(json, ",\"s\":\"t\"");
	put_time(lines, json, ns);
	json__raw(json, ",");
	json__bytes(json, body, bytes);
	json__raw(json, "}");
	put_end(json);
}

static void put_anchor(struct chrome_lines *lines, char phase, const char *category,
		       const struct chrome_place *place, uint64_t ns, struct recorded_text slug)
{
	struct json *json = export_out__room(lines->out, LINE_BYTES + JSON_TEXT_BYTES(slug.bytes));

	if (!json)
		return;
	put_head(json, 'X', place);
	put_category(json, category);
	put_time(lines, json, ns);
	json__raw(json, ",\"dur\":0.001,\"name\":");
	json__text(json, slug.text, slug.bytes);
	json__raw(json, ",\"args\":{\"kind\":");
	if (phase == 's')
		json__raw(json, "\"flow from here\"}");
	else
		json__raw(json, "\"flow to here\"}");
	put_end(json);
}

void chrome_lines__flow(struct chrome_lines *lines, char phase, const char *category,
			uint64_t number, const struct chrome_place *place, uint64_t ns,
			struct recorded_text slug)
{
	struct json *json;

	put_anchor(lines, phase, category, place, ns, slug);
	json = export_out__room(lines->out, LINE_BYTES);
	if (!json)
		return;
	put_head(json, phase, place);
	put_category(json, category);
	put_time(lines, json, ns);
	if (phase == 'f')
		json__raw(json, ",\"bp\":\"e\"");
	json__raw(json, ",\"id\":");
	json__u64(json, number);
	json__raw(json, ",\"name\":\"");
	json__word(json, category);
	json__raw(json, "\"");
	put_end(json);
}

void chrome_lines__counter(struct chrome_lines *lines, const struct chrome_place *place,
			   uint64_t ns, uint64_t value)
{
	struct json *json = export_out__room(lines->out, LINE_BYTES);

	if (!json)
		return;
	put_head(json, 'C', place);
	put_time(lines, json, ns);
	json__raw(json, ",\"name\":\"open executions\",\"args\":{\"open\":");
	json__u64(json, value);
	json__raw(json, "}");
	put_end(json);
}

/* Every event ends with a comma. Names of processes are no events of a time, so one more of them
 * ends the list. */
void chrome_lines__end(struct chrome_lines *lines, const struct chrome_count *counts, size_t count)
{
	struct json *json = export_out__room(lines->out, LINE_BYTES + 64 * count);

	if (!json)
		return;
	json__raw(json, "{\"ph\":\"M\",\"pid\":0,\"name\":\"process_name\","
			"\"args\":{\"name\":\"further processes\"}}\n"
			"],\"displayTimeUnit\":\"ms\",\"otherData\":{\"time_base\":\"");
	event_time__write(json, lines->base_ns);
	json__raw(json, "\"");
	for (size_t i = 0; i < count; i++) {
		json__raw(json, ",\"");
		json__word(json, counts[i].name);
		json__raw(json, "\":");
		json__u64(json, counts[i].value);
	}
	json__raw(json, "}}\n");
}
