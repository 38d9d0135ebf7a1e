// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "common/html_text.h"
#include "steptrace/flame/facts_text.h"
#include "steptrace/flame/json_out.h"
#include "steptrace/flame/page_parts.h"
#include "steptrace/flame/state_look.h"
#include "steptrace/flame/tree.h"
#include "steptrace/flame/writers.h"

static const struct {
	const char *text, *hash;
} scripts[] = {
	{flame_tree_js, flame_tree_js_hash},
	{flame_picture_js, flame_picture_js_hash},
	{flame_page_js, flame_page_js_hash},
};

enum { SCRIPTS_COUNT = sizeof(scripts) / sizeof(scripts[0]) };

/* ---- the page */

static void put_head(FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src '",
	      out);
	fprintf(out, "%s'; script-src", flame_page_css_hash);
	for (size_t i = 0; i < SCRIPTS_COUNT; i++)
		fprintf(out, " '%s'", scripts[i].hash);
	fputs("; base-uri 'none'; form-action 'none'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<title>steptrace profile</title>\n<style>",
	      out);
	fputs(flame_page_css, out);
	fputs("</style>\n</head>\n<body>\n", out);
}

static void put_sentences(FILE *out, const struct facts_text *text, bool is_loss)
{
	for (size_t i = 0; i < text->count; i++) {
		if (text->sentences[i].is_loss != is_loss)
			continue;
		fputs("<li>", out);
		html_text__write(out, text->sentences[i].text);
		fputs("</li>\n", out);
	}
}

static void put_facts(FILE *out, const struct folded_facts *facts)
{
	struct facts_text text;

	facts_text__write(&text, facts);
	fputs("<header>\n<h1>steptrace profile</h1>\n", out);
	if (text.sentences[0].is_loss) {
		fputs("<ul class=\"losses\" aria-label=\"What is missing\">\n", out);
		put_sentences(out, &text, true);
		fputs("</ul>\n", out);
	}
	fputs("<ul class=\"facts\" aria-label=\"What the profile covers\">\n", out);
	put_sentences(out, &text, false);
	fputs("</ul>\n</header>\n", out);
}

/* ---- the data: see tree.js */

static void put_states(struct json_out *out)
{
	json_out__word(out, "{\"states\":[");
	for (int state = 0; state < STACK_STATES_COUNT; state++) {
		const struct state_look *look = state_look__of((enum stack_state)state);

		json_out__text(out, state ? ",\n[" : "[", look->label);
		json_out__text(out, ",", look->user);
		json_out__text(out, ",", look->kernel);
		json_out__text(out, ",", look->dark_user);
		json_out__text(out, ",", look->dark_kernel);
		json_out__word(out, "]");
	}
}

static void put_names(struct json_out *out, const struct flame_names *names)
{
	json_out__word(out, "],\n\"names\":[");
	for (size_t i = 0; i < names->count; i++) {
		json_out__text(out, i ? ",\n" : "", names->list[i].text);
		json_out__number(out, ",", names->list[i].kind);
		json_out__text(out, ",", names->list[i].module);
	}
}

/* The nodes from the root down to the one that is being looked at, by depth. */
struct walk {
	const struct flame_tree *tree;
	uint32_t *path;
	uint32_t written; /* depth of the deepest node of the path that has been written */
	bool has_rows;
};

/* What is new in the path, and the time of its last node without children. */
static void put_row(struct json_out *out, struct walk *walk, uint32_t depth)
{
	const struct flame_node *nodes = walk->tree->nodes, *last = &nodes[walk->path[depth]];

	json_out__number(out, walk->has_rows ? ",\n" : "", walk->written);
	json_out__number(out, ",", depth - walk->written);
	json_out__number(out, ",", last->self_ns);
	json_out__number(out, ",", last->self_samples);
	while (walk->written < depth) {
		const struct flame_node *node = &nodes[walk->path[++walk->written]];

		json_out__number(out, ",",
				 (uint64_t)node->name * (STACK_STATES_COUNT + 1) + node->state);
	}
	walk->has_rows = true;
}

/* The next node of the walk from the outside inwards: the child, or the sibling of the node or of
 * its nearest parent that has one. TREE_NONE at the end. */
static uint32_t next_node(const struct walk *walk, uint32_t number)
{
	const struct flame_node *nodes = walk->tree->nodes;
	uint32_t depth = nodes[number].depth;

	if (nodes[number].child != TREE_NONE)
		return nodes[number].child;
	while (depth && nodes[walk->path[depth]].sibling == TREE_NONE)
		depth--;
	return depth ? nodes[walk->path[depth]].sibling : (uint32_t)TREE_NONE;
}

static void put_rows(struct json_out *out, struct walk *walk)
{
	const struct flame_node *nodes = walk->tree->nodes;
	uint32_t number = next_node(walk, 0);

	json_out__word(out, "],\n\"rows\":[");
	for (; number != TREE_NONE; number = next_node(walk, number)) {
		uint32_t depth = nodes[number].depth;

		walk->path[depth] = number;
		if (walk->written >= depth)
			walk->written = depth - 1;
		if (nodes[number].self_ns || nodes[number].child == TREE_NONE)
			put_row(out, walk, depth);
	}
	json_out__word(out, "]}");
}

static int put_data(FILE *file, const struct flame_rows *rows)
{
	struct flame_tree tree;
	struct walk walk = {.tree = &tree};
	struct json_out out;
	int err = flame_tree__init(&tree, rows);

	if (err)
		return err;
	walk.path = calloc(tree.depth + 1, sizeof(*walk.path));
	json_out__init(&out, file);
	put_states(&out);
	put_names(&out, &rows->names);
	if (walk.path)
		put_rows(&out, &walk);
	err = walk.path ? 0 : -ENOMEM;
	free(walk.path);
	flame_tree__free(&tree);
	return json_out__end(&out) ?: err;
}

int html__write(FILE *out, const struct flame_rows *rows, const struct folded_facts *facts)
{
	int err;

	put_head(out);
	put_facts(out, facts);
	fputs(flame_page_html, out);
	fputs("<script type=\"application/json\" id=\"profile\">", out);
	err = put_data(out, rows);
	fputs("</script>\n", out);
	for (size_t i = 0; i < SCRIPTS_COUNT; i++)
		fprintf(out, "<script>%s</script>\n", scripts[i].text);
	fputs("</body>\n</html>\n", out);
	return err;
}
