// SPDX-License-Identifier: BSD-2-Clause
/* Parses pieces and tags into statements. Expressions are parsed in template_expr.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/template_parser.h"

static int parse_body(struct parser *parser, struct node *body);

static const struct piece *peek(const struct parser *parser)
{
	return parser->piece < parser->piece_count ? &parser->pieces[parser->piece] : NULL;
}

/* Starts reading a piece: its first token becomes the current token. */
static int enter(struct parser *parser, const struct piece *piece)
{
	parser->lexer.at = piece->at;
	parser->lexer.end = piece->end;
	return parser__next(parser);
}

static bool is_tag(const struct parser *parser, const char *name)
{
	return parser->token.kind == TOKEN_NAME && parser__is(parser, name);
}

/* True at a tag that ends or continues a block. parse_body stops there; the block's own function
 * reads the tag. */
static bool ends_body(const struct parser *parser)
{
	static const char *const names[] = {"elif", "elsif", "else", "endif", "endfor"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (is_tag(parser, names[i]))
			return true;
	return false;
}

/* ------------------------------------------------------------------ tags */

static int parse_name(struct parser *parser, const char **name)
{
	if (parser->token.kind != TOKEN_NAME)
		return parser__unexpected(parser, "a name");
	*name = parser__spelling(parser);
	return *name ? parser__next(parser) : parser__no_memory(parser);
}

static int parse_set(struct parser *parser, struct node *node)
{
	int err = parser__next(parser);

	node->kind = NODE_SET;
	if (!err)
		err = parse_name(parser, &node->name);
	if (!err)
		err = parser__expect(parser, "=");
	if (!err)
		err = parser__expression(parser, node);
	return err ? err : parser__finish(parser);
}

/* Reads a branch: everything up to the next elif, else or endif. */
static int parse_branch(struct parser *parser, struct node *node, bool has_condition)
{
	struct node *branch, *body = NULL;
	int err = parser__next(parser);

	if (!err)
		err = parser__add(parser, node, NODE_BRANCH, &branch);
	if (!err)
		err = parser__add(parser, branch, NODE_BODY, &body);
	if (!err && has_condition)
		err = parser__expression(parser, branch);
	if (!err)
		err = parser__finish(parser);
	return err ? err : parse_body(parser, body);
}

static int not_closed(struct parser *parser, const struct node *node, const char *what)
{
	return template_lex__fail_at(&parser->lexer, node->line, node->column,
				     "'%s' has no closing 'end%s'", what, what);
}

static int wrong_tag(struct parser *parser, const char *block)
{
	return template_lex__fail(&parser->lexer, parser->token.at,
				  "'%.*s' is not allowed inside '%s'", parser__shown(parser),
				  parser->token.at, block);
}

static int parse_if(struct parser *parser, struct node *node)
{
	bool had_else = false;
	int err;

	node->kind = NODE_IF;
	err = parse_branch(parser, node, true);
	while (!err) {
		bool is_else = is_tag(parser, "else");

		if (!peek(parser))
			return not_closed(parser, node, "if");
		if (is_tag(parser, "endif"))
			break;
		if (is_tag(parser, "endfor") || had_else)
			return wrong_tag(parser, had_else ? "else" : "if");
		had_else = is_else;
		parser->piece++;
		err = parse_branch(parser, node, !is_else);
	}
	if (!err)
		err = parser__next(parser);
	return err ? err : parser__finish(parser);
}

static int parse_for_head(struct parser *parser, struct node *node)
{
	int err = parse_name(parser, &node->name);

	if (!err)
		err = parser__expect(parser, "in");
	if (!err)
		err = parser__expression(parser, node);
	return err ? err : parser__finish(parser);
}

static int parse_for(struct parser *parser, struct node *node)
{
	struct node *body;
	int err = parser__next(parser);

	node->kind = NODE_FOR;
	if (!err)
		err = parser__add(parser, node, NODE_BODY, &body);
	if (!err)
		err = parse_for_head(parser, node);
	parser->loops++;
	if (!err)
		err = parse_body(parser, body);
	parser->loops--;
	if (err)
		return err;
	if (!peek(parser))
		return not_closed(parser, node, "for");
	if (!is_tag(parser, "endfor"))
		return wrong_tag(parser, "for");
	err = parser__next(parser);
	return err ? err : parser__finish(parser);
}

static int parse_break(struct parser *parser, struct node *node)
{
	int err;

	node->kind = NODE_BREAK;
	if (!parser->loops)
		return template_lex__fail(&parser->lexer, parser->token.at,
					  "'break' is only allowed inside 'for'");
	err = parser__next(parser);
	return err ? err : parser__finish(parser);
}

/* The body of a block starts after the block's own piece, so that piece is consumed first. */
static int parse_block(struct parser *parser, struct node *node,
		       int (*parse)(struct parser *parser, struct node *node))
{
	int err;

	if (++parser->blocks > TEMPLATE_NESTING)
		return template_lex__fail(&parser->lexer, parser->token.at,
					  "blocks are nested deeper than %d", TEMPLATE_NESTING);
	parser->piece++;
	err = parse(parser, node);
	parser->blocks--;
	return err;
}

static int parse_tag(struct parser *parser, struct node *body)
{
	struct node *node;
	int err = parser__add(parser, body, NODE_BREAK, &node);

	if (err)
		return err;
	if (is_tag(parser, "if"))
		return parse_block(parser, node, parse_if);
	if (is_tag(parser, "for"))
		return parse_block(parser, node, parse_for);
	if (is_tag(parser, "set"))
		return parse_set(parser, node);
	if (is_tag(parser, "break"))
		return parse_break(parser, node);
	return parser__unexpected(parser, "a tag (set, if, for or break)");
}

/* ------------------------------------------------------------------ bodies */

static int parse_text(struct parser *parser, struct node *body, const struct piece *piece)
{
	struct node *node;
	int err;

	if (piece->at == piece->end)
		return 0;
	err = parser__add(parser, body, NODE_TEXT, &node);
	return err ? err : parser__set_text(parser, node, piece->at, piece->end);
}

static int parse_output(struct parser *parser, struct node *body, const struct piece *piece)
{
	struct node *node;
	int err = enter(parser, piece);

	if (!err)
		err = parser__add(parser, body, NODE_OUTPUT, &node);
	if (!err)
		err = parser__expression(parser, node);
	return err ? err : parser__finish(parser);
}

/* Reads statements until the end of the template, or until a tag that ends the body. Then the name
 * of that tag is the current token. */
static int parse_body(struct parser *parser, struct node *body)
{
	const struct piece *piece;
	int err = 0;

	for (; !err && (piece = peek(parser)); parser->piece++) {
		if (piece->kind == PIECE_TEXT)
			err = parse_text(parser, body, piece);
		else if (piece->kind == PIECE_OUTPUT)
			err = parse_output(parser, body, piece);
		else if (piece->kind == PIECE_TAG) {
			err = enter(parser, piece);
			if (!err && ends_body(parser))
				return 0;
			if (!err)
				err = parse_tag(parser, body);
		}
	}
	return err;
}

static int parse_template(struct parser *parser)
{
	struct node root = {.kind = NODE_BODY};
	int err = parser__add(parser, &root, NODE_BODY, &parser->template->body);

	if (!err)
		err = parse_body(parser, parser->template->body);
	if (!err && peek(parser))
		err = template_lex__fail(&parser->lexer, parser->token.at,
					 "'%.*s' has no matching opening tag",
					 parser__shown(parser), parser->token.at);
	return err;
}

/* ------------------------------------------------------------------ entry points */

static int start(struct parser *parser, const char *text, struct template **template)
{
	size_t length = strlen(text);

	*template = NULL;
	parser->lexer.source = parser->lexer.at = text;
	parser->lexer.end = text + length;
	if (length > TEMPLATE_BYTES)
		return error__set(parser->lexer.err, -E2BIG,
				  "the template has %zu bytes; the limit is %d", length,
				  TEMPLATE_BYTES);
	*template = parser->template = calloc(1, sizeof(**template));
	return *template ? 0 : parser__no_memory(parser);
}

static int parse_pieces(struct parser *parser)
{
	struct piece *pieces = NULL;
	int err = template_lex__pieces(&parser->lexer, &pieces, &parser->piece_count);

	parser->pieces = pieces;
	if (!err)
		err = parse_template(parser);
	free(pieces);
	return err;
}

static int parse_bare(struct parser *parser)
{
	struct node root = {.kind = NODE_OUTPUT};
	int err = parser__next(parser);

	if (!err)
		err = parser__expression(parser, &root);
	if (!err)
		err = parser__finish(parser);
	parser->template->body = root.child;
	parser->template->is_expression = true;
	return err;
}

int parser__whole(struct parser *parser, const char *text, bool is_expression,
		  struct template **template)
{
	int err = start(parser, text, template);

	if (!err)
		err = is_expression ? parse_bare(parser) : parse_pieces(parser);
	if (err) {
		template__free(*template);
		*template = NULL;
	}
	return err;
}

int template__parse(const char *text, struct template **template, struct error *err)
{
	struct parser parser = {.lexer.err = err};

	return parser__whole(&parser, text, false, template);
}

int template__parse_expression(const char *text, struct template **template, struct error *err)
{
	struct parser parser = {.lexer.err = err};

	return parser__whole(&parser, text, true, template);
}

void template__free(struct template *template)
{
	if (template)
		template_arena__free(template);
	free(template);
}
