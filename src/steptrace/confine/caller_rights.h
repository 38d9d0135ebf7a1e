/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program may have rights that its caller does not have: file capabilities (make install
 * SETCAP=1), or a set-user-ID or set-group-ID bit. They are for loading BPF programs, and for
 * finding processes and their binaries. What the caller names on the command line is opened with
 * the rights of the caller:
 *
 *	code = caller_rights__use(&saved, err);
 *	if (!code) {
 *		code = open_what_the_caller_named();
 *		caller_rights__end(&saved);
 *	}
 *
 * A caller who is root, or whom systemd gave the capabilities, has all rights of the program: then
 * the functions change nothing. They change the calling thread, and a user id for the whole
 * process: call them from the only thread of the process, or when there is no set-user-ID bit.
 */
#ifndef STEPTRACE_CALLER_RIGHTS_H
#define STEPTRACE_CALLER_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

/* What the program had before. */
struct caller_rights {
	bool is_saved; /* there is something to restore */
	uid_t uid;
	gid_t gid;
	uint32_t effective[2]; /* capabilities */
};

/* Whether the program has rights that its caller does not have. */
bool caller_rights__are_fewer(void);

/* From here on, files are opened with the rights of the caller. 0, or negative errno with a
 * sentence in `err`: nothing may be opened. */
int caller_rights__use(struct caller_rights *saved, struct error *err);
void caller_rights__end(const struct caller_rights *saved);

/* For commands that do not trace: gives up for good what the caller does not have. 0, or negative
 * errno with a sentence. */
int caller_rights__leave_others(struct error *err);

/* Drops all capabilities of the calling thread for good. 0 or negative errno. */
int caller_rights__drop_capabilities(void);

#endif
