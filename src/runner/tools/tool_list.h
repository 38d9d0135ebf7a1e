/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tools that packs may call: programs that the operator names in a file (--tools). Without the
 * file there are none.
 *
 *	tools:
 *	  - slug: greet
 *	    argv: [/usr/bin/printf, "hello %s\n", "{{ args.name }}"]
 *	    timeout: 5			seconds; default: 30
 *	    max_output: 65536		bytes of stdout and of stderr; default: 1 MiB
 *	    directory: /var/lib/steprun	default: /
 *	    env: {TZ: UTC}		default: only PATH and LANG
 *
 * Each item of `argv` becomes one word of the program, whatever is in it: no shell reads it. The
 * program itself, the first word, is an absolute path without a template.
 */
#ifndef STEPTRACE_RUNNER_TOOL_LIST_H
#define STEPTRACE_RUNNER_TOOL_LIST_H

#include "common/error.h"
#include "runner/pack/param.h"
#include "runner/pack/yaml.h"

enum { TOOL_WORDS_MAX = 64, TOOL_ENV_MAX = 64 };

/* Texts are borrowed from the file's tree. */
struct tool {
	const char *slug, *program, *directory;
	struct param argv;                 /* a list; its first item is the program */
	const char *env[TOOL_ENV_MAX + 1]; /* owned: "NAME=VALUE"; ends with NULL */
	int timeout_ms;
	size_t output_bytes;
};

struct tool_list {
	struct yaml_document document;
	struct tool *tools;
	size_t count;
};

/* 0, or a negative errno with a sentence that names file, line and column. Call tool_list__free()
 * in any case. */
int tool_list__load(struct tool_list *list, const char *path, struct error *err);
/* Also for a zeroed list. */
void tool_list__free(struct tool_list *list);

/* NULL: it is not in the list, or `list` is NULL. */
const struct tool *tool_list__find(const struct tool_list *list, const char *slug);

#endif
