/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the binaries that target processes run, and attaches and detaches their probes in time.
 *
 *	the kernel reports an exec of an unknown file
 *		-> the file is read at once
 *	the kernel reports an executable mapping (mmap_records.h)
 *		-> an unknown library is read at once, also one that was loaded by dlopen
 *	the holder has an exec wait (exec_hold.h)
 *		-> the program is attached before it runs
 *	up to four times a second an iterator scans all executable mappings
 *		-> finds what the reports left out, and which files are still in use
 *
 * Files are opened through /proc and are known by the inode that the kernel maps. So the path
 * that a process shows does not matter, nor its mount namespace, nor whether the file was
 * deleted, nor how many overlays show it. A file without probes is read once.
 */
#ifndef STEPTRACE_FOLLOWER_H
#define STEPTRACE_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/attachments.h"
#include "steptrace/attach/exec_hold.h"
#include "steptrace/attach/postponed.h"
#include "steptrace/attach/seen_files.h"
#include "steptrace/attach/targets.h"
#include "steptrace/attach/untraced.h"
#include "steptrace/capture/capture.h"
#include "steptrace/capture/mmap_records.h"

/* Called when something is attached or detached. `pids` are the processes that run the file, as
 * far as they are known; their count may be 0. */
struct follower_events {
	void (*attached)(void *context, const struct attachment *attachment, const uint32_t *pids,
			 size_t pids_count);
	void (*detached)(void *context, const struct attachment *attachment);
	void *context;
};

/* The time between two scans. It is longer where a scan takes long. */
enum { FOLLOWER_SCAN_NS = 250000000 };

/* What was last found at a path of -x. */
struct named_file {
	dev_t device; /* with the next two: which file, as stat() shows it */
	ino_t inode;
	uint64_t changed_ns;
	struct steptrace_file file; /* the same as the kernel knows it, if it was attached */
	int code;                   /* 0: it was attached; or why not */
	uint64_t next_try_ns;
};

struct follower {
	const struct targets *targets; /* borrowed, as the next two */
	struct capture *capture;
	struct attachments *attachments;
	struct follower_events events;
	uint64_t linger_ns;    /* how long a binary stays attached after its last process */
	uint64_t next_scan_ns; /* on CLOCK_MONOTONIC; 0: at the next tick */
	struct postponed postponed;
	struct untraced untraced;
	struct named_file named[TARGETS_MAX];
	bool releases_unused; /* the next tick does follower__release_unused() */
	bool is_blind;        /* the last scan failed, and that was reported */
	struct seen_files seen;
	bool is_started;
	bool saw_probes;       /* a wanted process was seen to run a file with attached probes */
	bool warned_unguarded; /* of a file that can be overwritten while it is attached */
};

/*
 * Attaches to what runs already. 0 or negative errno with a sentence. A process or binary that
 * was named and has no probes is an error. A command (`command_path`, or NULL) may have none:
 * what it executes may have them.
 */
int follower__start(struct follower *follower, const char *command_path, struct error *err);

/* Reacts to a process that began to execute an unknown file. */
void follower__execed(struct follower *follower, const struct process_exec *exec);

/* Detaches from files that a program is about to write to, or did write to. Call it when
 * attachments.writers.wakeup_fd is readable. */
void follower__let_writers_go(struct follower *follower);

/* Attaches to the program of an exec that waits, and lets it go on. */
void follower__held(struct follower *follower, struct exec_hold *hold,
		    const struct held_exec *exec);

/* Reacts to an executable mapping that a process made. */
void follower__mapped(struct follower *follower, const struct mmap_record *record);

/* Whether the process of the record is one of the targets. */
bool follower__may_trace(const struct follower *follower, const struct mmap_record *record);

/* Detaches from files that changed. Scans, where it is time to. Call it every FOLLOWER_SCAN_NS. */
void follower__tick(struct follower *follower, uint64_t now_ns);

/* At the next tick, detaches from all files that no process runs, so that file systems can be
 * unmounted. A process that executes one of them later is traced again. */
void follower__release_unused(struct follower *follower);

#endif
