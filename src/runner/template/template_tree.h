/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of a parsed template. Private to the template_*.c files.
 *
 * A node has one list of children. A chain of operators is one node with many children, so that the
 * depth of the tree depends only on the nesting, which the parser limits:
 *
 *	a.b.0		PATH   [a] "b" "0"		steps are nodes with a name
 *	a + b - c	SUM    [a] +[b] -[c]		the operator stands with its right side
 *	a and b and c	AND    [a] [b] [c]
 *	x | f: 1 | g	PIPE   [x] FILTER f [1] FILTER g []
 *	{k: v, (e): w}	MAP    ["k"] [v] [e] [w]
 *	if/elif/else	IF     BRANCH c [body] BRANCH c [body] BRANCH - [body]
 *	for x in l	FOR x  BODY [statements] [l]
 *
 * All nodes and texts of a template are allocated in its arena and freed with it.
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_TREE_H
#define STEPTRACE_RUNNER_TEMPLATE_TREE_H

#include <stdbool.h>

#include "runner/template/filters.h"
#include "runner/template/template.h"

enum node_kind {
	/* expressions */
	NODE_LITERAL,
	NODE_NAME,
	NODE_PATH,
	NODE_LIST,
	NODE_MAP,
	NODE_NEGATE,
	NODE_NOT,
	NODE_AND,
	NODE_OR,
	NODE_SUM,
	NODE_PRODUCT,
	NODE_COMPARE,
	NODE_DEFINED,
	NODE_TERNARY,
	NODE_PIPE,
	/* parts of expressions */
	NODE_STEP,
	NODE_FILTER,
	/* statements */
	NODE_BODY,
	NODE_TEXT,
	NODE_OUTPUT,
	NODE_SET,
	NODE_IF,
	NODE_BRANCH,
	NODE_FOR,
	NODE_BREAK,
};

enum operator{
	OP_NONE,
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_DIVIDE,
	OP_EQUAL,
	OP_DIFFERENT,
	OP_BELOW,
	OP_ABOVE,
	OP_AT_MOST,
	OP_AT_LEAST,
	OP_IN,
	OP_NOT_IN,
};

struct node {
	enum node_kind kind;
	enum operator op;
	int line, column;
	int argument_count;          /* FILTER */
	cJSON literal;               /* LITERAL, TEXT; its text is in the arena */
	const char *name;            /* NAME, STEP, SET, FOR */
	const struct filter *filter; /* FILTER */
	struct node *child, *last, *next;
};

struct arena_chunk;

struct template
{
	struct arena_chunk *arena;
	struct node *body; /* NODE_BODY; with is_expression: the expression */
	bool is_expression;
};

/* ---- the lexer */

enum piece_kind { PIECE_TEXT, PIECE_OUTPUT, PIECE_TAG, PIECE_COMMENT };

/* A part of the source: plain text, or the text between braces. */
struct piece {
	enum piece_kind kind;
	const char *at, *end;
};

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_TEXT, TOKEN_NUMBER, TOKEN_SIGN };

/* The text of a token runs from `at` to `end`. A TOKEN_TEXT includes its quotes. */
struct token {
	enum token_kind kind;
	const char *at, *end;
};

struct position {
	const char *at;
	int line, column;
};

struct lexer {
	const char *source;   /* the whole template, for positions */
	const char *at, *end; /* the part of the piece that has not been read */
	struct position last; /* the last position that was computed */
	struct error *err;
	int failed_line, failed_column; /* of the mistake in `err`; 0: it has no position */
};

/* Splits the lexer's text into pieces. Lines that contain only tags are removed. The caller frees
 * *pieces, also on failure. */
int template_lex__pieces(struct lexer *lexer, struct piece **pieces, size_t *count);
int template_lex__token(struct lexer *lexer, struct token *token);
/* Reads the token after a dot: a name, or digits only. */
int template_lex__member(struct lexer *lexer, struct token *token);
/* Line and column of `at`, both from 1; a column is a code point. */
void template_lex__position(struct lexer *lexer, const char *at, int *line, int *column);
/* Writes "line 3, column 12: ..." with the position of `at`; returns -EINVAL. */
int template_lex__fail(struct lexer *lexer, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with a position that is known. */
int template_lex__fail_at(struct lexer *lexer, int line, int column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- the arena */

/* Zeroed memory that lives as long as the template; NULL: out of memory. */
void *template_arena__alloc(struct template *template, size_t size);
void template_arena__free(struct template *template);

#endif
