// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_request.h"

#include <errno.h>

void otlp_request__free(struct otlp_request *request)
{
	for (size_t i = 0; i < OTLP_PARTS_MAX; i++) {
		json__free(&request->parts[i].resource);
		json__free(&request->parts[i].items);
	}
	json__free(&request->marks);
}

static void empty(struct json *json)
{
	json->at = json->base;
}

static int copy(struct json *to, const struct json *from)
{
	empty(to);
	if (json__reserve(to, json__length(from)))
		return -ENOMEM;
	json__bytes(to, from->base, json__length(from));
	return 0;
}

static struct otlp_part *part_of(struct otlp_request *request, const struct otlp_resource *resource)
{
	struct otlp_part *part = &request->parts[request->last_part];

	if (request->last_part < request->parts_count && part->version == resource->version)
		return part;
	for (size_t i = 0; i < request->parts_count; i++) {
		if (request->parts[i].version != resource->version)
			continue;
		request->last_part = i;
		return &request->parts[i];
	}
	if (request->parts_count == OTLP_PARTS_MAX)
		return NULL;
	part = &request->parts[request->parts_count];
	if (copy(&part->resource, &resource->text))
		return NULL;
	part->version = resource->version;
	empty(&part->items);
	request->last_part = request->parts_count++;
	return part;
}

struct json *otlp_request__items(struct otlp_request *request, const struct otlp_resource *resource)
{
	struct otlp_part *part = part_of(request, resource);

	return part ? &part->items : NULL;
}

void otlp_request__added(struct otlp_request *request, size_t bytes)
{
	request->items_count++;
	request->bytes += bytes;
}

int otlp_request__mark(struct otlp_request *request, const struct line_mark *mark)
{
	const struct otlp_mark entry = {.item = request->items_count, .mark = *mark};

	if (json__reserve(&request->marks, sizeof(entry)))
		return -ENOMEM;
	json__bytes(&request->marks, (const char *)&entry, sizeof(entry));
	return 0;
}

/* ---- the document */

struct words {
	const char *begin, *scopes, *items;
};

static const struct words words[OTLP_SIGNALS_COUNT] = {
	[OTLP_TRACES] = {"{\"resourceSpans\":[", "scopeSpans", "spans"},
	[OTLP_LOGS] = {"{\"resourceLogs\":[", "scopeLogs", "logRecords"},
};

static void put_part(struct json *body, const struct otlp_part *part, const struct words *word,
		     const char *version)
{
	json__raw(body, "{\"resource\":");
	json__bytes(body, part->resource.base, json__length(&part->resource));
	json__raw(body, ",\"");
	json__word(body, word->scopes);
	json__raw(body, "\":[{\"scope\":{\"name\":\"steptrace\",\"version\":\"");
	json__word(body, version);
	json__raw(body, "\"},\"");
	json__word(body, word->items);
	json__raw(body, "\":[");
	json__bytes(body, part->items.base, json__length(&part->items) - 1); /* without a comma */
	json__raw(body, "]}]},");
}

int otlp_request__write(const struct otlp_request *request, const char *version, struct json *body)
{
	const struct words *word = &words[request->signal];

	empty(body);
	if (json__reserve(body, 64))
		return -ENOMEM;
	json__word(body, word->begin);
	for (size_t i = 0; i < request->parts_count; i++) {
		const struct otlp_part *part = &request->parts[i];

		if (json__length(&part->items) == 0)
			continue;
		if (json__reserve(body, json__length(&part->resource) + json__length(&part->items) +
						strlen(version) + 256))
			return -ENOMEM;
		put_part(body, part, word, version);
	}
	if (body->at[-1] == ',')
		body->at--;
	json__raw(body, "]}");
	return 0;
}

static size_t room_of(const struct json *json)
{
	return (size_t)(json->limit - json->base);
}

void otlp_request__clear(struct otlp_request *request)
{
	size_t kept = 0;

	for (size_t i = 0; i < OTLP_PARTS_MAX; i++) {
		struct otlp_part *part = &request->parts[i];
		size_t bytes = room_of(&part->resource) + room_of(&part->items);

		if (kept + bytes <= OTLP_KEPT_BYTES_MAX) {
			kept += bytes;
			continue;
		}
		json__free(&part->resource);
		json__free(&part->items);
	}
	request->parts_count = request->last_part = 0;
	empty(&request->marks);
	request->items_count = 0;
	request->bytes = 0;
}
