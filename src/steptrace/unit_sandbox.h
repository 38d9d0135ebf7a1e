/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sandbox of a systemd unit allows a recording: which address families and paths. Only the
 * settings that steptrace.service uses, or that a drop-in for it would use, are understood:
 *
 *	PrivateNetwork= IPAddressDeny= IPAddressAllow= RestrictAddressFamilies=
 *	ProtectSystem=strict ReadWritePaths= LogsDirectory= StateDirectory= CacheDirectory=
 *	RuntimeDirectory= PrivateTmp=
 *
 * A unit with other restrictions may forbid more than is said here.
 */
#ifndef STEPTRACE_UNIT_SANDBOX_H
#define STEPTRACE_UNIT_SANDBOX_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum { UNIT_PATHS_MAX = 64 };

struct unit_sandbox {
	char path[PATH_MAX];   /* of the unit */
	char config[PATH_MAX]; /* after --config in ExecStart=; "": none */
	bool has_private_network, denies_addresses, allows_addresses;
	bool restricts_families, lists_denied; /* `listed` are the only ones, or the denied ones */
	unsigned int listed;                   /* FAMILY_UNIX | ... */
	bool is_strict, has_private_tmp;
	char *writable[UNIT_PATHS_MAX]; /* owned */
	size_t writable_count;
};

/* The path of steptrace.service as systemd finds it. False: it is not installed. */
bool unit_sandbox__find(char path[PATH_MAX]);

/* 0, or negative errno with a sentence. The caller frees the sandbox in any case. */
int unit_sandbox__read(struct unit_sandbox *sandbox, const char *path, struct error *err);
void unit_sandbox__free(struct unit_sandbox *sandbox);

/* The setting that forbids it, such as "PrivateNetwork=yes"; NULL: it is allowed. */
const char *unit_sandbox__forbids_network(const struct unit_sandbox *sandbox);
const char *unit_sandbox__forbids_unix(const struct unit_sandbox *sandbox);
/* Writing to a path; a relative one is below "/", where services run. */
const char *unit_sandbox__forbids_path(const struct unit_sandbox *sandbox, const char *path);

#endif
