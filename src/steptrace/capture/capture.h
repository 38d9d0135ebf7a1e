/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF programs of bpf/: loads them, reads their records, and gives them what user space
 * decides.
 *
 *	capture__open -> capture__watch_processes -> (attachments.c attaches the probes)
 *	              -> capture__armed -> capture__drain ...
 *	              -> capture__disarm -> (probes detached) -> capture__drain -> capture__close
 *
 * Times are nanoseconds on CLOCK_MONOTONIC. libbpf and the skeleton are used only in this room.
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

/* What capture__start_stacks() samples. */
struct stack_options {
	bool on_cpu, off_cpu;
	uint32_t frequency_hz; /* on-CPU: for each processor */
	uint64_t min_off_ns;   /* shorter times off a processor make no sample */
	/* Of the stack, for unwinding in user space; 0: frame pointers. */
	uint32_t on_copy_bytes, off_copy_bytes;
};

struct capture_options {
	size_t buffer_bytes;   /* all ring buffers together; a power of two, at least a page each */
	size_t rings_count;    /* a power of two up to RINGS_MAX; processors take them in turn */
	bool only_wanted_pids; /* only processes of capture__want_pid() and their children */
	bool without_children; /* of these, only the processes of capture__want_pid() */
	const struct steptrace_filters *filters; /* NULL: none */
	const char *cgroup_path; /* of --cgroup, below the root of cgroup v2; NULL: none */
	bool ends_only;          /* no starts of steps: which steps are open is not known then */
	bool breakdown;          /* ends of spans have struct steptrace_cpu; not with ends_only */
	const struct stack_options *stacks; /* NULL: no stacks are sampled */
	bool avoids_multi; /* perf links also where uprobe_multi links exist; to compare the two */
};

struct capture;

/* Loads the programs of the probes that the options need. 0 and *capture, which the caller
 * closes, or negative errno with a sentence that says what is missing. */
int capture__open(const struct capture_options *options, struct capture **capture,
		  struct error *err);
void capture__close(struct capture *capture); /* also NULL */

/* The loaded program of a probe, to be attached by capture__method(); -1: not needed. With
 * UPROBE_MULTI all probes have the same program, and the number of the probe has to be the cookie.
 * */
int capture__program_fd(const struct capture *capture, enum steptrace_probe probe);
enum uprobe_method capture__method(const struct capture *capture);

/*
 * Armed: all probes are attached. The records of a step then carry the context of their command
 * only where its start was not captured. Disarmed: only some probes are attached, so a start may
 * be missed while steps are captured, and every record carries its context.
 */
void capture__armed(struct capture *capture);
void capture__disarm(struct capture *capture);

/* The reader has forgotten commands: the next records of all commands that began before now carry
 * the context again. */
void capture__repeat_context(struct capture *capture);

/* For each probe, the time of its last lost record. The BPF programs write to it at any time. */
const uint64_t *capture__last_lost_ns(const struct capture *capture);

/* ---- records */

/* An epoll descriptor, borrowed: readable when the unread records of a ring buffer pass a quarter
 * of its size, or when a process is reported. */
int capture__wakeup_fd(const struct capture *capture);

typedef int record_fn(void *context, const void *bytes, size_t size_bytes);

/*
 * Calls `each` with every unread record until there are none, `limit` calls were made or `each`
 * returns non-zero. Returns the number of calls, or what `each` returned if that was negative. A
 * record is valid during the call.
 */
int capture__drain(struct capture *capture, record_fn *each, void *context, int limit);

/* Marks the end of the unread records. There is one mark. */
void capture__mark_unread(struct capture *capture);

/* Whether every record before the mark was read. */
bool capture__has_read_to_mark(const struct capture *capture);

/* The maxima since the last call of capture__take_peaks(). */
struct capture_peaks {
	uint64_t unread_bytes; /* in the fullest ring buffer */
	uint64_t ring_bytes;   /* the size of one ring buffer */
	uint64_t lag_ns;       /* how long the oldest record waited until it was read */
};
void capture__take_peaks(struct capture *capture, struct capture_peaks *peaks);

/* Counts of the BPF programs by probe, summed over the processors, since the beginning. */
struct capture_counts {
	uint64_t hits[PROBES_COUNT];
	uint64_t full[PROBES_COUNT];       /* lost: no room in the ring buffer */
	uint64_t unreadable[PROBES_COUNT]; /* lost: the span could not be read */
	uint64_t missed[PROBES_COUNT];     /* lost: the kernel did not run the program */
	uint64_t filtered[PROBES_COUNT];   /* left out by struct steptrace_filters */
	uint64_t degraded[PROBES_COUNT];   /* left out by capture__degrade() */
};
void capture__counts(const struct capture *capture, struct capture_counts *counts);

/*
 * Reduces the detail: leaves out the probes of the mask, and records the steps and the like of
 * only one execution in `sample_every`, a power of two up to 65,536. (0, 1) returns to full
 * detail.
 */
void capture__degrade(struct capture *capture, uint32_t probes_mask, uint32_t sample_every);

/* How often a filter on the process decided again for an execution that was running, because more
 * than DECISIONS_MAX were. */
uint64_t capture__decisions_lost(const struct capture *capture);

/* Spans that could not be measured although they began and ended under --breakdown: see
 * breakdowns_lost in bpf/maps.bpf.h. */
uint64_t capture__breakdowns_lost(const struct capture *capture);

/* ---- stacks (capture_options.stacks): capture_stacks.c */

/* Whether this kernel lets programs read the registers that a thread had in user space, which
 * on_copy_bytes and off_copy_bytes need. True also where it is not known. To be called before
 * capture__open(). */
bool capture__can_copy_stacks(void);

/* From now on the threads of runners are sampled: of processes that have come to a probe, or have
 * an attached file mapped now or at a later capture__mappings(). Call it when probes are attached.
 * 0 or negative errno with a sentence. */
int capture__start_stacks(struct capture *capture, struct error *err);
void capture__stop_stacks(struct capture *capture);

/* Readable when much is unread; borrowed. */
int capture__stacks_fd(const struct capture *capture);

/* The same as capture__drain(), for the samples (steptrace/stack_record.h). A sample that is taken
 * within a span is read before the end of the span, if the end was read by capture__drain(). */
int capture__drain_stacks(struct capture *capture, record_fn *each, void *context, int limit);

/* Samples that were lost since the beginning: there was no room in the ring buffer, or for a
 * thread. */
uint64_t capture__stacks_lost(const struct capture *capture);

/* ---- processes */

/* From now on the time of threads is added up, with --breakdown (otherwise it does nothing): call
 * it before probes are attached. 0 or negative errno with a sentence. */
int capture__watch_switches(struct capture *capture, struct error *err);

/* From now on there are records of execs of unknown files, and of execs and ends of runners; and
 * the children of a wanted process are wanted. 0 or negative errno with a sentence. */
int capture__watch_processes(struct capture *capture, struct error *err);

/* 0 or negative errno; -ENOSPC: there are WANTED_PIDS_MAX wanted processes already. */
int capture__want_pid(struct capture *capture, pid_t pid);
void capture__unwant_pid(struct capture *capture, pid_t pid);
bool capture__is_wanted(const struct capture *capture, pid_t pid);
/* Whether it was wanted at this time (CLOCK_MONOTONIC): the process may have ended since. */
bool capture__was_wanted(const struct capture *capture, pid_t pid, uint64_t at_ns);
uint32_t capture__wanted_count(const struct capture *capture);

/* A process that exists already, and cannot be wanted because there are too many: it is counted as
 * the children are (capture__untraced_count). */
void capture__count_untraced(struct capture *capture);

/* The map behind capture__is_wanted(): a child that closes all other descriptors keeps this one. */
int capture__wanted_pids_fd(const struct capture *capture);

/* Whether a wanted process has executed an attached file. */
bool capture__has_run_attached(const struct capture *capture);

/* Records about processes that were lost, because the ring buffer was full, since the beginning. */
uint64_t capture__process_records_lost(const struct capture *capture);

/* Children of wanted processes that are not traced, because there were WANTED_PIDS_MAX, since the
 * beginning. */
uint64_t capture__untraced_count(const struct capture *capture);

/* Whether there were more runners than the BPF programs can hold: some ends are not reported. */
bool capture__has_unwatched(const struct capture *capture);

/* ---- the cgroup of --cgroup */

/* From now on the cgroup with this id is wanted. The BPF programs set the id as well, when a cgroup
 * with the path is made. */
void capture__set_cgroup_id(struct capture *capture, uint64_t id);

/* ---- files */

/*
 * Tells the BPF programs what is known of a file. FILE_WITHOUT_PROBES: its execs and mappings are
 * not reported any more. FILE_ATTACHED: only its mappings are. The map drops the entries that
 * were not used for the longest time.
 */
void capture__know_file(struct capture *capture, const struct steptrace_file *file,
			enum known_file known);
void capture__forget_file(struct capture *capture, const struct steptrace_file *file);

/* The latest word of capture__know_file(); 0: none. */
enum known_file capture__known_file(const struct capture *capture,
				    const struct steptrace_file *file);

/* Whether a process executed this attached file since the last call. */
bool capture__was_execed(struct capture *capture, const struct steptrace_file *file);

/* Lists the executable mappings of wanted processes in `*mappings`, which the caller frees; not
 * those of files that are known to be without probes. Returns how many, or negative errno. */
ssize_t capture__mappings(struct capture *capture, struct steptrace_mapping **mappings);

/* The same for all mappings of one file in any process, whatever their access. A process whose
 * first thread has ended may be listed several times. */
ssize_t capture__mappings_of(struct capture *capture, const struct steptrace_file *file,
			     struct steptrace_mapping **mappings);

/* The mapping of thread `tid` that begins at the address, whatever is known of its file. 0 or
 * negative errno; -ENOENT: there is none, or it ended. */
int capture__mapping_at(struct capture *capture, uint32_t tid, uint64_t address,
			struct steptrace_mapping *mapping);

/* Which file the kernel maps when this descriptor is mapped: on an overlay it is another one than
 * fstat() shows. 0 or negative errno. */
int capture__identify(struct capture *capture, int fd, struct steptrace_file *file);

#endif
