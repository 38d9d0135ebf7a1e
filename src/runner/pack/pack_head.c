// SPDX-License-Identifier: BSD-2-Clause
/* The head of a manifest: everything but its steps. */
#include <stdio.h>
#include <string.h>

#include "runner/pack/pack_loader.h"

static bool is_absent(const cJSON *node)
{
	return !node || cJSON_IsNull(node);
}

/* ------------------------------------------------------------------ name, slug, version */

static bool is_semver(const char *text)
{
	int major, minor, patch, used = 0;

	return sscanf(text, "%6d.%6d.%6d%n", &major, &minor, &patch, &used) == 3 &&
	       text[0] != '-' && (text[used] == 0 || text[used] == '-' || text[used] == '+');
}

static void read_version(const struct loader *loader)
{
	const cJSON *root = loader->pack->manifest.root, *version = loader__get(root, "version");

	loader->pack->version = loader__text(root, "version");
	if (!version)
		loader__complain(loader, RULE_MISSING_KEY, root, "'version' is missing");
	else if (!loader->pack->version)
		loader__complain(loader, RULE_INVALID_VALUE, version,
				 "'version' must be text like 1.0.0");
	else if (!is_semver(loader->pack->version))
		loader__complain(loader, RULE_INVALID_VALUE, version,
				 "the version '%s' is not of the form 1.0.0",
				 loader->pack->version);
}

/* The text of a key that must be there. */
static const char *read_text(const struct loader *loader, const char *key)
{
	const cJSON *root = loader->pack->manifest.root, *node = loader__get(root, key);

	if (is_absent(node))
		loader__complain(loader, RULE_MISSING_KEY, node ? node : root, "'%s' is missing",
				 key);
	else if (!loader__text(root, key))
		loader__complain(loader, RULE_INVALID_VALUE, node, "'%s' must be text", key);
	return loader__text(root, key);
}

static void read_names(const struct loader *loader)
{
	struct pack *pack = loader->pack;

	pack->name = read_text(loader, "name");
	pack->own_slug = read_text(loader, "slug");
	if (pack->own_slug && !pack__is_slug(pack->own_slug))
		loader__complain(loader, RULE_INVALID_VALUE,
				 loader__get(pack->manifest.root, "slug"),
				 "'%s' is not a slug (a lower-case letter, then lower-case "
				 "letters, digits, '_', '-' and '.')",
				 pack->own_slug);
}

/* ------------------------------------------------------------------ timeout, requires, triggers */

/* Seconds. */
static void read_timeout(const struct loader *loader)
{
	const cJSON *timeout = loader__get(loader->pack->manifest.root, "timeout");
	double seconds = cJSON_IsNumber(timeout) ? timeout->valuedouble : 0;

	if (is_absent(timeout))
		return;
	if (seconds > 0 && seconds <= PACK_TIMEOUT_S_MAX)
		loader->pack->timeout_ns = (uint64_t)(seconds * 1e9);
	else
		loader__complain(loader, RULE_INVALID_VALUE, timeout,
				 "'timeout' must be a number of seconds, at most a day");
}

/* Returns the list if it can be used. */
static const cJSON *read_texts(const struct loader *loader, const cJSON *mapping, const char *key)
{
	const cJSON *list = loader__get(mapping, key), *item;
	bool is_good = true;

	if (is_absent(list))
		return NULL;
	if (!cJSON_IsArray(list)) {
		loader__complain(loader, RULE_INVALID_VALUE, list, "'%s' must be a list", key);
		return NULL;
	}
	cJSON_ArrayForEach (item, list) {
		if (cJSON_IsString(item))
			continue;
		is_good = false;
		loader__complain(loader, RULE_INVALID_VALUE, item, "'%s' must be a list of texts",
				 key);
	}
	return is_good ? list : NULL;
}

static const cJSON *read_mapping(const struct loader *loader, const char *key)
{
	const cJSON *mapping = loader__get(loader->pack->manifest.root, key);

	if (is_absent(mapping) || cJSON_IsObject(mapping))
		return mapping;
	loader__complain(loader, RULE_INVALID_VALUE, mapping, "'%s' must be a mapping", key);
	return NULL;
}

static void read_requires(const struct loader *loader)
{
	const cJSON *requires = read_mapping(loader, "requires");

	loader->pack->secrets = read_texts(loader, requires, "secrets");
	loader->pack->capabilities = read_texts(loader, requires, "capabilities");
}

static void read_triggers(const struct loader *loader)
{
	const cJSON *triggers = read_mapping(loader, "triggers");
	const cJSON *slash = loader__get(triggers, "slash");
	const char *mode = loader__text(triggers, "input_mode");

	if (slash && !loader__text(triggers, "slash"))
		loader__complain(loader, RULE_INVALID_VALUE, slash, "'slash' must be text");
	if (mode && strcmp(mode, "inline") && strcmp(mode, "none") && strcmp(mode, "modal"))
		loader__complain(loader, RULE_INVALID_VALUE, loader__get(triggers, "input_mode"),
				 "the input_mode must be inline, none or modal, not '%s'", mode);
	read_texts(loader, triggers, "aliases");
}

void pack_head__read(const struct loader *loader)
{
	read_names(loader);
	read_version(loader);
	read_timeout(loader);
	read_triggers(loader);
	read_requires(loader);
}
