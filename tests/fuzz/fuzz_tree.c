// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shows any bytes as a recording in the tree of an id: every node is shown once, below its parent;
 * the JSON is JSON, and the text is printable.
 *
 *	input:  the columns of the terminal in a byte, an id up to a newline, then the lines of the
 *		recording
 *
 * links: src/steptrace/recording/recorded_[a-hj-z]*.c src/steptrace/tree/[a-z]*.c
 * links: STREAM -lcjson
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "steptrace/recording/recorded_line.h"
#include "steptrace/tree/tree_output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void feed(struct selection *selection, struct family *family, const char *text, size_t bytes)
{
	struct recorded_line reader = {.room = NULL};
	const char *end = text + bytes;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = newline ? (size_t)(newline - text) : (size_t)(end - text);
		struct recorded_event event = {.place = {.file = "fuzz", .line = 1}};

		if (recorded_line__read(&reader, &event, text, line) == 0) {
			require(selection__add(selection, &event) == 0);
			if (!selection->family)
				require(family__note(family, &event) == 0);
		}
		text += line + 1;
	}
	recorded_line__free(&reader);
}

/* ---- the tree and what is written of it */

static void check_order(const struct tree *tree)
{
	size_t shown = 0;

	for (size_t i = tree->first_root; i != TREE_NONE; i = tree__next(tree, i)) {
		const struct tree_node *node = &tree->nodes[i];

		require(++shown <= tree->count);
		require(node->depth ==
			(node->parent == TREE_NONE ? 0 : tree->nodes[node->parent].depth + 1));
	}
	require(shown == tree->count);
}

static void check_json(const struct tree *tree, const struct tree_context *context)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	cJSON *json;

	require(tree_json__write(out, tree, context) == 0 && fclose(out) == 0);
	json = cJSON_Parse(text);
	require(cJSON_IsObject(json));
	require((size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "nodes")) ==
		tree->count);
	require((size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "ancestors")) ==
		context->ancestors->count);
	cJSON_Delete(json);
	free(text);
}

static void check_text(const struct tree *tree, const struct tree_context *context,
		       unsigned int columns)
{
	const struct tree_style style = {.columns = 60 + columns, .is_utf8 = columns % 2};
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	require(tree_text__write(out, tree, context, &style) == 0 && fclose(out) == 0);
	for (size_t i = 0; i < bytes; i++)
		require((unsigned char)text[i] >= 0x20 || text[i] == '\n');
	free(text);
}

static void show(const struct tree *tree, const struct selection *selection,
		 const struct family *family, const char *id, unsigned int columns)
{
	struct tree_ancestors ancestors;
	const struct tree_context context = {
		.id = id,
		.selection = selection,
		.family = family,
		.ancestors = &ancestors,
		.is_read_once = columns % 3 == 0,
	};

	tree_ancestors__find(&ancestors, tree);
	check_order(tree);
	check_json(tree, &context);
	check_text(tree, &context, columns);
}

/* ---- both readings, as steptrace trace does them */

static void select_family(struct selection *selection, struct family *family, const char *id,
			  const char *text, size_t bytes, unsigned int columns)
{
	struct tree tree;

	require(tree__make(&tree, selection, id) == 0);
	show(&tree, selection, family, id, columns);
	for (size_t i = 0; i < tree.count; i++)
		if (tree.nodes[i].kind == TREE_EXECUTION)
			family__add(family, tree.nodes[i].id);
	family__resolve(family);
	tree__free(&tree);
	selection__free(selection);
	selection__init(selection, id);
	selection->family = family;
	feed(selection, family, text, bytes);
	require(tree__make(&tree, selection, id) == 0);
	show(&tree, selection, family, id, columns);
	tree__free(&tree);
}

static void run(const char *wanted, const char *text, size_t bytes, unsigned int columns)
{
	static struct selection selection;
	static struct family family;
	char id[SELECTION_ID_BYTES + 1];
	struct error err = {""};
	const char *found;

	selection__init(&selection, wanted);
	family__init(&family);
	feed(&selection, &family, text, bytes);
	found = selection__id(&selection, &err);
	require(found || err.text[0]);
	if (found) {
		snprintf(id, sizeof(id), "%s", found);
		select_family(&selection, &family, id, text, bytes, columns);
	}
	selection__free(&selection);
	family__free(&family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size > 1 ? memchr(data + 1, '\n', size - 1) : NULL;
	char wanted[SELECTION_ID_BYTES + 1] = "";
	size_t bytes = newline ? (size_t)(newline - data - 1) : 0;

	if (!newline)
		return 0;
	memcpy(wanted, data + 1, bytes < SELECTION_ID_BYTES ? bytes : SELECTION_ID_BYTES);
	run(wanted, (const char *)newline + 1, size - bytes - 2, data[0]);
	return 0;
}
