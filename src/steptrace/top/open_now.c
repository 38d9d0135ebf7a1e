// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/open_now.h"

#include <string.h>

#include "steptrace/stream/executions.h"

void open_now__open(struct open_now *now)
{
	*now = (struct open_now){.looked = open_set__new()};
}

void open_now__close(struct open_now *now)
{
	open_set__free(now->looked);
	now->looked = NULL;
}

/* ---- looks */

void open_now__expect_look(struct open_now *now)
{
	if (now->looked)
		open_set__expect(now->looked);
}

void open_now__begin_look(struct open_now *now)
{
	if (now->looked)
		open_set__clear(now->looked);
}

static size_t append(char *key, size_t bytes, const char *text)
{
	size_t length = strlen(text) + 1;

	memcpy(key + bytes, text, length);
	return bytes + length;
}

/* The key of a command is "slug\0", that of a step "slug\0type\0name\0". */
void open_now__add(struct open_now *now, const struct open_item *item)
{
	char key[sizeof(item->slug) + sizeof(item->step_type) + sizeof(item->step_name)];
	size_t bytes = append(key, 0, item->slug);

	if (item->is_step) {
		bytes = append(key, bytes, item->step_type);
		bytes = append(key, bytes, item->step_name);
	}
	if (now->looked)
		open_set__add(now->looked, item, key, bytes);
}

void open_now__on_event(struct open_now *now, const struct event *event)
{
	if (now->looked)
		open_set__on_event(now->looked, event);
}

/* ---- both */

struct telling {
	struct open_now *now;
	void (*each)(void *context, const struct open_span_now *span);
	void *context;
};

static void see(const struct telling *telling, const uint8_t id[16])
{
	if (telling->now->looked)
		open_set__see(telling->now->looked, id, telling->now->round);
}

static void tell_execution(void *context, const struct execution *execution)
{
	const struct telling *telling = context;
	struct open_span_now span = {.command = execution->command.slug};

	span.since_ns = execution__since_ns(execution, &span.is_older);
	see(telling, execution->command.head.execution_id);
	telling->each(telling->context, &span);
}

static void tell_step(void *context, const struct execution *execution,
		      const struct begun_step *step)
{
	const struct telling *telling = context;
	const struct open_span_now span = {
		.command = execution->command.slug,
		.step_type = step->span.type,
		.step_name = step->span.name,
		.since_ns = step->record.time_ns,
	};

	see(telling, step->span.step_id);
	telling->each(telling->context, &span);
}

static void tell_looked(void *context, const char *key, size_t key_bytes,
			const struct open_value *value)
{
	const struct telling *telling = context;
	struct open_span_now span = {
		.command = key,
		.since_ns = value->seen_ns - value->age_ns,
		.is_older = !value->is_age_known,
	};

	if (value->has_ended || value->round == telling->now->round)
		return;
	if (strlen(key) + 1 < key_bytes) {
		span.step_type = key + strlen(key) + 1;
		span.step_name = span.step_type + strlen(span.step_type) + 1;
	}
	telling->each(telling->context, &span);
}

void open_now__each(struct open_now *now, const struct stream *stream,
		    void (*each)(void *context, const struct open_span_now *span), void *context)
{
	struct telling telling = {now, each, context};
	const struct open_visitor visitor = {tell_execution, tell_step, &telling};

	now->round++;
	stream__each_open(stream, &visitor);
	if (now->looked)
		open_set__each(now->looked, tell_looked, &telling);
}
