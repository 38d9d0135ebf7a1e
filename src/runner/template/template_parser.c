// SPDX-License-Identifier: BSD-2-Clause
/* Tokens and nodes, for both parts of the parser. */
#include "runner/template/template_parser.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ tokens */

int parser__next(struct parser *parser)
{
	return template_lex__token(&parser->lexer, &parser->token);
}

bool parser__is(const struct parser *parser, const char *spelling)
{
	const struct token *token = &parser->token;
	size_t length = (size_t)(token->end - token->at);

	return (token->kind == TOKEN_NAME || token->kind == TOKEN_SIGN) &&
	       strlen(spelling) == length && memcmp(token->at, spelling, length) == 0;
}

int parser__shown(const struct parser *parser)
{
	size_t length = (size_t)(parser->token.end - parser->token.at);

	return length < 40 ? (int)length : 40;
}

int parser__unexpected(struct parser *parser, const char *wanted)
{
	const char *at = parser->token.at;

	if (parser->token.kind == TOKEN_END)
		return template_lex__fail(&parser->lexer, at, "%s is missing", wanted);
	return template_lex__fail(&parser->lexer, at, "expected %s, found '%.*s'", wanted,
				  parser__shown(parser), at);
}

int parser__expect(struct parser *parser, const char *spelling)
{
	char wanted[16];

	if (parser__is(parser, spelling))
		return parser__next(parser);
	snprintf(wanted, sizeof(wanted), "'%s'", spelling);
	return parser__unexpected(parser, wanted);
}

int parser__finish(struct parser *parser)
{
	return parser->token.kind == TOKEN_END ? 0 : parser__unexpected(parser, "the end");
}

int parser__no_memory(struct parser *parser)
{
	return error__set(parser->lexer.err, -ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------ nodes */

int parser__add(struct parser *parser, struct node *parent, enum node_kind kind, struct node **node)
{
	struct node *added = template_arena__alloc(parser->template, sizeof(*added));

	if (!added)
		return parser__no_memory(parser);
	added->kind = kind;
	template_lex__position(&parser->lexer, parser->token.at, &added->line, &added->column);
	if (parent->last)
		parent->last->next = added;
	else
		parent->child = added;
	parent->last = added;
	*node = added;
	return 0;
}

int parser__wrap(struct parser *parser, struct node *parent, enum node_kind kind)
{
	struct node *outer = parent->last;
	struct node *inner = template_arena__alloc(parser->template, sizeof(*inner));

	if (!inner)
		return parser__no_memory(parser);
	*inner = *outer;
	*outer = (struct node){.kind = kind,
			       .line = inner->line,
			       .column = inner->column,
			       .child = inner,
			       .last = inner};
	return 0;
}

const char *parser__spelling(struct parser *parser)
{
	size_t length = (size_t)(parser->token.end - parser->token.at);
	char *text = template_arena__alloc(parser->template, length + 1);

	if (text)
		memcpy(text, parser->token.at, length);
	return text;
}

int parser__set_text(struct parser *parser, struct node *node, const char *at, const char *end)
{
	char *text = template_arena__alloc(parser->template, (size_t)(end - at) + 1);

	if (!text)
		return parser__no_memory(parser);
	memcpy(text, at, (size_t)(end - at));
	node->literal = (cJSON){.type = cJSON_String, .valuestring = text};
	return 0;
}

int parser__enter(struct parser *parser)
{
	if (++parser->nesting <= TEMPLATE_NESTING)
		return 0;
	return template_lex__fail(&parser->lexer, parser->token.at,
				  "the expression is nested deeper than %d", TEMPLATE_NESTING);
}
