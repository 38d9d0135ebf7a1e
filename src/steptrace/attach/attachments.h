/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The binaries whose probes are attached.
 *
 * A uprobe belongs to a file, not to a process: whoever maps the file is traced, now and later. To
 * detach is to wait until every processor has left the handler, some 30 ms for each probe, so it is
 * done in the background while the recording goes on, side by side at its end. A kill -9 of the tracer
 * must not hit it there: see attach_child.h.
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
#include "steptrace/capture/capture.h"
#include "steptrace/capture/uprobe.h"

struct attachment {
	struct binary *binary;      /* owned */
	struct steptrace_file file; /* as the kernel knows it */
	enum site_kind site;
	uint64_t used_ns; /* when it was last seen in a process */
	bool is_kept;     /* used or not: it was named */
	bool is_new;      /* nobody was told of it yet */
	int *links;       /* owned; closing them detaches */
	size_t links_count;
};

struct attachments {
	struct capture *capture; /* borrowed */
	struct site_choice sites;
	bool is_begun;
	int measurer_fd;           /* what the child that measures writes to; -1: it has */
	struct attachment **items; /* owned */
	size_t count;
	struct detachers detachers;
};

/* Begins to measure which sites are fast here (see site.h), in a child: it waits more than it works,
 * and so does the loading of programs that goes on meanwhile. */
void attachments__begin(struct attachments *set);

/* Waits for the measurement; from here on binaries are attached to what `capture` has. */
int attachments__open(struct attachments *set, struct capture *capture, struct error *err);

/* Attaches to every probe of the binary that `capture` has a program for, and takes the binary
 * over; on failure nothing of it stays attached and it remains the caller's. */
int attachments__add(struct attachments *set, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **attachment,
		     struct error *err);

/* By inode and device: as long as it is held open, no other file can get them. */
struct attachment *attachments__find(const struct attachments *set,
				     const struct steptrace_file *file);

/* Now and then: what was left of those that worked in the background. */
void attachments__reap(struct attachments *set);

/* Detaches and frees, in the background or (`wait`) until no handler of these runs any more. */
void attachments__remove(struct attachments *set, struct attachment *attachment, bool wait);

/* Also for a zeroed set. Detaches everything; returns when no handler of these runs any more. */
void attachments__close(struct attachments *set);

/* Which kind of site is used where a binary has them all. */
enum site_kind attachments__site(const struct attachments *set);

/* Overrules the choice; before attachments__add(). -ENOTSUP: probes there do not fire on this kernel. */
int attachments__use_site(struct attachments *set, enum site_kind site);

#endif
