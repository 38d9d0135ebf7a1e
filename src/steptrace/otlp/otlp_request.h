/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one POST sends: spans, or log records, by resource; and for each event that is in it its
 * mark, so that a refused or lost request can be counted in events.
 *
 *	items	span 0, span 1, span 2
 *	marks	started -> 0, completed -> 0, step -> 1, fragment -> 2, step -> 2
 *
 * A receiver may refuse some items and not say which: the last ones are taken for refused.
 */
#ifndef STEPTRACE_OTLP_REQUEST_H
#define STEPTRACE_OTLP_REQUEST_H

#include "steptrace/otlp/otlp_resources.h"
#include "steptrace/stream/lines.h"

enum otlp_signal { OTLP_TRACES, OTLP_LOGS, OTLP_SIGNALS_COUNT };

/* The half of them is enough for one event, all held events of one command, and one more start. */
enum { OTLP_PARTS_MAX = 144 };

/* What an empty request keeps of the memory of its parts. */
enum { OTLP_KEPT_BYTES_MAX = 8 << 20 };

struct otlp_part {
	uint64_t version; /* of the resource */
	struct json resource, items;
};

struct otlp_mark {
	uint32_t item;
	struct line_mark mark;
};

struct otlp_request {
	enum otlp_signal signal;
	struct otlp_part parts[OTLP_PARTS_MAX];
	size_t parts_count, last_part;
	struct json marks; /* an array of struct otlp_mark */
	uint32_t items_count;
	size_t bytes; /* of the items */
};

void otlp_request__free(struct otlp_request *request);

static inline bool otlp_request__is_empty(const struct otlp_request *request)
{
	return request->items_count == 0;
}

/* It has to be sent, because there may be no room for the resources of the next event: with it,
 * held events of other processes may become log records. */
static inline bool otlp_request__is_full(const struct otlp_request *request)
{
	return request->parts_count >= OTLP_PARTS_MAX / 2;
}

/* Where the next item of the resource is to be appended, with a comma behind it; then
 * otlp_request__added(). NULL: no memory, or no room for another resource. */
struct json *otlp_request__items(struct otlp_request *request,
				 const struct otlp_resource *resource);

/* The item is there; `bytes` are its bytes. */
void otlp_request__added(struct otlp_request *request, size_t bytes);

/* The event is in the item that will be added next. 0 or -ENOMEM. */
int otlp_request__mark(struct otlp_request *request, const struct line_mark *mark);

static inline size_t otlp_request__marks_count(const struct otlp_request *request)
{
	return json__length(&request->marks) / sizeof(struct otlp_mark);
}

static inline const struct otlp_mark *otlp_request__marks(const struct otlp_request *request)
{
	return (const struct otlp_mark *)request->marks.base;
}

/* Writes the whole document to `body`, from its beginning on. 0 or -ENOMEM. */
int otlp_request__write(const struct otlp_request *request, const char *version, struct json *body);

/* Empties it; keeps memory for the next items. */
void otlp_request__clear(struct otlp_request *request);

#endif
