/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the YAML of command packs into cJSON trees.
 *
 * Supported: block and flow collections, literal and folded blocks, quoted scalars with escapes,
 * comments, UTF-8, a missing final newline. Plain scalars get their type from YAML's core schema
 * (null, true, false, integers, floats); quoted scalars are always text, and so is 1.0.0. An
 * integer of more than 64 bits is an error.
 *
 * Not supported; the error names file, line and column: anchors and aliases, tags, several
 * documents in a file, duplicate keys, keys that are not scalars, NUL characters, .inf and .nan,
 * more than 1 MiB, more than 32 levels, more than 4,096 entries in one mapping.
 *
 *	notes/command.yaml:7:3: the key 'id' stands twice in one mapping
 *
 * Functions return 0, -EINVAL (not valid, or not supported), -E2BIG (a limit is reached) or
 * -ENOMEM.
 */
#ifndef STEPTRACE_RUNNER_YAML_H
#define STEPTRACE_RUNNER_YAML_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "runner/pack/file_problem.h"

enum {
	YAML_BYTES_MAX = 1 << 20,
	YAML_NESTING_MAX = 32,
	YAML_KEYS_MAX = 4096,
};

/* The position of a value in its file, for errors that are found later. Positions are from 1. */
struct yaml_mark {
	const cJSON *node;
	unsigned int line, column;
	unsigned int key_line, key_column; /* of the key; of the value if there is none */
	/* Of the first character of a text, if a line of the text is a line of the file, and its
	 * columns are `text_column` and the following ones. 0: not so (folded, or escapes). */
	unsigned int text_line, text_column;
};

/* Owns everything in it. */
struct yaml_document {
	char *name;              /* the file's name, as in messages */
	cJSON *root;             /* a null value for an empty file */
	struct yaml_mark *marks; /* sorted by `node` */
	size_t mark_count;
};

/* The caller frees the document with yaml__free. On failure the document is empty, and yaml__free
 * does nothing. `name` is used in messages. */
int yaml__parse(struct yaml_document *document, const char *name, const char *text, size_t bytes,
		struct error *err);
/* The same with the position as numbers. */
int yaml__read(struct yaml_document *document, const char *name, const char *text, size_t bytes,
	       struct file_problem *problem);
void yaml__free(struct yaml_document *document);

/* Where a value stands. NULL: it is not in the document. */
const struct yaml_mark *yaml__mark(const struct yaml_document *document, const cJSON *node);

/* Writes "FILE:LINE:COLUMN: ..." into `err`; returns `code`. If `node` is not in the document, only
 * "FILE: ...". */
int yaml__complain(const struct yaml_document *document, const cJSON *node, struct error *err,
		   int code, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
