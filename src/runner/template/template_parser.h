/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the two parts of the parser: template_parse.c reads statements, template_expr.c reads
 * expressions. Private to these files. Functions that return int return 0, or a negative errno with
 * a sentence in parser->lexer.err, unless stated otherwise.
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_PARSER_H
#define STEPTRACE_RUNNER_TEMPLATE_PARSER_H

#include "runner/template/template_tree.h"

struct parser {
	struct lexer lexer;
	/* NULL: an unknown filter is an error. Otherwise it is told to this function, and parsing
	 * goes on. */
	void (*unknown_filter)(struct parser *parser, int line, int column);
	struct template *template;
	const struct piece *pieces;
	size_t piece;       /* index of the next piece */
	size_t piece_count; /* number of pieces */
	struct token token; /* the current token; the lexer is at the text after it */
	int blocks, loops, nesting;
	bool in_argument; /* in an argument after the ':' of a filter: '|' ends the value */
	bool in_choice;   /* between '?' and ':': a ':' may end the value */
};

/* Reads the next token. */
int parser__next(struct parser *parser);
/* True if the current token is this sign or word. */
bool parser__is(const struct parser *parser, const char *spelling);
/* Fails unless the current token is this sign or word; then reads the next token. */
int parser__expect(struct parser *parser, const char *spelling);
/* Fails unless all tokens of the piece have been read. */
int parser__finish(struct parser *parser);
/* Fails: says that `wanted` was expected instead of the current token. */
int parser__unexpected(struct parser *parser, const char *wanted);
int parser__no_memory(struct parser *parser);
/* Returns how many bytes of the current token to show in a message: a long one is truncated. */
int parser__shown(const struct parser *parser);

/* Adds a new last child to `parent`, with the position of the current token. */
int parser__add(struct parser *parser, struct node *parent, enum node_kind kind,
		struct node **node);
/* Replaces the last child of `parent` by a new node of that kind, whose only child is the old
 * one. */
int parser__wrap(struct parser *parser, struct node *parent, enum node_kind kind);
/* Enters one level of nesting. The caller leaves it with parser->nesting--, also after a
 * failure. */
int parser__enter(struct parser *parser);
/* The text of the current token, copied into the arena; NULL: out of memory. */
const char *parser__spelling(struct parser *parser);
/* Makes `node` a literal with a copy of the text from `at` to `end`. */
int parser__set_text(struct parser *parser, struct node *node, const char *at, const char *end);

/* Parses an expression into a new last child of `parent`. */
int parser__expression(struct parser *parser, struct node *parent);

/* Parses a whole template, or an expression without braces. Everything in `parser` is zero but for
 * `lexer.err` and `unknown_filter`. On failure *template is NULL. */
int parser__whole(struct parser *parser, const char *text, bool is_expression,
		  struct template **template);

#endif
