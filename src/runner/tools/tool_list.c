// SPDX-License-Identifier: BSD-2-Clause
#include "runner/tools/tool_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/pack.h"
#include "runner/pack/pack_file.h"

enum {
	TIMEOUT_S = 30,
	TIMEOUT_MAX_S = 86400,
	OUTPUT_BYTES = 1 << 20,
	OUTPUT_MAX = 64 << 20,
};

/* The file that is being loaded, and where its error message goes. */
struct loader {
	struct tool_list *list;
	struct error *err;
};

static int complain(const struct loader *loader, const cJSON *node, const char *format,
		    const char *what)
{
	return yaml__complain(&loader->list->document, node, loader->err, -EINVAL, format, what);
}

static const cJSON *get(const cJSON *node, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(node, key);
}

/* ---- one tool */

static int read_slug(const struct loader *loader, struct tool *tool, const cJSON *node)
{
	const cJSON *slug = get(node, "slug");

	tool->slug = cJSON_GetStringValue(slug);
	if (!tool->slug)
		return complain(loader, node, "a tool has no %s", "slug");
	if (!pack__is_slug(tool->slug))
		return complain(loader, slug, "'%s' is not a slug", tool->slug);
	if (tool_list__find(loader->list, tool->slug))
		return complain(loader, slug, "the tool '%s' stands twice in the file", tool->slug);
	return 0;
}

static int read_argv(const struct loader *loader, struct tool *tool, const cJSON *node)
{
	const cJSON *argv = get(node, "argv");

	if (!cJSON_IsArray(argv) || !argv->child)
		return complain(loader, node, "the tool '%s' needs argv: a list of words",
				tool->slug);
	if (cJSON_GetArraySize(argv) > TOOL_WORDS_MAX)
		return complain(loader, argv, "the argv of '%s' has too many words", tool->slug);
	tool->program = cJSON_GetStringValue(argv->child);
	if (!tool->program || tool->program[0] != '/' || strstr(tool->program, "{{") ||
	    strstr(tool->program, "{%"))
		return complain(loader, argv->child,
				"the program of '%s' must be an absolute path without a template",
				tool->slug);
	return param__compile(&tool->argv, argv) ? error__set(loader->err, -ENOMEM, "out of memory")
						 : 0;
}

static int read_number(const struct loader *loader, const cJSON *node, const char *key, double max,
		       double *number)
{
	const cJSON *given = get(node, key);

	if (!given)
		return 0;
	if (!cJSON_IsNumber(given) || !(given->valuedouble > 0 && given->valuedouble <= max))
		return complain(loader, given, "'%s' must be a number above 0, and not too large",
				key);
	*number = given->valuedouble;
	return 0;
}

static int read_limits(const struct loader *loader, struct tool *tool, const cJSON *node)
{
	double timeout_s = TIMEOUT_S, bytes = OUTPUT_BYTES;
	int err = read_number(loader, node, "timeout", TIMEOUT_MAX_S, &timeout_s);

	if (!err)
		err = read_number(loader, node, "max_output", OUTPUT_MAX, &bytes);
	tool->timeout_ms = (int)(timeout_s * 1000);
	tool->output_bytes = (size_t)bytes;
	return err;
}

static int read_directory(const struct loader *loader, struct tool *tool, const cJSON *node)
{
	const cJSON *given = get(node, "directory");

	tool->directory = given ? cJSON_GetStringValue(given) : "/";
	if (!tool->directory || tool->directory[0] != '/')
		return complain(loader, given, "the %s must be an absolute path", "directory");
	return 0;
}

static int add_variable(const struct loader *loader, struct tool *tool, size_t *count,
			const char *name, const char *value)
{
	char *text;

	if (*count == TOOL_ENV_MAX)
		return error__set(loader->err, -E2BIG, "the tool '%s' has too many variables",
				  tool->slug);
	if (asprintf(&text, "%s=%s", name, value) < 0)
		return error__set(loader->err, -ENOMEM, "out of memory");
	tool->env[(*count)++] = text;
	return 0;
}

static int read_env(const struct loader *loader, struct tool *tool, const cJSON *node)
{
	const cJSON *env = get(node, "env"), *each;
	size_t count = 0;
	int err = 0;

	if (env && !cJSON_IsObject(env))
		return complain(loader, env, "the %s must be a mapping of names to texts", "env");
	if (!get(env, "PATH"))
		err = add_variable(loader, tool, &count, "PATH", "/usr/bin:/bin");
	if (!err && !get(env, "LANG"))
		err = add_variable(loader, tool, &count, "LANG", "C.UTF-8");
	cJSON_ArrayForEach (each, env) {
		if (!err && (!cJSON_IsString(each) || strchr(each->string, '=')))
			err = complain(loader, each, "the variable '%s' must be a text",
				       each->string);
		if (!err)
			err = add_variable(loader, tool, &count, each->string, each->valuestring);
	}
	return err;
}

static int check_keys(const struct loader *loader, const cJSON *node)
{
	static const char *const known[] = {"slug",       "argv",      "timeout",
					    "max_output", "directory", "env"};
	const cJSON *each;

	cJSON_ArrayForEach (each, node) {
		bool is_known = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known = is_known || strcmp(known[i], each->string) == 0;
		if (!is_known)
			return complain(loader, each, "a tool does not know the key '%s'",
					each->string);
	}
	return 0;
}

static int read_tool(const struct loader *loader, struct tool *tool, const cJSON *node)
{
	int err = cJSON_IsObject(node) ? check_keys(loader, node)
				       : complain(loader, node, "%s must be a mapping", "a tool");

	if (!err)
		err = read_slug(loader, tool, node);
	if (!err)
		err = read_argv(loader, tool, node);
	if (!err)
		err = read_limits(loader, tool, node);
	if (!err)
		err = read_directory(loader, tool, node);
	return err ? err : read_env(loader, tool, node);
}

/* ---- the file */

static int read_tools(const struct loader *loader)
{
	struct tool_list *list = loader->list;
	const cJSON *tools = get(list->document.root, "tools"), *node;
	int err = 0;

	if (!cJSON_IsArray(tools))
		return complain(loader, list->document.root, "'%s' must be a list", "tools");
	list->tools = calloc((size_t)cJSON_GetArraySize(tools) + 1, sizeof(*list->tools));
	if (!list->tools)
		return error__set(loader->err, -ENOMEM, "out of memory");
	cJSON_ArrayForEach (node, tools) {
		if (!err)
			err = read_tool(loader, &list->tools[list->count], node);
		list->count++; /* also a half-read one is freed */
	}
	return err;
}

int tool_list__load(struct tool_list *list, const char *path, struct error *err)
{
	const struct loader loader = {list, err};
	const char *slash = strrchr(path, '/');
	struct file_problem problem;
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	char *text = NULL;
	size_t bytes;
	int code = directory ? 0 : error__set(err, -ENOMEM, "out of memory");

	*list = (struct tool_list){.count = 0};
	if (!code) {
		code = pack_file__read(directory, slash ? slash + 1 : path, YAML_BYTES_MAX, &text,
				       &bytes, &problem);
		if (code)
			file_problem__tell(&problem, code, path, err);
	}
	if (!code)
		code = yaml__parse(&list->document, path, text, bytes, err);
	free(text);
	free(directory);
	return code ? code : read_tools(&loader);
}

void tool_list__free(struct tool_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		param__free(&list->tools[i].argv);
		for (size_t at = 0; list->tools[i].env[at]; at++)
			free((char *)list->tools[i].env[at]);
	}
	free(list->tools);
	yaml__free(&list->document);
	*list = (struct tool_list){.count = 0};
}

const struct tool *tool_list__find(const struct tool_list *list, const char *slug)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (list->tools[i].slug && strcmp(list->tools[i].slug, slug) == 0)
			return &list->tools[i];
	return NULL;
}
