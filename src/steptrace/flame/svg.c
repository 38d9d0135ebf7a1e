// SPDX-License-Identifier: BSD-2-Clause
#include <inttypes.h>
#include <string.h>

#include "steptrace/flame/facts_text.h"
#include "steptrace/flame/state_look.h"
#include "steptrace/flame/svg_layout.h"
#include "steptrace/flame/svg_text.h"
#include "steptrace/flame/writers.h"
#include "steptrace/stream/duration_text.h"

/* Pixels, but for the columns. */
enum {
	PAGE_WIDTH = 1200,
	MARGIN = 16,
	BOXES_WIDTH = PAGE_WIDTH - 2 * MARGIN,
	ROW = 17,
	BOX = 16,
	LINE = 17,
	HEAD = 52, /* y of the first line below the heading */
	TITLE_COLUMNS = 200,
};

/* A character of the fixed-width font of 11 pixels: 0.6 em, and a little more for other fonts. */
static const double column_width = 6.7;

struct svg {
	FILE *out;
	const struct flame_rows *rows;
	struct flame_tree tree;
	struct svg_layout layout;
	struct facts_text facts;
	uint64_t state_ns[STACK_STATES_COUNT];
	struct {
		int x, line;
	} legend[STACK_STATES_COUNT];
	int legend_lines;
	int base; /* y of the root's box, which is the lowest one */
};

static double percent(const struct svg *svg, uint64_t time_ns)
{
	uint64_t total = svg->tree.nodes[0].time_ns;

	return total ? 100.0 * (double)time_ns / (double)total : 0;
}

/* "1.20 s, 84.5 % of the time" */
static void put_time(const struct svg *svg, uint64_t time_ns)
{
	char time[DURATION_TEXT_BYTES];

	duration_text__age(time_ns, time);
	fprintf(svg->out, "%s, %.1f %% of the time", time, percent(svg, time_ns));
}

/* ---- the head */

static void put_line(const struct svg *svg, int y, const char *text, bool is_loss)
{
	fprintf(svg->out, "<text x=\"%d\" y=\"%d\"%s>", MARGIN, y,
		is_loss ? " fill=\"#9b1c1c\" font-weight=\"bold\"" : "");
	svg_text__put(svg->out, text, TITLE_COLUMNS);
	fputs("</text>\n", svg->out);
}

static int put_facts(const struct svg *svg, int y)
{
	char text[FACTS_SENTENCE_BYTES], count[COUNT_TEXT_BYTES];

	for (size_t i = 0; i < svg->facts.count; i++, y += LINE)
		put_line(svg, y, svg->facts.sentences[i].text, svg->facts.sentences[i].is_loss);
	if (svg->layout.not_drawn_count) {
		snprintf(
			text, sizeof(text),
			"%s boxes are narrower than %.1f pixels. Neighbours of these are drawn "
			"together, without a name, where they fill that much; others are left out.",
			count_text__write(svg->layout.not_drawn_count, count),
			svg->layout.least_width);
		put_line(svg, y, text, false);
		y += LINE;
	}
	return y;
}

/* An item fills this many pixels: two squares, and the text in a font that is not fixed. */
static int legend_width(enum stack_state state)
{
	size_t columns = strlen("1.23 ms, 12.3 %") + strlen(state_look__of(state)->label);

	return 46 + 6 * (int)columns;
}

/* Says where each item of the legend is, from the line 0 on. */
static void place_legend(struct svg *svg)
{
	int x = MARGIN, line = 0;

	for (int state = 0; state < STACK_STATES_COUNT; state++) {
		if (svg->state_ns[state] == 0)
			continue;
		if (x > MARGIN && x + legend_width(state) > PAGE_WIDTH - MARGIN) {
			x = MARGIN;
			line++;
		}
		svg->legend[state].x = x;
		svg->legend[state].line = line;
		x += legend_width(state);
	}
	svg->legend_lines = line + 2; /* the last one is about the colours */
}

/* "[][] lock 1.20 s, 84.5 %" */
static void put_legend_item(const struct svg *svg, enum stack_state state, int x, int y)
{
	const struct state_look *look = state_look__of(state);
	char time[DURATION_TEXT_BYTES];

	duration_text__age(svg->state_ns[state], time);
	fprintf(svg->out,
		"<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\" fill=\"%s\"/>"
		"<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" rx=\"2\" fill=\"%s\"/>"
		"<text x=\"%d\" y=\"%d\">%s %s, %.1f %%</text>\n",
		x, y - 10, look->user, x + 13, y - 10, look->kernel, x + 30, y, look->label, time,
		percent(svg, svg->state_ns[state]));
}

static void put_legend(const struct svg *svg, int y)
{
	int last = y + (svg->legend_lines - 1) * LINE;

	put_line(svg, last, "The darker colour of each pair: functions of the kernel.", false);
	for (int state = 0; state < STACK_STATES_COUNT; state++)
		if (svg->state_ns[state])
			put_legend_item(svg, state, svg->legend[state].x,
					y + svg->legend[state].line * LINE);
}

/* ---- the boxes */

static const char *fill_of(const struct svg *svg, const struct flame_node *node)
{
	const struct state_look *look;

	if (node->name == TREE_NONE)
		return "#f3f0ec";
	switch (svg->rows->names.list[node->name].kind) {
	case FLAME_COMMAND: return "#dad4cb";
	case FLAME_STEP: return "#e8e3dc";
	default: break;
	}
	look = state_look__of(node->state);
	return svg->rows->names.list[node->name].kind == FLAME_KERNEL ? look->kernel : look->user;
}

static const char *text_of(const struct svg *svg, const struct flame_node *node)
{
	return node->name == TREE_NONE ? "all commands" : svg->rows->names.list[node->name].text;
}

/* The text that a viewer shows when the pointer is on the box. */
static void put_title(const struct svg *svg, const struct svg_box *box)
{
	const struct flame_node *node = &svg->tree.nodes[box->node];
	char count[COUNT_TEXT_BYTES];

	fputs("<title>", svg->out);
	if (box->joined_count > 1) {
		fprintf(svg->out, "%s narrow boxes", count_text__write(box->joined_count, count));
	} else {
		svg_text__put(svg->out, text_of(svg, node), TITLE_COLUMNS);
		if (node->name != TREE_NONE && svg->rows->names.list[node->name].module[0]) {
			fputs(" in ", svg->out);
			svg_text__put(svg->out, svg->rows->names.list[node->name].module,
				      TITLE_COLUMNS);
		}
	}
	fputs("\n", svg->out);
	put_time(svg, box->joined_time_ns);
	if (node->state != STACK_STATES_COUNT)
		fprintf(svg->out, "\n%s", state_look__of(node->state)->label);
	fputs("</title>", svg->out);
}

static void put_box(const struct svg *svg, const struct svg_box *box)
{
	const struct flame_node *node = &svg->tree.nodes[box->node];
	double x = MARGIN + box->x, gap = box->width > 2 ? 0.8 : 0;
	int y = svg->base - (int)node->depth * ROW;
	double columns = (box->width - 7) / column_width;
	bool is_joined = box->joined_count > 1;

	fputs("<g>", svg->out);
	put_title(svg, box);
	fprintf(svg->out, "<rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\"%s/>",
		x, y, box->width - gap, BOX, fill_of(svg, node),
		is_joined ? " fill-opacity=\"0.5\"" : "");
	if (columns >= 4 && !is_joined) {
		fprintf(svg->out, "<text x=\"%.2f\" y=\"%d\">", x + 3, y + 12);
		svg_text__put(svg->out, text_of(svg, node), (size_t)columns);
		fputs("</text>", svg->out);
	}
	fputs("</g>\n", svg->out);
}

/* ---- the picture */

static int lines_of_head(const struct svg *svg)
{
	return (int)svg->facts.count + (svg->layout.not_drawn_count != 0) + svg->legend_lines;
}

static void put_picture(struct svg *svg)
{
	int y = HEAD, height;

	svg->base = HEAD + 8 + lines_of_head(svg) * LINE + (int)svg->layout.depth * ROW;
	height = svg->base + BOX + MARGIN;
	fprintf(svg->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
		"height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-label=\"Flame graph of a steptrace profile\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
		"<g font-family=\"Helvetica, Arial, 'Liberation Sans', sans-serif\" "
		"font-size=\"12\" fill=\"" STATE_LOOK_INK "\">\n"
		"<text x=\"%d\" y=\"29\" font-size=\"17\" font-weight=\"bold\">"
		"steptrace profile</text>\n",
		PAGE_WIDTH, height, PAGE_WIDTH, height, MARGIN);
	y = put_facts(svg, y);
	put_legend(svg, y + 4);
	fputs("</g>\n<g font-family=\"'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, "
	      "monospace\" font-size=\"11\" fill=\"" STATE_LOOK_INK "\">\n",
	      svg->out);
	for (size_t i = 0; i < svg->layout.count; i++)
		put_box(svg, &svg->layout.boxes[i]);
	fputs("</g>\n</svg>\n", svg->out);
}

int svg__write(FILE *out, const struct flame_rows *rows, const struct folded_facts *facts)
{
	struct svg svg = {.out = out, .rows = rows};
	int err = flame_tree__init(&svg.tree, rows);

	if (err)
		return err;
	facts_text__write(&svg.facts, facts);
	for (size_t i = 0; i < rows->count; i++)
		svg.state_ns[rows->list[i].state] += rows->list[i].time_ns;
	err = svg_layout__init(&svg.layout, &svg.tree, BOXES_WIDTH);
	place_legend(&svg);
	if (!err)
		put_picture(&svg);
	svg_layout__free(&svg.layout);
	flame_tree__free(&svg.tree);
	return err;
}
