// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "runner/pack/yaml_lines.h"
#include "runner/pack/yaml_scalar.h"
#include "runner/value/value.h"

struct reader {
	struct yaml_document *document;
	yaml_parser_t parser;
	yaml_event_t event; /* owned; the current event */
	bool has_event;
	size_t mark_room;
	yaml_mark_t key; /* where the key of the next value stands */
	bool has_key;
	struct yaml_lines lines;
	struct file_problem *problem;
};

/* ------------------------------------------------------------------ complaints */

__attribute__((format(printf, 4, 5))) static int
complain_at(struct reader *reader, const yaml_mark_t *mark, int code, const char *format, ...)
{
	va_list args;
	char text[512];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return file_problem__set(reader->problem, code, (unsigned int)mark->line + 1,
				 (unsigned int)mark->column + 1, "%s", text);
}

static int out_of_memory(struct reader *reader)
{
	return file_problem__set(reader->problem, -ENOMEM, 0, 0, "out of memory");
}

/* Reports libyaml's own error with its message and position. */
static int complain_parser(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	yaml_mark_t mark = parser->problem_mark;

	if (parser->error == YAML_MEMORY_ERROR)
		return out_of_memory(reader);
	if (parser->error == YAML_READER_ERROR)
		mark = parser->mark;
	return complain_at(reader, &mark, -EINVAL, "%s%s%s",
			   parser->problem ? parser->problem : "not YAML",
			   parser->context ? ", " : "", parser->context ? parser->context : "");
}

/* ------------------------------------------------------------------ reading */

static int next(struct reader *reader)
{
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = yaml_parser_parse(&reader->parser, &reader->event) != 0;
	return reader->has_event ? 0 : complain_parser(reader);
}

/* Where the characters of a scalar stand. */
static void find_text(struct reader *reader, struct yaml_mark *mark)
{
	const yaml_event_t *event = &reader->event;
	const char *text = (const char *)event->data.scalar.value;
	size_t first = event->start_mark.line, columns, quote;

	if (event->type != YAML_SCALAR_EVENT)
		return;
	if (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE) {
		mark->text_line = mark->line + 1;
		mark->text_column = yaml_lines__indentation(&reader->lines, first + 1, text) + 1;
	}
	quote = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;
	columns = event->end_mark.column - event->start_mark.column;
	if (event->end_mark.line == first &&
	    columns == utf8__count(text, strlen(text)) + 2 * quote) {
		mark->text_line = mark->line;
		mark->text_column = mark->column + (unsigned int)quote;
	}
}

static int remember(struct reader *reader, const cJSON *node)
{
	struct yaml_document *document = reader->document;
	struct yaml_mark *marks = document->marks, *mark;
	const yaml_mark_t *start = &reader->event.start_mark;
	const yaml_mark_t *key = reader->has_key ? &reader->key : start;

	if (document->mark_count == reader->mark_room) {
		reader->mark_room = reader->mark_room ? 2 * reader->mark_room : 64;
		marks = realloc(marks, reader->mark_room * sizeof(*marks));
		if (!marks)
			return out_of_memory(reader);
		document->marks = marks;
	}
	mark = &marks[document->mark_count++];
	*mark = (struct yaml_mark){
		.node = node,
		.line = (unsigned int)start->line + 1,
		.column = (unsigned int)start->column + 1,
		.key_line = (unsigned int)key->line + 1,
		.key_column = (unsigned int)key->column + 1,
	};
	reader->has_key = false;
	find_text(reader, mark);
	return 0;
}

/* Refuses anchors and tags, and text that contains a NUL character. */
static int refuse_extras(struct reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	const yaml_mark_t *mark = &reader->event.start_mark;

	if (anchor)
		return complain_at(reader, mark, -EINVAL,
				   "the anchor '&%s' is not supported: write the value out",
				   (const char *)anchor);
	if (tag)
		return complain_at(reader, mark, -EINVAL,
				   "the tag '%s' is not supported: leave it out",
				   (const char *)tag);
	return 0;
}

static int refuse_scalar(struct reader *reader)
{
	const yaml_event_t *event = &reader->event;
	const char *text = (const char *)event->data.scalar.value;
	int err;

	err = refuse_extras(reader, event->data.scalar.anchor, event->data.scalar.tag);
	if (err)
		return err;
	if (strlen(text) != event->data.scalar.length)
		return complain_at(reader, &event->start_mark, -EINVAL,
				   "text with a NUL character is not supported");
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && yaml_scalar__is_not_finite(text))
		return complain_at(reader, &event->start_mark, -EINVAL,
				   "'%s' is not a finite number (quote it if it is text)", text);
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && yaml_scalar__is_too_large(text))
		return complain_at(reader, &event->start_mark, -EINVAL,
				   "the number %.40s is too large: it has more than 64 bits (quote "
				   "it if it is text)",
				   text);
	return 0;
}

static int read_scalar(struct reader *reader, cJSON **node)
{
	const char *text = (const char *)reader->event.data.scalar.value;
	int err = refuse_scalar(reader);

	if (err)
		return err;
	if (reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		*node = yaml_scalar__typed(text);
	else
		*node = cJSON_CreateString(text);
	return *node ? 0 : out_of_memory(reader);
}

static int read_node(struct reader *reader, int depth, cJSON **node);

static int read_sequence(struct reader *reader, int depth, cJSON *list)
{
	cJSON *item;
	int err;

	for (;;) {
		err = next(reader);
		if (err || reader->event.type == YAML_SEQUENCE_END_EVENT)
			return err;
		err = read_node(reader, depth, &item);
		if (err)
			return err;
		cJSON_AddItemToArray(list, item);
	}
}

/* Checks and copies the key in the current event. The caller frees it. */
static int read_key(struct reader *reader, const cJSON *object, char **key)
{
	const yaml_mark_t *mark = &reader->event.start_mark;
	int err;

	if (reader->event.type == YAML_ALIAS_EVENT)
		return complain_at(reader, mark, -EINVAL,
				   "the alias '*%s' is not supported: write the value out",
				   (const char *)reader->event.data.alias.anchor);
	if (reader->event.type != YAML_SCALAR_EVENT)
		return complain_at(reader, mark, -EINVAL, "a key must be text");
	err = refuse_scalar(reader);
	if (err)
		return err;
	*key = strdup((const char *)reader->event.data.scalar.value);
	if (!*key)
		return out_of_memory(reader);
	if (cJSON_GetObjectItemCaseSensitive(object, *key))
		return complain_at(reader, mark, -EINVAL,
				   "the key '%s' stands twice in one mapping", *key);
	return 0;
}

static int read_pair(struct reader *reader, int depth, cJSON *object)
{
	char *key = NULL;
	cJSON *value;
	int err;

	err = read_key(reader, object, &key);
	reader->key = reader->event.start_mark;
	reader->has_key = true;
	if (!err)
		err = next(reader);
	if (!err)
		err = read_node(reader, depth, &value);
	if (!err && !cJSON_AddItemToObject(object, key, value)) {
		cJSON_Delete(value);
		err = out_of_memory(reader);
	}
	free(key);
	return err;
}

static int read_mapping(struct reader *reader, int depth, cJSON *object)
{
	int err;

	for (int keys = 0;; keys++) {
		err = next(reader);
		if (err || reader->event.type == YAML_MAPPING_END_EVENT)
			return err;
		if (keys == YAML_KEYS_MAX)
			return complain_at(reader, &reader->event.start_mark, -E2BIG,
					   "more than %d keys in one mapping", YAML_KEYS_MAX);
		err = read_pair(reader, depth, object);
		if (err)
			return err;
	}
}

static int read_collection(struct reader *reader, int depth, cJSON **node)
{
	bool is_list = reader->event.type == YAML_SEQUENCE_START_EVENT;
	const yaml_event_t *event = &reader->event;
	int err;

	if (is_list)
		err = refuse_extras(reader, event->data.sequence_start.anchor,
				    event->data.sequence_start.tag);
	else
		err = refuse_extras(reader, event->data.mapping_start.anchor,
				    event->data.mapping_start.tag);
	if (err)
		return err;
	if (depth == YAML_NESTING_MAX)
		return complain_at(reader, &event->start_mark, -E2BIG, "nested deeper than %d",
				   YAML_NESTING_MAX);
	*node = is_list ? cJSON_CreateArray() : cJSON_CreateObject();
	if (!*node)
		return out_of_memory(reader);
	err = remember(reader, *node);
	if (err)
		return err;
	return is_list ? read_sequence(reader, depth + 1, *node)
		       : read_mapping(reader, depth + 1, *node);
}

/* Reads the value that starts with the current event. On failure *node is NULL. */
static int read_node(struct reader *reader, int depth, cJSON **node)
{
	int err;

	*node = NULL;
	switch (reader->event.type) {
	case YAML_SCALAR_EVENT:
		err = read_scalar(reader, node);
		if (!err)
			err = remember(reader, *node);
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT: err = read_collection(reader, depth, node); break;
	case YAML_ALIAS_EVENT:
		err = complain_at(reader, &reader->event.start_mark, -EINVAL,
				  "the alias '*%s' is not supported: write the value out",
				  (const char *)reader->event.data.alias.anchor);
		break;
	default:
		err = complain_at(reader, &reader->event.start_mark, -EINVAL,
				  "a value was expected here");
	}
	if (err) {
		cJSON_Delete(*node);
		*node = NULL;
	}
	return err;
}

static int read_document(struct reader *reader, cJSON **root)
{
	int err;

	err = next(reader); /* the start of the stream */
	if (!err)
		err = next(reader);
	if (err)
		return err;
	if (reader->event.type == YAML_STREAM_END_EVENT) {
		*root = cJSON_CreateNull();
		return *root ? remember(reader, *root) : out_of_memory(reader);
	}
	err = next(reader);
	if (!err)
		err = read_node(reader, 0, root);
	if (!err)
		err = next(reader); /* the end of the document */
	if (!err)
		err = next(reader);
	if (!err && reader->event.type != YAML_STREAM_END_EVENT)
		err = complain_at(reader, &reader->event.start_mark, -EINVAL,
				  "a second document begins here: only one per file is supported");
	return err;
}

/* Addresses of unrelated objects are compared as numbers. */
static int compare_marks(const void *a, const void *b)
{
	uintptr_t first = (uintptr_t)((const struct yaml_mark *)a)->node;
	uintptr_t second = (uintptr_t)((const struct yaml_mark *)b)->node;

	return (first > second) - (first < second);
}

int yaml__read(struct yaml_document *document, const char *name, const char *text, size_t bytes,
	       struct file_problem *problem)
{
	struct reader reader = {.document = document, .lines = {text, 0}, .problem = problem};
	int code;

	*document = (struct yaml_document){.name = strdup(name)};
	if (!document->name || !yaml_parser_initialize(&reader.parser)) {
		yaml__free(document);
		return out_of_memory(&reader);
	}
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, bytes);
	if (bytes > YAML_BYTES_MAX)
		code = file_problem__set(problem, -E2BIG, 0, 0, "larger than %d bytes",
					 YAML_BYTES_MAX);
	else
		code = read_document(&reader, &document->root);
	if (reader.has_event)
		yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	if (code)
		yaml__free(document);
	else
		qsort(document->marks, document->mark_count, sizeof(*document->marks),
		      compare_marks);
	return code;
}

int yaml__parse(struct yaml_document *document, const char *name, const char *text, size_t bytes,
		struct error *err)
{
	struct file_problem problem;
	int code = yaml__read(document, name, text, bytes, &problem);

	return code ? file_problem__tell(&problem, code, name, err) : 0;
}

void yaml__free(struct yaml_document *document)
{
	cJSON_Delete(document->root);
	free(document->marks);
	free(document->name);
	*document = (struct yaml_document){0};
}

const struct yaml_mark *yaml__mark(const struct yaml_document *document, const cJSON *node)
{
	const struct yaml_mark wanted = {.node = node};

	if (!document->mark_count)
		return NULL;
	return bsearch(&wanted, document->marks, document->mark_count, sizeof(wanted),
		       compare_marks);
}

int yaml__complain(const struct yaml_document *document, const cJSON *node, struct error *err,
		   int code, const char *format, ...)
{
	const struct yaml_mark *mark = yaml__mark(document, node);
	char text[ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!mark)
		return error__set(err, code, "%s: %s", document->name, text);
	return error__set(err, code, "%s:%u:%u: %s", document->name, mark->line, mark->column,
			  text);
}
