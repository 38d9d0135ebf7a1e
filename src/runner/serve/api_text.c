// SPDX-License-Identifier: BSD-2-Clause
#include "runner/serve/api_text.h"

#include "runner/value/value.h"

/* Takes ownership of `tree`. */
static char *text_of(cJSON *tree, bool is_complete)
{
	char *text = tree && is_complete ? value__json(tree) : NULL;

	cJSON_Delete(tree);
	return text;
}

static const char *category_of(unsigned int status)
{
	switch (status) {
	case 400:
	case 405: return "validation";
	case 401:
	case 403: return "permission";
	case 404: return "not_found";
	case 413:
	case 503: return "limit";
	default: return "general";
	}
}

static bool add_text_or_null(cJSON *object, const char *key, const char *text)
{
	return text && *text ? cJSON_AddStringToObject(object, key, text) != NULL
			     : cJSON_AddNullToObject(object, key) != NULL;
}

char *api_text__refusal(unsigned int status, const struct refusal *refusal,
			const char *execution_id)
{
	cJSON *root = cJSON_CreateObject(), *error;
	bool done = root && cJSON_AddBoolToObject(root, "success", false) &&
		    add_text_or_null(root, "command", refusal->slug) &&
		    add_text_or_null(root, "execution_id", execution_id);

	error = done ? cJSON_AddObjectToObject(root, "error") : NULL;
	done = error && cJSON_AddStringToObject(error, "category", category_of(status)) &&
	       cJSON_AddStringToObject(error, "reason", refusal->reason) &&
	       add_text_or_null(error, "field", refusal->field) &&
	       cJSON_AddStringToObject(error, "message", refusal->err.text);
	return text_of(root, done);
}

/* ------------------------------------------------------------------ the list of commands */

struct listing {
	cJSON *commands;
	bool is_complete;
};

static bool add_triggers(cJSON *command, const cJSON *triggers)
{
	cJSON *list = cJSON_AddArrayToObject(command, "triggers");
	const cJSON *slash = cJSON_GetObjectItemCaseSensitive(triggers, "slash"), *alias;

	if (!list)
		return false;
	if (cJSON_IsString(slash) && !cJSON_AddItemToArray(list, value__copy(slash)))
		return false;
	cJSON_ArrayForEach (alias, cJSON_GetObjectItemCaseSensitive(triggers, "aliases")) {
		if (!cJSON_AddItemToArray(list, value__copy(alias)))
			return false;
	}
	return true;
}

static void add_command(void *data, const struct pack_entry *entry)
{
	struct listing *listing = data;
	const struct pack *pack = pack_entry__runnable(entry);
	cJSON *command = pack ? cJSON_CreateObject() : NULL;
	const cJSON *triggers;

	if (!pack)
		return;
	triggers = cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "triggers");
	listing->is_complete =
		listing->is_complete && command &&
		cJSON_AddItemToArray(listing->commands, command) &&
		cJSON_AddStringToObject(command, "slug", pack->slug) &&
		cJSON_AddStringToObject(command, "name", pack->name) &&
		cJSON_AddStringToObject(command, "version", pack->version) &&
		add_triggers(command, triggers) &&
		add_text_or_null(command, "input_mode",
				 cJSON_GetStringValue(
					 cJSON_GetObjectItemCaseSensitive(triggers, "input_mode")));
}

char *api_text__commands(const struct catalogue *catalogue)
{
	cJSON *root = cJSON_CreateObject();
	struct listing listing = {.commands = cJSON_AddArrayToObject(root, "commands")};

	listing.is_complete = listing.commands != NULL;
	if (listing.is_complete)
		catalogue__each(catalogue, add_command, &listing);
	return text_of(root, listing.is_complete);
}

char *api_text__health(const struct api_health *health)
{
	cJSON *root = cJSON_CreateObject();
	bool done =
		root &&
		cJSON_AddStringToObject(root, "status", health->is_stopping ? "stopping" : "ok") &&
		cJSON_AddNumberToObject(root, "workers", (double)health->workers) &&
		cJSON_AddNumberToObject(root, "running", (double)health->running) &&
		cJSON_AddNumberToObject(root, "queued", (double)health->queued) &&
		cJSON_AddNumberToObject(root, "queue_limit", (double)health->queue_limit);

	return text_of(root, done);
}
