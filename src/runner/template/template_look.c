// SPDX-License-Identifier: BSD-2-Clause
#include "runner/template/template_look.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runner/template/template_parser.h"

/* ------------------------------------------------------------------ mistakes */

struct diagnosis {
	struct parser parser; /* first: the parser's function knows only this member */
	bool has_unknown_filter;
	void (*found)(void *data, const struct template_problem *problem);
	void *data;
};

static void note_unknown_filter(struct parser *parser, int line, int column)
{
	struct diagnosis *diagnosis = (struct diagnosis *)parser;
	char sentence[128];
	const struct template_problem problem = {line, column, true, sentence};

	snprintf(sentence, sizeof(sentence), "unknown filter '%.*s'", parser__shown(parser),
		 parser->token.at);
	diagnosis->has_unknown_filter = true;
	diagnosis->found(diagnosis->data, &problem);
}

static void note_failure(struct diagnosis *diagnosis)
{
	int line = diagnosis->parser.lexer.failed_line;
	int column = diagnosis->parser.lexer.failed_column;
	const char *sentence = diagnosis->parser.lexer.err->text;
	struct template_problem problem = {line, column, false, sentence};

	if (line)
		problem.sentence += snprintf(NULL, 0, "line %d, column %d: ", line, column);
	diagnosis->found(diagnosis->data, &problem);
}

int template__diagnose(const char *text, bool is_expression,
		       void (*found)(void *data, const struct template_problem *problem),
		       void *data)
{
	struct error err = {0};
	struct diagnosis diagnosis = {
		.parser = {.lexer.err = &err, .unknown_filter = note_unknown_filter},
		.found = found,
		.data = data};
	struct template *template;
	int code = parser__whole(&diagnosis.parser, text, is_expression, &template);

	template__free(template);
	if (code == -ENOMEM)
		return code;
	if (code && !diagnosis.has_unknown_filter)
		note_failure(&diagnosis);
	return 0;
}

/* ------------------------------------------------------------------ what is read */

static bool reads_nothing(const struct node *node)
{
	if (node->kind == NODE_NAME)
		return false;
	if (node->kind == NODE_FILTER && node->filter->run == filter_time__ago)
		return false;
	for (const struct node *child = node->child; child; child = child->next)
		if (!reads_nothing(child))
			return false;
	return true;
}

bool template__is_constant(const struct template *template)
{
	return reads_nothing(template->body);
}

static bool sets_steps(const struct node *node)
{
	if ((node->kind == NODE_SET || node->kind == NODE_FOR) && strcmp(node->name, "steps") == 0)
		return true;
	for (const struct node *child = node->child; child; child = child->next)
		if (sets_steps(child))
			return true;
	return false;
}

static bool is_steps(const struct node *node)
{
	return node->kind == NODE_NAME && strcmp(node->name, "steps") == 0;
}

static void walk(const struct node *node,
		 void (*found)(void *data, const struct template_reference *reference), void *data)
{
	const struct node *child = node->child;
	struct template_reference reference = {.line = node->line, .column = node->column};

	if (node->kind == NODE_PATH && is_steps(child)) {
		reference.step = child->next->name;
		child = child->next;
	}
	if (reference.step || is_steps(node))
		found(data, &reference);
	for (; child; child = child->next)
		walk(child, found, data);
}

void template__each_reference(const struct template *template,
			      void (*found)(void *data, const struct template_reference *reference),
			      void *data)
{
	if (!sets_steps(template->body))
		walk(template->body, found, data);
}
