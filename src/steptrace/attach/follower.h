/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows the processes that are meant and keeps the probes of what they run attached.
 *
 *	the kernel reports an exec of a file that nobody looked at	-> looked at, at once
 *	an iterator walks over all mappings a few times a second	-> libraries, dlopen, and who
 *									   still runs what
 *
 * Files are opened through /proc where a process has them and are known by what the kernel maps,
 * so it does not matter what a path says, whose mount namespace it belongs to, whether the file was
 * deleted, or how many overlays show it. A file without probes is looked at once.
 */
#ifndef STEPTRACE_FOLLOWER_H
#define STEPTRACE_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/attachments.h"
#include "steptrace/attach/targets.h"
#include "steptrace/capture/capture.h"

/* Told what changes; `pids` are processes that run it, as far as they are known. */
struct follower_events {
	void (*attached)(void *context, const struct attachment *attachment, const uint32_t *pids,
			 size_t pids_count);
	void (*detached)(void *context, const struct attachment *attachment);
	void *context;
};

enum { FOLLOWER_SCAN_NS = 250000000 }; /* at most one scan of all mappings in this time */

struct follower {
	const struct targets *targets;
	struct capture *capture;
	struct attachments *attachments;
	struct follower_events events;
	uint64_t linger_ns; /* how long a binary stays attached that no process runs */
	uint64_t next_scan_ns;
	bool is_started;
};

/* Attaches to what is there. A target that was named and has no probes is an error; the command
 * (`command_path`, or NULL) may also be something that runs one. */
int follower__start(struct follower *follower, const char *command_path, struct error *err);

/* A process began to execute a file that is not known. */
void follower__execed(struct follower *follower, const struct process_exec *exec);

/* Looks around when it is time to. */
void follower__tick(struct follower *follower, uint64_t now_ns);

#endif
