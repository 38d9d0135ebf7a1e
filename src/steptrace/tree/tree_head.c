// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/tree/tree_head.h"

#include "common/printable.h"
#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/duration_text.h"
#include "steptrace/stream/json.h"
#include "steptrace/tree/tree_name.h"

static void put_time(FILE *out, uint64_t ns)
{
	struct clock_anchor identity = {.formatted_s = 0};
	char text[CLOCK_TIMESTAMP_BYTES + 2] = "";
	struct json json = {.base = text, .at = text, .limit = text + sizeof(text)};

	clock_anchor__timestamp(&identity, &json, ns);
	fwrite(text, 1, json__length(&json), out);
}

static void put_word(FILE *out, const char *word, struct recorded_text text)
{
	char shown[256];

	if (text.bytes)
		fprintf(out, "  %s %s", word,
			printable__copy(shown, sizeof(shown), text.text, text.bytes));
}

/* What holds for a whole execution: the ids, when and where. */
static void put_execution(FILE *out, const struct tree_node *node)
{
	const struct recorded_event *event = node->start ? node->start : node->event;
	char name[TREE_NAME_BYTES];

	tree_name__write(node, name);
	fprintf(out, "%s", name);
	put_word(out, "execution", node->id);
	if (event)
		put_word(out, "correlation", event->correlation_id);
	fprintf(out, "\n  ");
	if (node->has_time)
		put_time(out, node->begin_ns);
	if (event) {
		put_word(out, "user", event->user_id);
		put_word(out, "from", event->request_source);
		if (RECORDED_HAS(event, pid))
			fprintf(out, "  pid %llu", (unsigned long long)event->pid);
		if (RECORDED_HAS(event, schedule_id))
			fprintf(out, "  schedule %lld run %lld", (long long)event->schedule_id,
				(long long)event->schedule_run_id);
		put_word(out, "queue", event->queue_name);
		if (event->dry_run)
			fprintf(out, "  dry run");
	}
	fputc('\n', out);
}

/* ---- ancestors */

static const char *name_of(const struct tree_ancestor *ancestor, bool is_read_once,
			   char name[TREE_NAME_BYTES])
{
	if (!ancestor->node && is_read_once)
		return "an execution that was not looked for (standard input is read once)";
	if (!ancestor->node)
		return "an execution that is not in the recording";
	tree_name__write(ancestor->node, name);
	return name;
}

/* "  started by dispatch  execution 9aec...  success  9.05 ms" */
static void put_ancestor(FILE *out, const struct tree_ancestor *ancestor, bool is_read_once)
{
	const struct recorded_event *event = ancestor->node ? ancestor->node->event : NULL;
	char name[TREE_NAME_BYTES], text[DURATION_TEXT_BYTES], shown[64];

	fprintf(out, "  started by %s", name_of(ancestor, is_read_once, name));
	put_word(out, "execution", ancestor->id);
	if (event && event->outcome_name.bytes)
		fprintf(out, "  %s",
			printable__copy(shown, sizeof(shown), event->outcome_name.text,
					event->outcome_name.bytes));
	if (event && RECORDED_HAS(event, duration_ns)) {
		duration_text__age(event->duration_ns, text);
		fprintf(out, "  %s", text);
	}
	fputc('\n', out);
}

void tree_head__write(FILE *out, const struct tree *tree, const struct tree_context *context)
{
	const struct tree_ancestors *ancestors = context->ancestors;

	for (size_t i = tree->first_root; i != TREE_NONE; i = tree__next(tree, i))
		if (tree->nodes[i].kind == TREE_EXECUTION && tree->nodes[i].role != FAMILY_ANCESTOR)
			put_execution(out, &tree->nodes[i]);
	for (size_t i = 0; i < ancestors->count; i++)
		put_ancestor(out, &ancestors->list[i], context->is_read_once);
	if (ancestors->is_circle)
		fprintf(out, "  ! the parents form a circle\n");
}
