/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YAML as command packs use it, read into cJSON trees.
 *
 * Understood: block and flow collections, literal and folded blocks, quoted scalars with escapes,
 * comments, UTF-8, a missing final newline. Plain scalars are typed by the core schema (null,
 * true, false, integers, floats); quoted ones are always text, and so is 1.0.0. An integer of more
 * than 15 digits stays text: cJSON would not print it exactly.
 *
 * Refused, each with file, line and column: anchors and aliases, tags, several documents,
 * duplicate keys, keys that are not scalars, NUL characters, .inf and .nan, more than 1 MiB,
 * more than 32 levels, more than 4,096 entries in one mapping.
 *
 *	notes/command.yaml:7:3: the key 'id' stands twice in one mapping
 *
 * Returns 0, -EINVAL (not such YAML), -E2BIG (a limit), -ENOMEM, or the errno of reading the file.
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

/* Where a value of the tree stands in its file, for errors that are only found later. */
struct yaml_mark {
	const cJSON *node;
	unsigned int line, column; /* from 1 */
};

struct yaml_document {
	char *name;  /* of the file, as messages say it */
	cJSON *root; /* a null value for an empty file */
	struct yaml_mark *marks;
	size_t mark_count;
};

/* On failure the document is left empty; yaml__free is harmless then. */
int yaml__load(struct yaml_document *document, const char *path, struct error *err);
int yaml__parse(struct yaml_document *document, const char *name, const char *text, size_t bytes,
		struct error *err);
void yaml__free(struct yaml_document *document);

/* Fails with `code` and "FILE:LINE:COLUMN: ..."; without the numbers where `node` is unknown. */
int yaml__complain(const struct yaml_document *document, const cJSON *node, struct error *err,
		   int code, const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
