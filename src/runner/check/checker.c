// SPDX-License-Identifier: BSD-2-Clause
#include "runner/check/checker.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

static void add(struct checker *checker, enum pack_rule rule, const char *file, unsigned int line,
		unsigned int column, const char *sentence)
{
	struct file_problem problem;

	file_problem__set(&problem, 0, line, column, "%s", sentence);
	pack_problems__add_file(&checker->entry->problems, rule, 0, file, &problem);
}

__attribute__((format(printf, 5, 0))) static void report_at(struct checker *checker,
							    enum pack_rule rule, unsigned int line,
							    unsigned int column, const char *format,
							    va_list args)
{
	char sentence[ERROR_TEXT_BYTES];

	vsnprintf(sentence, sizeof(sentence), format, args);
	add(checker, rule, checker->pack->manifest.name, line, column, sentence);
}

void checker__report(struct checker *checker, enum pack_rule rule, const cJSON *node,
		     const char *format, ...)
{
	const struct yaml_mark *mark = yaml__mark(&checker->pack->manifest, node);
	va_list args;

	va_start(args, format);
	report_at(checker, rule, mark ? mark->line : 0, mark ? mark->column : 0, format, args);
	va_end(args);
}

void checker__report_key(struct checker *checker, enum pack_rule rule, const cJSON *node,
			 const char *format, ...)
{
	const struct yaml_mark *mark = yaml__mark(&checker->pack->manifest, node);
	va_list args;

	va_start(args, format);
	report_at(checker, rule, mark ? mark->key_line : 0, mark ? mark->key_column : 0, format,
		  args);
	va_end(args);
}

static void report_in_prompt(struct checker *checker, enum pack_rule rule, const cJSON *node,
			     int line, int column, const char *sentence)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/prompts/%s.md", checker->pack->directory, node->string);
	add(checker, rule, path, (unsigned int)line, (unsigned int)column, sentence);
}

/* If the text stands in the file in another form, such as a folded block, the position is that of
 * the value, and the sentence says where in the text. */
void checker__report_in(struct checker *checker, enum pack_rule rule, const struct pack_step *step,
			const cJSON *node, int line, int column, const char *sentence)
{
	const struct yaml_mark *mark = yaml__mark(&checker->pack->manifest, node);
	char text[ERROR_TEXT_BYTES];

	if (!step || !mark) {
		report_in_prompt(checker, rule, node, line, column, sentence);
		return;
	}
	if (mark->text_line || !line) {
		snprintf(text, sizeof(text), "step '%s': %s", pack_step__name(step), sentence);
	} else {
		snprintf(text, sizeof(text), "step '%s': line %d, column %d: %s",
			 pack_step__name(step), line, column, sentence);
	}
	if (mark->text_line && line)
		add(checker, rule, checker->pack->manifest.name,
		    mark->text_line + (unsigned int)line - 1,
		    mark->text_column + (unsigned int)column - 1, text);
	else
		add(checker, rule, checker->pack->manifest.name, mark->line, mark->column, text);
}
