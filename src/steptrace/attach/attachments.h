/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The binaries whose probes are attached.
 *
 *	attachments__begin -> attachments__open -> attachments__add, attachments__remove, ...
 *	                   -> attachments__close
 *
 * A uprobe belongs to a file, not to a process: every process that maps the file is traced, now
 * and later. Detaching a probe waits until all processors have left its handler, some 30 ms each.
 * So while a recording goes on it is done in the background, and at the end for all probes at the
 * same time. A kill -9 of the tracer must not interrupt it: see attach_child.h.
 */
#ifndef STEPTRACE_ATTACHMENTS_H
#define STEPTRACE_ATTACHMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/binary.h"
#include "steptrace/attach/detachers.h"
#include "steptrace/attach/site_choice.h"
#include "steptrace/attach/writers.h"
#include "steptrace/capture/capture.h"
#include "steptrace/capture/uprobe.h"

struct attachment {
	struct binary *binary;      /* owned */
	struct steptrace_file file; /* as the kernel knows it */
	struct guard guard;         /* against programs that write to the file */
	enum site_kind site;
	uint64_t used_ns;     /* when a process was last seen to use it */
	bool is_named;        /* by -x: it stays attached also while no process runs it */
	bool is_loaded_twice; /* a process loaded it again meanwhile; it was logged */
	bool is_new;          /* follower_events.attached was not called yet */
	int *links;           /* descriptors, owned; closing them detaches */
	size_t links_count;
};

struct attachments {
	struct capture *capture; /* borrowed */
	struct site_choice sites;
	bool is_begun;
	int measurer_fd; /* a pipe from the child that measures; -1: it was read */
	struct writers writers;
	struct attachment **items; /* owned */
	size_t count;
	struct detachers detachers; /* also the child that measures */
	/* Files that were removed while one of these children runs: their probes may still fire. */
	struct steptrace_file leaving[DETACHERS_MAX];
	size_t leaving_count;
};

/* Starts the measurement of sites (see site_choice.h) in a child. It mostly waits, and meanwhile
 * the caller can load the BPF programs. */
void attachments__begin(struct attachments *set);

/* Waits for the measurement. From then on binaries are attached to the programs of `capture`.
 * Blocks SIGIO (see writers.h). 0 or negative errno with a sentence. */
int attachments__open(struct attachments *set, struct capture *capture, struct error *err);

/*
 * Attaches to every probe of the binary for which `capture` has a program. Returns 0 and
 * *attachment, and owns the binary; or negative errno with a sentence, nothing of it is attached
 * and the caller still owns it. -ETXTBSY: a program is writing to the file, or did a moment ago;
 * try again later.
 */
int attachments__add(struct attachments *set, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **attachment,
		     struct error *err);

/* By inode and file system: while the attachment holds the file open, no other file can get these.
 * NULL: it is not attached. */
struct attachment *attachments__find(const struct attachments *set,
				     const struct steptrace_file *file);

/* Waits for children that have ended. Call it now and then, so that they leave no zombies. */
void attachments__reap(struct attachments *set);

/* Detaches and frees. With `wait` it returns when no handler of its probes runs any more, and
 * writers of the file go on; without, both happen in the background. */
void attachments__remove(struct attachments *set, struct attachment *attachment, bool wait);

/* Detaches everything, and returns when no handler runs any more. Also for a zeroed set. */
void attachments__close(struct attachments *set);

/* The kind of site that is used in a binary that has all kinds. */
enum site_kind attachments__site(const struct attachments *set);

/* Overrules the choice, before attachments__add(). 0, or -ENOTSUP: such probes do not fire on this
 * kernel. */
int attachments__use_site(struct attachments *set, enum site_kind site);

#endif
