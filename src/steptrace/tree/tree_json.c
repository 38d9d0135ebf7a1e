// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/json.h"
#include "steptrace/tree/tree_output.h"

/*
 * {"id":"9aec...","lost":0,"left_out":0,"parent":null,"ancestors":[],"circle":false,"nodes":[
 *  {"kind":"execution","depth":0,"parent":null,"id":"9aec...","role":"selected",
 *   "begin":"2026-...","end":"2026-...","start":{...the event...},"event":{...the event...}},
 *  ...]}
 */

enum { NODE_BYTES = 512 };

const char *tree_kind__name(enum tree_kind kind)
{
	static const char *const names[] = {
		[TREE_EXECUTION] = "execution", [TREE_WAIT] = "wait",
		[TREE_STEP] = "step",           [TREE_TOOL] = "tool",
		[TREE_FRAGMENT] = "fragment",   [TREE_OVERDUE] = "overdue",
		[TREE_REJECTED] = "rejected",
	};

	return names[kind];
}

static const char *const role_names[] = {
	[FAMILY_NONE] =
		"selected", /* an event of the correlation without an execution that began */
	[FAMILY_SELECTED] = "selected",
	[FAMILY_ANCESTOR] = "ancestor",
	[FAMILY_DESCENDANT] = "descendant",
};

static void put_time(struct json *json, uint64_t ns, bool is_known)
{
	struct clock_anchor identity = {.formatted_s = 0};

	if (!is_known) {
		json__raw(json, "null");
		return;
	}
	json__raw(json, "\"");
	clock_anchor__timestamp(&identity, json, ns);
	json__raw(json, "\"");
}

static void put_event(struct json *json, const struct recorded_event *event)
{
	if (event)
		json__bytes(json, event->line.text, event->line.bytes);
	else
		json__raw(json, "null");
}

static void put_text(struct json *json, struct recorded_text text)
{
	if (text.text)
		json__text(json, text.text, text.bytes);
	else
		json__raw(json, "null");
}

/* `number` of a node is its place in the list. */
static int put_node(struct json *json, const struct tree_node *node, const size_t *numbers)
{
	size_t bytes = NODE_BYTES + JSON_TEXT_BYTES(node->id.bytes);

	bytes += node->event ? node->event->line.bytes : 0;
	bytes += node->start ? node->start->line.bytes : 0;
	if (json__reserve(json, bytes))
		return -ENOMEM;
	json__raw(json, "{\"kind\":\"");
	json__word(json, tree_kind__name(node->kind));
	json__raw(json, "\",\"depth\":");
	json__u64(json, node->depth);
	json__raw(json, ",\"parent\":");
	if (node->parent == TREE_NONE)
		json__raw(json, "null");
	else
		json__u64(json, numbers[node->parent]);
	json__raw(json, ",\"id\":");
	put_text(json, node->id);
	if (node->kind == TREE_EXECUTION) {
		json__raw(json, ",\"role\":\"");
		json__word(json, role_names[node->role]);
		json__raw(json, "\"");
	}
	json__raw(json, ",\"begin\":");
	put_time(json, node->begin_ns, node->has_begin && node->has_time);
	json__raw(json, ",\"end\":");
	put_time(json, node->end_ns, node->has_end && node->has_time);
	json__raw(json, ",\"start\":");
	put_event(json, node->start);
	json__raw(json, ",\"event\":");
	put_event(json, node->kind == TREE_WAIT ? NULL : node->event);
	json__raw(json, "}");
	return 0;
}

/* {"execution_id":"9aec...","command":"dispatch","outcome":"success","duration_ms":9.05} */
static int put_ancestor(struct json *json, const struct tree_ancestor *ancestor)
{
	const struct recorded_event none = {.kind = RECORDED_OTHER};
	const struct tree_node *node = ancestor->node;
	const struct recorded_event *event = node && node->event ? node->event : &none;
	struct recorded_text slug =
		node && node->start ? node->start->command_slug : event->command_slug;

	if (json__reserve(json, NODE_BYTES + JSON_TEXT_BYTES(ancestor->id.bytes + slug.bytes +
							     event->outcome_name.bytes)))
		return -ENOMEM;
	json__raw(json, "{\"execution_id\":");
	put_text(json, ancestor->id);
	json__raw(json, ",\"command\":");
	put_text(json, slug);
	json__raw(json, ",\"outcome\":");
	put_text(json, event->outcome_name);
	json__raw(json, ",\"duration_ms\":");
	if (RECORDED_HAS(event, duration_ns))
		json__milliseconds(json, event->duration_ns);
	else
		json__raw(json, "null");
	json__raw(json, "}");
	return 0;
}

/* The parent comes first, and has a member of its own. */
static int put_ancestors(struct json *json, const struct tree_ancestors *ancestors)
{
	int err = 0;

	json__raw(json, ",\"parent\":");
	if (ancestors->count)
		err = put_ancestor(json, &ancestors->list[0]);
	else
		json__raw(json, "null");
	if (err || json__reserve(json, NODE_BYTES))
		return -ENOMEM;
	json__raw(json, ",\"ancestors\":[");
	for (size_t i = 0; i < ancestors->count && !err; i++) {
		if (i)
			json__raw(json, ",");
		err = put_ancestor(json, &ancestors->list[i]);
	}
	return err || json__reserve(json, NODE_BYTES) ? -ENOMEM : 0;
}

static int put_head(struct json *json, const struct tree *tree, const struct tree_context *context)
{
	if (json__reserve(json, NODE_BYTES + JSON_TEXT_BYTES(SELECTION_ID_BYTES)))
		return -ENOMEM;
	json__raw(json, "{\"id\":");
	json__text(json, context->id, strlen(context->id));
	json__raw(json, ",\"lost\":");
	json__u64(json, tree->lost);
	json__raw(json, ",\"left_out\":");
	json__u64(json, context->selection->left_out);
	if (put_ancestors(json, context->ancestors))
		return -ENOMEM;
	json__raw(json, "],\"circle\":");
	json__bool(json, context->ancestors->is_circle);
	json__raw(json, ",\"nodes\":[");
	return 0;
}

static int put_nodes(FILE *out, struct json *json, const struct tree *tree)
{
	size_t *numbers = calloc(tree->count + 1, sizeof(*numbers)), number = 0;
	int err = 0;

	if (!numbers)
		return -ENOMEM;
	for (size_t i = tree->first_root; i != TREE_NONE && !err; i = tree__next(tree, i)) {
		numbers[i] = number++;
		fwrite(json->base, 1, json__length(json), out);
		fputs(number > 1 ? ",\n" : "\n", out);
		json->at = json->base;
		err = put_node(json, &tree->nodes[i], numbers);
	}
	free(numbers);
	return err;
}

int tree_json__write(FILE *out, const struct tree *tree, const struct tree_context *context)
{
	struct json json;
	int err = json__init(&json, 4096);

	if (err)
		return err;
	err = put_head(&json, tree, context);
	if (!err)
		err = put_nodes(out, &json, tree);
	if (!err) {
		fwrite(json.base, 1, json__length(&json), out);
		fputs("\n]}\n", out);
	}
	json__free(&json);
	return err;
}
