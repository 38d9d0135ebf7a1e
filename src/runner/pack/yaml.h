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

#include "common/error.h"

enum {
	YAML_BYTES_MAX = 1 << 20,
	YAML_NESTING_MAX = 32,
	YAML_KEYS_MAX = 4096,
};

/* The position of a value in its file, for errors that are found later. */
struct yaml_mark {
	const cJSON *node;
	unsigned int line, column; /* from 1 */
};

/* Owns everything in it. */
struct yaml_document {
	char *name;  /* the file's name, as in messages */
	cJSON *root; /* a null value for an empty file */
	struct yaml_mark *marks;
	size_t mark_count;
};

/* The caller frees the document with yaml__free. On failure the document is empty, and yaml__free
 * does nothing. `name` is used in messages. */
int yaml__parse(struct yaml_document *document, const char *name, const char *text, size_t bytes,
		struct error *err);
void yaml__free(struct yaml_document *document);

/* Writes "FILE:LINE:COLUMN: ..." into `err`; returns `code`. If `node` is not in the document, only
 * "FILE: ...". */
int yaml__complain(const struct yaml_document *document, const cJSON *node, struct error *err,
		   int code, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
