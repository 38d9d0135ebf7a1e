// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/tree/tree_name.h"

#include <stdio.h>

#include "common/printable.h"

static void append(char *name, const char *word, struct recorded_text text)
{
	size_t used = strlen(name);

	if (!text.bytes && !*word)
		return;
	used += (size_t)snprintf(name + used, TREE_NAME_BYTES - used, "%s%s%s", used ? " " : "",
				 word, *word && text.bytes ? " " : "");
	if (text.bytes && used < TREE_NAME_BYTES)
		printable__copy(name + used, TREE_NAME_BYTES - used, text.text, text.bytes);
}

static struct recorded_text slug_of(const struct tree_node *node)
{
	const struct recorded_event *event = node->event ? node->event : node->start;

	return event ? event->command_slug : (struct recorded_text){"(not seen)", 10};
}

void tree_name__write(const struct tree_node *node, char name[TREE_NAME_BYTES])
{
	const struct recorded_text none = {NULL, 0};
	char number[32];

	name[0] = '\0';
	switch (node->kind) {
	case TREE_EXECUTION: append(name, "", slug_of(node)); break;
	case TREE_WAIT: append(name, "queue", node->event->queue_name); break;
	case TREE_STEP:
		append(name, "", node->event->step_name);
		append(name, "", node->event->step_type);
		break;
	case TREE_TOOL: append(name, "tool", node->event->tool_slug); break;
	case TREE_FRAGMENT:
		snprintf(number, sizeof(number), "fragment %lld",
			 (long long)node->event->fragment_id);
		append(name, number, none);
		append(name, "", node->event->operation);
		break;
	case TREE_OVERDUE: append(name, "overdue", none); break;
	case TREE_REJECTED: append(name, "rejected", node->event->reason); break;
	}
}

unsigned int tree_name__indent(const struct tree_node *node)
{
	return node->depth < TREE_INDENT_MAX / 2 ? 2 * node->depth : TREE_INDENT_MAX;
}
