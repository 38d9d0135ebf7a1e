/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side: loads the program of bpf/, attaches it to binaries, hands records over.
 *
 *	capture__open -> capture__attach (each binary) -> capture__armed
 *	              -> capture__drain ... -> capture__detach -> capture__drain -> capture__close
 *
 * libbpf and the skeleton are used in this file only.
 */
#ifndef STEPTRACE_CAPTURE_H
#define STEPTRACE_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/binary.h"
#include "steptrace/record.h"
#include "steptrace/site.h"
#include "steptrace/uprobe.h"

struct capture_options {
	size_t buffer_bytes; /* of the ring buffer; a power of two, at least a page */
	const pid_t *pids;   /* which processes are meant; NULL: all that run the binaries */
	size_t pids_count;
};

struct capture;

/* Loads the programs of those probes that make an event. 0 or negative errno with a sentence that
 * says what is missing. */
int capture__open(const struct capture_options *options, struct capture **capture,
		  struct error *err);
void capture__close(struct capture *capture);

/* Attaches to every probe of the binary. On failure nothing of it stays attached. */
int capture__attach(struct capture *capture, const struct binary *binary, struct error *err);

/* From now on a command whose start is captured need not be introduced again. */
void capture__armed(struct capture *capture);

/* Readable when the unread records pass the watermark. */
int capture__wakeup_fd(const struct capture *capture);

typedef int record_fn(void *context, const void *bytes, size_t size_bytes);

/*
 * Hands over unread records until there are none, `limit` were given or `each` returns non-zero.
 * Returns how many, or what `each` returned if that was negative.
 */
int capture__drain(struct capture *capture, record_fn *each, void *context, int limit);

/* Ends all probes; returns when no handler runs any more. What was captured can still be drained. */
void capture__detach(struct capture *capture);

/* The kernel's counts, summed over the processors. `missed` is what the kernel could not run. */
struct capture_counts {
	uint64_t hits[PROBES_COUNT];
	uint64_t full[PROBES_COUNT];
	uint64_t unreadable[PROBES_COUNT];
	uint64_t missed[PROBES_COUNT];
};
void capture__counts(const struct capture *capture, struct capture_counts *counts);

/* Overrules what was measured, for those who compare; before capture__attach. */
void capture__use_site(struct capture *capture, enum site_kind site);

/* Which kind of site and of link is in use. */
enum site_kind capture__site(const struct capture *capture);
enum uprobe_method capture__method(const struct capture *capture);

#endif
