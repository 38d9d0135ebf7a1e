// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/unit_sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/unit_settings.h"

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 4 };

static bool is_yes(const char *value)
{
	return strcmp(value, "yes") == 0 || strcmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
	       strcmp(value, "on") == 0;
}

/* ---- settings with one value */

static void set_private_network(struct unit_sandbox *sandbox, const char *value)
{
	sandbox->has_private_network = is_yes(value);
}

static void set_private_tmp(struct unit_sandbox *sandbox, const char *value)
{
	sandbox->has_private_tmp = *value && strcmp(value, "no") != 0;
}

static void set_protect_system(struct unit_sandbox *sandbox, const char *value)
{
	sandbox->is_strict = strcmp(value, "strict") == 0;
}

static void set_exec_start(struct unit_sandbox *sandbox, const char *value)
{
	const char *at = strstr(value, " --config");

	at = at ? at + strlen(" --config") : "";
	at += strspn(at, " =");
	snprintf(sandbox->config, sizeof(sandbox->config), "%.*s", (int)strcspn(at, " "), at);
}

/* ---- settings with a list: an empty value clears it */

static void add_denied_addresses(struct unit_sandbox *sandbox, const char *value)
{
	sandbox->denies_addresses = *value != 0;
}

static void add_allowed_addresses(struct unit_sandbox *sandbox, const char *value)
{
	sandbox->allows_addresses = *value != 0;
}

static unsigned int families_of(const char *value)
{
	static const char *const names[] = {"AF_UNIX", "AF_INET", "AF_INET6"};
	unsigned int found = 0;

	for (; *value; value += strcspn(value, " "), value += strspn(value, " "))
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strlen(names[i]) == strcspn(value, " ") &&
			    strncmp(value, names[i], strlen(names[i])) == 0)
				found |= 1u << i;
	return found;
}

/* "~" before the names takes them from what is allowed; the first line decides what is listed. */
static void add_families(struct unit_sandbox *sandbox, const char *value)
{
	bool is_inverted = *value == '~';
	unsigned int families = families_of(value + is_inverted);

	if (!sandbox->restricts_families || !*value) {
		sandbox->lists_denied = is_inverted;
		sandbox->listed = 0;
	}
	sandbox->restricts_families = *value != 0;
	if (is_inverted == sandbox->lists_denied)
		sandbox->listed |= families;
	else
		sandbox->listed &= ~families;
}

static void add_path(struct unit_sandbox *sandbox, const char *base, const char *name, size_t bytes)
{
	char *path;

	if (sandbox->writable_count == UNIT_PATHS_MAX ||
	    asprintf(&path, "%s%.*s", base, (int)bytes, name) < 0)
		return;
	sandbox->writable[sandbox->writable_count++] = path;
}

/* "-" and "+" before a path are no part of it; ":" after a name begins a link. */
static void add_paths(struct unit_sandbox *sandbox, const char *base, const char *value)
{
	for (; *value; value += strcspn(value, " "), value += strspn(value, " ")) {
		value += strspn(value, "-+");
		if (strcspn(value, " :"))
			add_path(sandbox, base, value, strcspn(value, " :"));
	}
}

static void add_writable(struct unit_sandbox *sandbox, const char *value)
{
	add_paths(sandbox, "", value);
}

static void add_logs(struct unit_sandbox *sandbox, const char *value)
{
	add_paths(sandbox, "/var/log/", value);
}

static void add_state(struct unit_sandbox *sandbox, const char *value)
{
	add_paths(sandbox, "/var/lib/", value);
}

static void add_cache(struct unit_sandbox *sandbox, const char *value)
{
	add_paths(sandbox, "/var/cache/", value);
}

static void add_runtime(struct unit_sandbox *sandbox, const char *value)
{
	add_paths(sandbox, "/run/", value);
}

static const struct {
	const char *key;
	void (*set)(struct unit_sandbox *sandbox, const char *value);
} settings[] = {
	{"ExecStart", set_exec_start},
	{"PrivateNetwork", set_private_network},
	{"IPAddressDeny", add_denied_addresses},
	{"IPAddressAllow", add_allowed_addresses},
	{"RestrictAddressFamilies", add_families},
	{"ProtectSystem", set_protect_system},
	{"PrivateTmp", set_private_tmp},
	{"ReadWritePaths", add_writable},
	{"LogsDirectory", add_logs},
	{"StateDirectory", add_state},
	{"CacheDirectory", add_cache},
	{"RuntimeDirectory", add_runtime},
};

static void on_setting(void *context, const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(settings[i].key, key) == 0)
			settings[i].set(context, value);
}

/* ---- reading */

bool unit_sandbox__find(char path[PATH_MAX])
{
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system",
					      "/usr/local/lib/systemd/system",
					      "/usr/lib/systemd/system", "/lib/systemd/system"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, PATH_MAX, "%s/steptrace.service", folders[i]);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

int unit_sandbox__read(struct unit_sandbox *sandbox, const char *path, struct error *err)
{
	*sandbox = (struct unit_sandbox){0};
	snprintf(sandbox->path, sizeof(sandbox->path), "%s", path);
	return unit_settings__read(path, on_setting, sandbox, err);
}

void unit_sandbox__free(struct unit_sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->writable_count; i++)
		free(sandbox->writable[i]);
	sandbox->writable_count = 0;
}

/* ---- answers */

static bool allows_family(const struct unit_sandbox *sandbox, unsigned int family)
{
	bool is_listed = sandbox->listed & family;

	return !sandbox->restricts_families || is_listed != sandbox->lists_denied;
}

const char *unit_sandbox__forbids_network(const struct unit_sandbox *sandbox)
{
	if (sandbox->has_private_network)
		return "PrivateNetwork=yes";
	if (sandbox->denies_addresses && !sandbox->allows_addresses)
		return "IPAddressDeny=";
	if (!allows_family(sandbox, FAMILY_INET) && !allows_family(sandbox, FAMILY_INET6))
		return "RestrictAddressFamilies=";
	return NULL;
}

const char *unit_sandbox__forbids_unix(const struct unit_sandbox *sandbox)
{
	return allows_family(sandbox, FAMILY_UNIX) ? NULL : "RestrictAddressFamilies=";
}

static bool is_below(const char *path, const char *folder)
{
	size_t bytes = strlen(folder);

	while (bytes && folder[bytes - 1] == '/')
		bytes--;
	return strncmp(path, folder, bytes) == 0 && (path[bytes] == '/' || path[bytes] == 0);
}

const char *unit_sandbox__forbids_path(const struct unit_sandbox *sandbox, const char *path)
{
	if (sandbox->has_private_tmp && (is_below(path, "/tmp") || is_below(path, "/var/tmp")))
		return "PrivateTmp=";
	if (!sandbox->is_strict || is_below(path, "/dev"))
		return NULL;
	for (size_t i = 0; i < sandbox->writable_count; i++)
		if (is_below(path, sandbox->writable[i]) && !strstr(path, "/../"))
			return NULL;
	return "ProtectSystem=strict";
}
