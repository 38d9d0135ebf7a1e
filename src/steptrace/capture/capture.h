/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side: loads the programs of bpf/, hands their records over, tells them what user space
 * knows.
 *
 *	capture__open -> capture__watch_processes -> (attachments.c attaches the probes)
 *	              -> capture__armed -> capture__drain ...
 *	              -> capture__disarm -> (probes detached) -> capture__drain -> capture__close
 *
 * libbpf and the skeleton are used in capture.c and capture_process.c only, and for types in kernel_types.c.
 */
#ifndef STEPTRACE_CAPTURE_H
#define STEPTRACE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/capture/uprobe.h"
#include "steptrace/record.h"

struct capture_options {
	size_t buffer_bytes; /* of the ring buffers together; a power of two, at least a page each */
	size_t rings_count;  /* a power of two up to RINGS_MAX; processors take them in turn */
	bool only_wanted_pids; /* only those of capture__want_pid() and what they fork */
	const struct steptrace_filters *filters; /* NULL: none */
	bool ends_only;                          /* which steps are open need not be known */
	bool avoids_multi; /* perf links even where there are better ones, for those who compare */
};

struct capture;

/* Loads the programs of those probes that `record` needs. 0 or negative errno with a sentence that
 * says what is missing. */
int capture__open(const struct capture_options *options, struct capture **capture,
		  struct error *err);
void capture__close(struct capture *capture);

/* The loaded program of a probe, to be attached as capture__method() says; -1: not wanted. */
int capture__program_fd(const struct capture *capture, enum steptrace_probe probe);
enum uprobe_method capture__method(const struct capture *capture);

/* From now on a command whose start is captured need not be introduced again; and no longer. */
void capture__armed(struct capture *capture);
void capture__disarm(struct capture *capture);

/* When a record of each probe was lost last, on CLOCK_MONOTONIC; the kernel moves it. */
const uint64_t *capture__last_lost_ns(const struct capture *capture);

/* ---- records */

/* Readable when the unread records of a ring buffer pass its watermark, or when a process is reported. */
int capture__wakeup_fd(const struct capture *capture);

typedef int record_fn(void *context, const void *bytes, size_t size_bytes);

/*
 * Hands over unread records until there are none, `limit` were given or `each` returns non-zero.
 * Returns how many, or what `each` returned if that was negative.
 */
int capture__drain(struct capture *capture, record_fn *each, void *context, int limit);

/* Marks the end of the unread records; and whether every record before the mark was handed over. */
void capture__mark_unread(struct capture *capture);
bool capture__has_read_to_mark(const struct capture *capture);

/* The worst since the last time somebody asked. */
struct capture_peaks {
	uint64_t unread_bytes; /* of the fullest ring buffer */
	uint64_t ring_bytes;   /* its size */
	uint64_t lag_ns;       /* that the oldest record had waited when it was read */
};
void capture__take_peaks(struct capture *capture, struct capture_peaks *peaks);

/* The kernel's counts, summed over the processors. `missed` is what the kernel could not run. */
struct capture_counts {
	uint64_t hits[PROBES_COUNT];
	uint64_t full[PROBES_COUNT];
	uint64_t unreadable[PROBES_COUNT];
	uint64_t missed[PROBES_COUNT];
	uint64_t filtered[PROBES_COUNT];
	uint64_t degraded[PROBES_COUNT];
};
void capture__counts(const struct capture *capture, struct capture_counts *counts);

/* Leaves out the probes of the mask, and of steps and the like all but those of one execution in
 * `sample_every`, a power of two up to 65,536. (0, 1): nothing any more. */
void capture__degrade(struct capture *capture, uint32_t probes_mask, uint32_t sample_every);

/* ---- processes */

/* From now on execs of unknown files, and ends and execs of runners, are records; what a wanted
 * process forks is wanted. */
int capture__watch_processes(struct capture *capture, struct error *err);

/* -ENOSPC: there are WANTED_PIDS_MAX already. */
int capture__want_pid(struct capture *capture, pid_t pid);
void capture__unwant_pid(struct capture *capture, pid_t pid);
uint32_t capture__wanted_count(const struct capture *capture);

/* Records of processes that found no room in the ring buffer, since the beginning. */
uint64_t capture__process_records_lost(const struct capture *capture);

/* What was forked by wanted processes and found no room among them, since the beginning. */
uint64_t capture__untraced_count(const struct capture *capture);

/* Whether there are more runners than the kernel side can remember: some ends are not reported. */
bool capture__has_unwatched(const struct capture *capture);

/* ---- files */

/* What is known of a file: its execs and mappings are not reported again (FILE_WITHOUT_PROBES), or
 * only its mappings are (FILE_ATTACHED). The kernel forgets what was not asked for in long. */
void capture__know_file(struct capture *capture, const struct steptrace_file *file,
			enum known_file known);
void capture__forget_file(struct capture *capture, const struct steptrace_file *file);

/* Whether a process executed this attached file since the last time this was asked. */
bool capture__was_execed(struct capture *capture, const struct steptrace_file *file);

/* Executable mappings of wanted processes, of all files but those known to be without probes, in
 * `*mappings` (the caller frees). Returns how many, or negative errno. */
ssize_t capture__mappings(struct capture *capture, struct steptrace_mapping **mappings);

/* Which file the kernel maps when this one is mapped; 0 or negative errno. */
int capture__identify(struct capture *capture, int fd, struct steptrace_file *file);

#endif
