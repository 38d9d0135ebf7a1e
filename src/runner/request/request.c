// SPDX-License-Identifier: BSD-2-Clause
#include "runner/request/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runner/request/command_text.h"
#include "runner/request/unique_names.h"
#include "runner/value/foreign_text.h"

/* ------------------------------------------------------------------ refusing */

int refusal__set(struct refusal *refusal, int code, const char *reason, const char *field,
		 const char *format, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	refusal->reason = reason;
	refusal->field = field;
	return error__set(&refusal->err, code, "%s", text);
}

void refusal__name(struct refusal *refusal, const char *command)
{
	char name[COMMAND_NAME_BYTES];

	refusal->slug[0] = 0;
	if (command_text__name(command, name) && pack__is_slug(name))
		snprintf(refusal->slug, sizeof(refusal->slug), "%.*s", PACK_SLUG_BYTES - 1, name);
}

static int no_memory(struct refusal *refusal)
{
	return refusal__set(refusal, -ENOMEM, "out_of_memory", NULL, "out of memory");
}

static int invalid(struct refusal *refusal, const char *field, const char *what)
{
	return refusal__set(refusal, -EINVAL, "invalid_argument", field, "'%s' %s", field, what);
}

/* ------------------------------------------------------------------ the command */

int request__find_pack(const struct catalogue *catalogue, const char *name,
		       const struct pack **pack, struct refusal *refusal)
{
	const struct pack_entry *entry = catalogue__find(catalogue, name);

	*pack = NULL;
	if (!entry)
		return refusal__set(refusal, -ENOENT, "unknown_command", NULL,
				    "there is no command '%.128s'", name);
	*pack = pack_entry__runnable(entry);
	if (!*pack)
		return refusal__set(refusal, -ENOEXEC, "invalid_pack", NULL,
				    "the pack of the command '%.128s' cannot be loaded", name);
	snprintf(refusal->slug, sizeof(refusal->slug), "%.*s", PACK_SLUG_BYTES - 1, (*pack)->slug);
	return 0;
}

/* *rest is the text behind the name. */
static int find_command(struct request *request, const struct catalogue *catalogue,
			const char *command, const char **rest, struct refusal *refusal)
{
	char name[COMMAND_NAME_BYTES];

	refusal__name(refusal, command);
	*rest = command_text__name(command, name);
	if (!*rest)
		return refusal__set(refusal, -ENOENT, "unknown_command", NULL,
				    "there is no command with such a long name");
	if (!name[0])
		return invalid(refusal, "command", "is empty");
	return request__find_pack(catalogue, name, &request->pack, refusal);
}

/* ------------------------------------------------------------------ the members */

enum { MEMBER_COUNT = 3 };

/* A refusal outlives the request, and names one of these. */
static const char *const members[MEMBER_COUNT] = {"command", "arguments", "dry_run"};

static int check_members(const cJSON *root, struct refusal *refusal)
{
	bool is_there[MEMBER_COUNT] = {false};
	const cJSON *member;

	cJSON_ArrayForEach (member, root) {
		size_t at = 0;

		while (at < MEMBER_COUNT && strcmp(member->string, members[at]))
			at++;
		if (at == MEMBER_COUNT)
			return refusal__set(refusal, -EINVAL, "invalid_argument", NULL,
					    "a request has the members command, arguments and "
					    "dry_run, not '%.64s'",
					    member->string);
		if (is_there[at])
			return invalid(refusal, members[at], "is there twice");
		is_there[at] = true;
	}
	return 0;
}

static bool is_empty(const cJSON *arguments)
{
	return !arguments || cJSON_IsNull(arguments) ||
	       ((cJSON_IsObject(arguments) || cJSON_IsArray(arguments)) && !arguments->child);
}

static int check_names(const cJSON *arguments, struct refusal *refusal)
{
	switch (unique_names__check(arguments)) {
	case 0: return 0;
	case -EEXIST: return invalid(refusal, "arguments", "has a name twice in one object");
	default: return no_memory(refusal);
	}
}

static int read_arguments(struct request *request, cJSON *root, const char *text,
			  struct refusal *refusal)
{
	cJSON *arguments = cJSON_GetObjectItemCaseSensitive(root, "arguments");
	struct error err;
	int code;

	if (!is_empty(arguments)) {
		if (!cJSON_IsObject(arguments))
			return invalid(refusal, "arguments", "must be an object");
		if (*text)
			return invalid(refusal, "command",
				       "has text behind its name, and 'arguments' is not empty: "
				       "put the text into the argument 'body'");
		code = check_names(arguments, refusal);
		if (code)
			return code;
		request->input = cJSON_DetachItemViaPointer(root, arguments);
		return 0;
	}
	code = command_text__arguments(text, &request->input, &err);
	if (code == -ENOMEM)
		return no_memory(refusal);
	return code ? refusal__set(refusal, -EINVAL, "invalid_argument", "command", "%s", err.text)
		    : 0;
}

static int read_members(struct request *request, const struct catalogue *catalogue, cJSON *root,
			struct refusal *refusal)
{
	const cJSON *dry_run = cJSON_GetObjectItemCaseSensitive(root, "dry_run");
	const cJSON *command = cJSON_GetObjectItemCaseSensitive(root, "command");
	const char *rest;
	int err = check_members(root, refusal);

	if (err)
		return err;
	if (!cJSON_IsString(command))
		return invalid(refusal, "command", "must be text");
	if (dry_run && !cJSON_IsBool(dry_run) && !cJSON_IsNull(dry_run))
		return invalid(refusal, "dry_run", "must be true or false");
	request->dry_run = cJSON_IsTrue(dry_run);
	err = find_command(request, catalogue, command->valuestring, &rest, refusal);
	return err ? err : read_arguments(request, root, rest, refusal);
}

int request__read(struct request *request, const struct catalogue *catalogue, const char *body,
		  size_t bytes, struct refusal *refusal)
{
	struct error err;
	cJSON *root;
	int code;

	*request = (struct request){.pack = NULL};
	refusal->slug[0] = 0;
	code = foreign_json__parse(body, bytes, "the body of the request", &root, &err);
	if (code == -ENOMEM)
		return no_memory(refusal);
	if (code)
		return refusal__set(refusal, -EINVAL, "malformed_request", NULL, "%s", err.text);
	if (cJSON_IsObject(root))
		code = read_members(request, catalogue, root, refusal);
	else
		code = refusal__set(refusal, -EINVAL, "malformed_request", NULL,
				    "the body of the request is not a JSON object");
	cJSON_Delete(root);
	if (code)
		request__free(request);
	return code;
}

void request__free(struct request *request)
{
	cJSON_Delete(request->input);
	request->input = NULL;
}
