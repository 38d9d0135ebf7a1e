// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses expressions, with one function for each level of the grammar. A function adds the node
 * that it read as the last child of `parent`. If an operator follows, that child is wrapped:
 *
 *	a		parent [.. a]
 *	a + b		parent [.. SUM [a] [+b]]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/template_parser.h"
#include "runner/value/integer.h"

/* ------------------------------------------------------------------ literals */

/* Removes the backslash of \\, \' and \". Other backslashes stay, because regular expressions need
 * them. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '\\' && from[1] && strchr("\\'\"", from[1]))
			from++;
		*to++ = *from;
	}
	*to = 0;
}

static int parse_quoted(struct parser *parser, struct node *node)
{
	const struct token *token = &parser->token;
	int err = parser__set_text(parser, node, token->at + 1, token->end - 1);

	node->kind = NODE_LITERAL;
	if (err)
		return err;
	unescape(node->literal.valuestring);
	return parser__next(parser);
}

/* The digits are in the arena. */
static void take_digits(cJSON *literal, const char *digits, int64_t whole)
{
	struct integer_value value;

	digits += strspn(digits, "0");
	if (integer__fill(&value, whole)->valuestring)
		literal->valuestring = (char *)digits;
}

static int parse_number(struct parser *parser, struct node *node)
{
	const char *text = parser__spelling(parser);
	int64_t whole;

	if (!text)
		return parser__no_memory(parser);
	if (strlen(text) > 300)
		return template_lex__fail(&parser->lexer, parser->token.at,
					  "the number is too long");
	node->kind = NODE_LITERAL;
	node->literal = (cJSON){.type = cJSON_Number, .valuedouble = strtod(text, NULL)};
	switch (integer__read(text, strlen(text), &whole)) {
	case INTEGER_TOO_LARGE:
		return template_lex__fail(&parser->lexer, parser->token.at,
					  "the number is too large: it has more than 64 bits");
	case INTEGER_READ: take_digits(&node->literal, text, whole); break;
	default: break;
	}
	return parser__next(parser);
}

static int parse_word(struct parser *parser, struct node *node)
{
	static const char *const reserved[] = {"and", "or", "not", "in", "is"};

	node->kind = NODE_LITERAL;
	if (parser__is(parser, "true"))
		node->literal.type = cJSON_True;
	else if (parser__is(parser, "false"))
		node->literal.type = cJSON_False;
	else if (parser__is(parser, "null"))
		node->literal.type = cJSON_NULL;
	else
		node->kind = NODE_NAME;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
		if (parser__is(parser, reserved[i]))
			return parser__unexpected(parser, "a value");
	if (node->kind == NODE_NAME && !(node->name = parser__spelling(parser)))
		return parser__no_memory(parser);
	return parser__next(parser);
}

/* ------------------------------------------------------------------ brackets */

static int parse_items(struct parser *parser, struct node *list, const char *close)
{
	int err = 0;

	while (!err && !parser__is(parser, close)) {
		err = parser__expression(parser, list);
		list->argument_count++;
		if (!err && !parser__is(parser, close))
			err = parser__expect(parser, ",");
	}
	return err ? err : parser__expect(parser, close);
}

static int parse_key(struct parser *parser, struct node *map)
{
	struct node *key;
	int err;

	if (parser__is(parser, "(")) {
		err = parser__next(parser);
		if (!err)
			err = parser__expression(parser, map);
		return err ? err : parser__expect(parser, ")");
	}
	if (parser->token.kind != TOKEN_TEXT && parser->token.kind != TOKEN_NAME)
		return parser__unexpected(parser, "a key");
	err = parser__add(parser, map, NODE_LITERAL, &key);
	if (!err && parser->token.kind == TOKEN_TEXT)
		return parse_quoted(parser, key);
	if (!err)
		err = parser__set_text(parser, key, parser->token.at, parser->token.end);
	return err ? err : parser__next(parser);
}

static int parse_pairs(struct parser *parser, struct node *map)
{
	int err = 0;

	while (!err && !parser__is(parser, "}")) {
		err = parse_key(parser, map);
		if (!err)
			err = parser__expect(parser, ":");
		if (!err)
			err = parser__expression(parser, map);
		if (!err && !parser__is(parser, "}"))
			err = parser__expect(parser, ",");
	}
	return err ? err : parser__expect(parser, "}");
}

static int parse_inner(struct parser *parser, struct node *parent)
{
	bool is_list = parser__is(parser, "["), is_map = parser__is(parser, "{");
	struct node *node;
	int err = 0;

	if (is_list || is_map)
		err = parser__add(parser, parent, is_list ? NODE_LIST : NODE_MAP, &node);
	if (!err)
		err = parser__next(parser);
	if (err)
		return err;
	if (is_list)
		return parse_items(parser, node, "]");
	if (is_map)
		return parse_pairs(parser, node);
	err = parser__expression(parser, parent);
	return err ? err : parser__expect(parser, ")");
}

/* Inside brackets, '|' and ':' do not end a value, whatever the text outside is. */
static int parse_brackets(struct parser *parser, struct node *parent,
			  int (*parse)(struct parser *parser, struct node *parent))
{
	bool in_argument = parser->in_argument, in_choice = parser->in_choice;
	int err = parser__enter(parser);

	parser->in_argument = parser->in_choice = false;
	if (!err)
		err = parse(parser, parent);
	parser->in_argument = in_argument;
	parser->in_choice = in_choice;
	parser->nesting--;
	return err;
}

/* ------------------------------------------------------------------ operands */

static int parse_postfix(struct parser *parser, struct node *parent);

static int parse_negative(struct parser *parser, struct node *parent)
{
	struct node *node;
	int err = parser__enter(parser);

	if (!err)
		err = parser__add(parser, parent, NODE_NEGATE, &node);
	if (!err)
		err = parser__next(parser);
	if (!err)
		err = parse_postfix(parser, node);
	parser->nesting--;
	return err;
}

static int parse_primary(struct parser *parser, struct node *parent)
{
	enum token_kind kind = parser->token.kind;
	struct node *node;
	int err;

	if (parser__is(parser, "(") || parser__is(parser, "[") || parser__is(parser, "{"))
		return parse_brackets(parser, parent, parse_inner);
	if (parser__is(parser, "-"))
		return parse_negative(parser, parent);
	if (kind == TOKEN_SIGN || kind == TOKEN_END)
		return parser__unexpected(parser, "a value");
	err = parser__add(parser, parent, NODE_LITERAL, &node);
	if (err)
		return err;
	if (kind == TOKEN_TEXT)
		return parse_quoted(parser, node);
	return kind == TOKEN_NUMBER ? parse_number(parser, node) : parse_word(parser, node);
}

static int parse_step(struct parser *parser, struct node *path)
{
	struct node *step;
	int err = template_lex__member(&parser->lexer, &parser->token);

	if (!err)
		err = parser__add(parser, path, NODE_STEP, &step);
	if (!err && !(step->name = parser__spelling(parser)))
		err = parser__no_memory(parser);
	return err ? err : parser__next(parser);
}

static int parse_postfix(struct parser *parser, struct node *parent)
{
	int err = parse_primary(parser, parent);

	if (!err && parser__is(parser, "."))
		err = parser__wrap(parser, parent, NODE_PATH);
	while (!err && parser__is(parser, "."))
		err = parse_step(parser, parent->last);
	return err;
}

/* ------------------------------------------------------------------ filters */

static int parse_sum(struct parser *parser, struct node *parent);

/* Stands for a filter that does not exist. Most filters have one argument at most. */
static const struct filter unknown = {.name = "", .max_arguments = 1};

/* Reads the arguments after ':'. A comma after the filter's last possible argument is not read: it
 * belongs to a list or map around the filter. */
static int parse_arguments(struct parser *parser, struct node *call)
{
	bool in_argument = parser->in_argument;
	int err = 0;

	parser->in_argument = true;
	do {
		err = parser__next(parser);
		if (!err)
			err = parse_sum(parser, call);
		call->argument_count++;
	} while (!err && parser__is(parser, ",") &&
		 call->argument_count < call->filter->max_arguments);
	parser->in_argument = in_argument;
	return err;
}

static int parse_bracketed_arguments(struct parser *parser, struct node *call)
{
	int err = parser__next(parser);

	return err ? err : parse_items(parser, call, ")");
}

/* True if a ':' starts the arguments of a filter. Between '?' and ':', the ':' after a filter that
 * needs no arguments belongs to the '?'. */
static bool has_colon(const struct parser *parser, const struct node *call)
{
	return parser__is(parser, ":") && !(parser->in_choice && !call->filter->min_arguments);
}

static int check_arguments(struct parser *parser, const struct node *call)
{
	const struct filter *filter = call->filter;
	int wanted, given = call->argument_count;

	if (filter == &unknown ||
	    (given >= filter->min_arguments && given <= filter->max_arguments))
		return 0;
	wanted = given < filter->min_arguments ? filter->min_arguments : filter->max_arguments;
	return template_lex__fail_at(&parser->lexer, call->line, call->column,
				     "filter '%s' takes %s %d argument%s, not %d", filter->name,
				     filter->min_arguments == filter->max_arguments ? "exactly"
				     : given < filter->min_arguments                ? "at least"
										    : "at most",
				     wanted, wanted == 1 ? "" : "s", given);
}

static int find_filter(struct parser *parser, struct node *call)
{
	const struct token *token = &parser->token;

	if (token->kind != TOKEN_NAME)
		return parser__unexpected(parser, "a filter");
	call->filter = filter__find(token->at, (size_t)(token->end - token->at));
	if (!call->filter && parser->unknown_filter) {
		parser->unknown_filter(parser, call->line, call->column);
		call->filter = &unknown;
	}
	if (call->filter)
		return parser__next(parser);
	return template_lex__fail(&parser->lexer, token->at, "unknown filter '%.*s'",
				  parser__shown(parser), token->at);
}

static int parse_filter(struct parser *parser, struct node *pipe)
{
	struct node *call = NULL;
	int err = parser__next(parser);

	if (!err)
		err = parser__add(parser, pipe, NODE_FILTER, &call);
	if (!err)
		err = find_filter(parser, call);
	if (!err && parser__is(parser, "("))
		err = parse_brackets(parser, call, parse_bracketed_arguments);
	else if (!err && has_colon(parser, call))
		err = parse_arguments(parser, call);
	return err ? err : check_arguments(parser, call);
}

static int parse_piped(struct parser *parser, struct node *parent)
{
	int err = parse_postfix(parser, parent);

	if (!err && !parser->in_argument && parser__is(parser, "|"))
		err = parser__wrap(parser, parent, NODE_PIPE);
	while (!err && !parser->in_argument && parser__is(parser, "|"))
		err = parse_filter(parser, parent->last);
	return err;
}

/* ------------------------------------------------------------------ operators */

struct operator_name {
	const char *spelling;
	enum operator op;
};

static const struct operator_name products[] = {
	{"*", OP_MULTIPLY}, {"/", OP_DIVIDE}, {NULL, OP_NONE}};
static const struct operator_name sums[] = {{"+", OP_ADD}, {"-", OP_SUBTRACT}, {NULL, OP_NONE}};
static const struct operator_name comparisons[] = {
	{"==", OP_EQUAL}, {"!=", OP_DIFFERENT}, {"<", OP_BELOW},
	{">", OP_ABOVE},  {"<=", OP_AT_MOST},   {">=", OP_AT_LEAST},
	{"in", OP_IN},    {"not", OP_NOT_IN},   {NULL, OP_NONE}};
static const struct operator_name ands[] = {{"and", OP_NONE}, {NULL, OP_NONE}};
static const struct operator_name ors[] = {{"or", OP_NONE}, {NULL, OP_NONE}};

static const struct operator_name *find_operator(const struct parser *parser,
						 const struct operator_name *names)
{
	for (; names->spelling; names++)
		if (parser__is(parser, names->spelling))
			return names;
	return NULL;
}

/* Parses `operand { operator operand }` into one node. */
static int parse_chain(struct parser *parser, struct node *parent, enum node_kind kind,
		       const struct operator_name *names,
		       int (*parse)(struct parser *parser, struct node *parent))
{
	const struct operator_name *found;
	int err = parse(parser, parent);

	if (!err && find_operator(parser, names))
		err = parser__wrap(parser, parent, kind);
	while (!err && (found = find_operator(parser, names))) {
		err = parser__next(parser);
		if (!err)
			err = parse(parser, parent->last);
		if (!err)
			parent->last->last->op = found->op;
	}
	return err;
}

static int parse_product(struct parser *parser, struct node *parent)
{
	return parse_chain(parser, parent, NODE_PRODUCT, products, parse_piped);
}

static int parse_sum(struct parser *parser, struct node *parent)
{
	return parse_chain(parser, parent, NODE_SUM, sums, parse_product);
}

static int parse_defined(struct parser *parser, struct node *parent)
{
	int err = parser__next(parser);

	if (!err)
		err = parser__expect(parser, "defined");
	return err ? err : parser__wrap(parser, parent, NODE_DEFINED);
}

static int parse_comparison(struct parser *parser, struct node *parent)
{
	const struct operator_name *found;
	int err = parse_sum(parser, parent);

	if (err)
		return err;
	if (parser__is(parser, "is"))
		return parse_defined(parser, parent);
	found = find_operator(parser, comparisons);
	if (!found)
		return 0;
	err = parser__next(parser);
	if (!err && found->op == OP_NOT_IN)
		err = parser__expect(parser, "in");
	if (!err)
		err = parser__wrap(parser, parent, NODE_COMPARE);
	if (!err)
		err = parse_sum(parser, parent->last);
	if (!err)
		parent->last->last->op = found->op;
	return err;
}

static int parse_not(struct parser *parser, struct node *parent)
{
	struct node *node;
	int err;

	if (!parser__is(parser, "not"))
		return parse_comparison(parser, parent);
	err = parser__enter(parser);
	if (!err)
		err = parser__add(parser, parent, NODE_NOT, &node);
	if (!err)
		err = parser__next(parser);
	if (!err)
		err = parse_not(parser, node);
	parser->nesting--;
	return err;
}

static int parse_and(struct parser *parser, struct node *parent)
{
	return parse_chain(parser, parent, NODE_AND, ands, parse_not);
}

static int parse_choice(struct parser *parser, struct node *choice)
{
	bool in_choice = parser->in_choice;
	int err = parser__next(parser);

	parser->in_choice = true;
	if (!err)
		err = parser__expression(parser, choice);
	parser->in_choice = in_choice;
	if (!err)
		err = parser__expect(parser, ":");
	return err ? err : parser__expression(parser, choice);
}

int parser__expression(struct parser *parser, struct node *parent)
{
	int err = parser__enter(parser);

	if (!err)
		err = parse_chain(parser, parent, NODE_OR, ors, parse_and);
	if (!err && parser__is(parser, "?"))
		err = parser__wrap(parser, parent, NODE_TERNARY);
	if (!err && parser__is(parser, "?"))
		err = parse_choice(parser, parent->last);
	parser->nesting--;
	return err;
}
