/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The binaries whose probes are attached.
 *
 *	attachments__begin -> attachments__open -> attachments__add -> attachments__release
 *	                   -> (attachments__poll until attachment__is_released)
 *	                   -> attachments__remove -> attachments__close
 *
 * A uprobe belongs to a file, not to a process: every process that maps the file is traced, now
 * and later. One link has all probes of a binary, where the kernel has uprobe_multi links.
 * Releasing it waits until all processors have left its handler, some 50 ms. So it is done in the
 * background, by other processes (links.h), and an attachment stays in the set until the kernel has
 * let go of it: as long as its probes may fire, the file cannot be attached again.
 */
#ifndef STEPTRACE_ATTACHMENTS_H
#define STEPTRACE_ATTACHMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/binary.h"
#include "steptrace/attach/links.h"
#include "steptrace/attach/site_choice.h"
#include "steptrace/attach/writers.h"
#include "steptrace/capture/capture.h"
#include "steptrace/capture/uprobe.h"

struct attachment {
	struct binary *binary;      /* owned */
	struct steptrace_file file; /* as the kernel knows it */
	struct guard guard;         /* against programs that write to the file */
	enum site_kind site;
	uint64_t used_ns; /* when a process was last seen to use it */
	uint64_t late_ns; /* how long a process had used it when it was attached; 0: not known */
	bool is_named;    /* by -x: it stays attached also while no process runs it */
	bool is_loaded_twice; /* a process loaded it again meanwhile; it was logged */
	bool is_new;          /* follower_events.attached was not called yet */
	bool is_leaving;      /* attachments__release() was called, or a link was lost */
	struct link **links;  /* owned; one, or one for each process of attachments__only_pids() */
	size_t links_count;
};

struct attachments {
	struct capture *capture; /* borrowed */
	struct site_choice sites;
	bool is_begun;
	struct writers writers;
	pid_t measurer;            /* the child that measures; 0: it has ended */
	int measurer_fd;           /* a pipe from it; -1: it was read */
	struct attachment **items; /* owned */
	size_t count;
	struct links links;
	uint64_t open_files_max; /* the limit of this process */
	const pid_t *only_pids;  /* borrowed */
	size_t only_pids_count;  /* 0: all processes */
};

/* Starts the measurement of sites (see site_choice.h) in a child, and the processes that hold
 * links. They mostly wait, and meanwhile the caller can load the BPF programs. 0 or negative errno
 * with a sentence. */
int attachments__begin(struct attachments *set, struct error *err);

/* Waits for the measurement; if it failed, every probe is attached at SITE_NOP1. From then on
 * binaries are attached to the programs of `capture`. Blocks SIGIO (see writers.h). 0 or negative
 * errno with a sentence. */
int attachments__open(struct attachments *set, struct capture *capture, struct error *err);

/*
 * From now on probes are attached in these processes alone: the others that map the file have
 * neither breakpoints nor a raised semaphore. What these processes fork is not traced, but has the
 * breakpoints. `pids` is borrowed. 0, or -ENOTSUP: this kernel has no uprobe_multi links.
 */
int attachments__only_pids(struct attachments *set, const pid_t *pids, size_t count);

/*
 * Attaches to every probe of the binary for which `capture` has a program. Returns 0 and
 * *attachment, and owns the binary; or negative errno with a sentence, nothing of it is attached
 * and the caller still owns it. -EMFILE: some descriptors are kept for other uses.
 * -ETXTBSY: a program is writing to the file, or did a moment ago; try again later.
 */
int attachments__add(struct attachments *set, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **attachment,
		     struct error *err);

/* By inode and file system: while the attachment holds the file open, no other file can get these.
 * NULL: it is not attached. */
struct attachment *attachments__find(const struct attachments *set,
				     const struct steptrace_file *file);

/* Learns what was released meanwhile, and which links were lost because a process that held them
 * was killed. Does not wait. */
void attachments__poll(struct attachments *set);

/* Begins to detach. */
void attachments__release(struct attachments *set, struct attachment *attachment);

/* Whether it is leaving and no handler of its probes runs any more. */
bool attachment__is_released(const struct attachment *attachment);

/* Whether a process that held one of its links was killed. */
bool attachment__is_lost(const struct attachment *attachment);

/* Returns when attachment__is_released(). It must be leaving. */
void attachments__await(struct attachments *set, const struct attachment *attachment);

/* Frees an attachment that is released; writers of the file go on. */
void attachments__remove(struct attachments *set, struct attachment *attachment);

/* Detaches everything, and returns when no handler runs any more. Also for a zeroed set. */
void attachments__close(struct attachments *set);

/* The kind of site that is used in a binary that has all kinds. */
enum site_kind attachments__site(const struct attachments *set);

/* Overrules the choice, before attachments__add(). 0, or -ENOTSUP: such probes do not fire on this
 * kernel. */
int attachments__use_site(struct attachments *set, enum site_kind site);

#endif
