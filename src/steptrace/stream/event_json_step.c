// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lines about what happens within a command: dsl.step.executed, tool.invocation.completed and
 * fragment.changed.
 */
#include "steptrace/stream/event_json_parts.h"
#include "steptrace/stream/termination.h"

/* ---- dsl.step.executed */

static void step_seed(struct json *json, const struct event *event)
{
	const struct step_span *step = event->step;

	put_shared_ids(json, event->execution);
	json__raw(json, ",\"step_id\":");
	put_id(json, step->step_id);
	json__raw(json, ",\"step_type\":");
	TEXT(json, step->type);
	json__raw(json, ",");
	put_slug(json, event->execution);
	json__raw(json, ",\"fragment_id\":");
	if (step->child.head.flags & SPAN_FRAGMENT_ID)
		json__i64(json, step->fragment_id);
	else
		json__raw(json, "null");
	json__raw(json, ",\"duration_ms\":");
	put_duration(json, event);
	json__raw(json, ",\"mutations_count\":");
	json__u64(json, step->mutations_count);
	put_dry_run(json, event);
	put_outcome(json, step->outcome);
	json__raw(json, ",");
	put_user(json, event->execution);
}

static void put_ai(struct json *json, const struct step_span *step)
{
	const char *cache = ai_cache__name(step->ai_cache);

	if (!cache)
		return;
	json__raw(json, ",\"ai\":{\"cache\":\"");
	json__word(json, cache);
	json__raw(json, "\",\"prompt_tokens\":");
	json__u64(json, step->prompt_tokens);
	json__raw(json, ",\"completion_tokens\":");
	json__u64(json, step->completion_tokens);
	json__raw(json, "}");
}

static void step_more(struct json *json, const struct event *event)
{
	const struct step_span *step = event->step;

	json__raw(json, ",\"step\":{\"name\":");
	TEXT(json, step->name);
	json__raw(json, ",\"index\":");
	json__u64(json, step->index);
	json__raw(json, ",\"depth\":");
	json__u64(json, step->depth);
	json__raw(json, ",\"parent_step_id\":");
	put_id_or_null(json, step->parent_step_id);
	json__raw(json, "}");
	put_error_category(json, step->outcome, step->error_category);
	put_suspended(json, event);
	event_json__put_cpu(json, event);
	if (event->termination) { /* the rest is known only when a step ends by itself */
		json__raw(json, ",\"aborted\":{");
		termination__json(event->termination, json);
		json__raw(json, "}");
		return;
	}
	if (step->child.head.flags & SPAN_ITEMS) {
		json__raw(json, ",\"items\":{\"in\":");
		json__u64(json, step->items_in);
		json__raw(json, ",\"out\":");
		json__u64(json, step->items_out);
		json__raw(json, "}");
	}
	put_ai(json, step);
}

const struct event_json_form event_json_step = {
	.put_seed = step_seed,
	.put_more = step_more,
};

/* ---- tool.invocation.completed */

static void tool_seed(struct json *json, const struct event *event)
{
	const struct tool_span *tool = event->tool;

	put_shared_ids(json, event->execution);
	json__raw(json, ",");
	put_slug(json, event->execution);
	json__raw(json, ",");
	put_user(json, event->execution);
	json__raw(json, ",\"step_id\":");
	put_id_or_null(json, tool->step_id);
	json__raw(json, ",\"invocation_id\":");
	put_id(json, tool->invocation_id);
	json__raw(json, ",\"tool_slug\":");
	TEXT(json, tool->slug);
	json__raw(json, ",\"duration_ms\":");
	put_duration(json, event);
	put_outcome(json, tool->outcome);
	json__raw(json, ",\"exit_status\":");
	if (tool->child.head.flags & SPAN_EXIT_STATUS)
		json__i64(json, tool->exit_status);
	else
		json__raw(json, "null");
}

const struct event_json_form event_json_tool = {
	.put_seed = tool_seed,
};

/* ---- fragment.changed */

static void fragment_seed(struct json *json, const struct event *event)
{
	const struct fragment_span *fragment = event->fragment;

	put_shared_ids(json, event->execution);
	json__raw(json, ",");
	put_slug(json, event->execution);
	json__raw(json, ",");
	put_user(json, event->execution);
	json__raw(json, ",\"step_id\":");
	put_id_or_null(json, fragment->step_id);
	json__raw(json, ",\"fragment_id\":");
	json__i64(json, fragment->fragment_id);
	json__raw(json, ",\"operation\":\"");
	json__word(json, operation__name(fragment->operation));
	json__raw(json, "\"");
}

const struct event_json_form event_json_fragment = {
	.put_seed = fragment_seed,
};
