/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the two halves of the parser share: template_parse.c reads statements, template_expr.c
 * expressions. Private to them. Every function returns 0 or a negative errno with its sentence.
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_PARSER_H
#define STEPTRACE_RUNNER_TEMPLATE_PARSER_H

#include "runner/template_tree.h"

struct parser {
	struct lexer lexer;
	struct template *template;
	const struct piece *pieces;
	size_t piece, piece_count; /* the next one */
	struct token token;        /* the current one; the lexer stands behind it */
	int blocks, loops, nesting;
	bool in_argument; /* of a filter after ':', where '|' ends the value */
	bool in_choice;   /* between '?' and ':', where ':' may end the value */
};

int parser__next(struct parser *parser);
bool parser__is(const struct parser *parser, const char *spelling);
/* Takes the sign or word, or fails. */
int parser__expect(struct parser *parser, const char *spelling);
int parser__finish(struct parser *parser);
int parser__unexpected(struct parser *parser, const char *wanted);
int parser__no_memory(struct parser *parser);
/* Bytes of the token to show in a message: long ones are cut. */
int parser__shown(const struct parser *parser);

/* A new last child of `parent`, standing at the current token. */
int parser__add(struct parser *parser, struct node *parent, enum node_kind kind,
		struct node **node);
/* The last child of `parent` becomes the only child of a node of that kind in its place. */
int parser__wrap(struct parser *parser, struct node *parent, enum node_kind kind);
/* One level deeper, to be left with parser->nesting--, also after a failure. */
int parser__enter(struct parser *parser);
/* The current token's letters; NULL: out of memory. */
const char *parser__spelling(struct parser *parser);
int parser__set_text(struct parser *parser, struct node *node, const char *at, const char *end);

/* Parses an expression into a new last child of `parent`. */
int parser__expression(struct parser *parser, struct node *parent);

#endif
