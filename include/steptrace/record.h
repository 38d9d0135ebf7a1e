/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The contract between bpf/ and src/steptrace/: what lies in the ring buffer.
 *
 *	command__start		header | process | command span
 *	command__rejected	header | process | rejected span
 *	every other probe	header | span			   the common case: one read
 *				header | span | process | command span   with RECORD_HAS_CONTEXT
 *	a process execs		header | file
 *	a process ends		header | how
 *	a command ends that	header | its execution id
 *	was filtered
 *
 * A process is reported when it execs a file that the reader does not know, and when it execs or
 * ends while it may have commands open; the end of a wanted one always.
 *
 * The spans are what a runner's probes point to, as this tracer knows them (see
 * usdt/steptrace.h for the runner's side and for what the fields mean; a unit test holds the two
 * against each other). They are foreign bytes: sizes, enumerations, times and text are checked in
 * src/steptrace/stream/decode.c and nowhere trusted. Header and process are the kernel's word.
 *
 * A runner's span may be shorter than ours (an older header): then the bytes behind its
 * `size_bytes` are whatever lay there, and the reader takes them as 0. Numbers are pinned: never
 * reuse one, leave holes in place.
 */
#ifndef STEPTRACE_RECORD_H
#define STEPTRACE_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include "steptrace/glob.h"

enum steptrace_probe {
	PROBE_COMMAND_START = 0,
	PROBE_COMMAND_DONE = 1,
	PROBE_COMMAND_REJECTED = 2,
	PROBE_STEP_START = 3,
	PROBE_STEP_DONE = 4,
	PROBE_TOOL_START = 5,
	PROBE_TOOL_DONE = 6,
	PROBE_FRAGMENT_CHANGED = 7,
	PROBES_COUNT = 8,
};

/* Records that no probe makes; in the same field as enum steptrace_probe. */
enum steptrace_process_record {
	PROCESS_EXECED = 64,
	PROCESS_ENDED = 65,
	COMMAND_CLOSED = 66, /* a command ended, and its end was filtered */
};

enum steptrace_record_flags {
	RECORD_HAS_CONTEXT = 1 << 0,
	RECORD_OF_RUNNER = 1 << 1,    /* PROCESS_*: it may have commands open */
	RECORD_UNKNOWN_FILE = 1 << 2, /* PROCESS_EXECED: nobody looked at this file yet */
};

struct steptrace_record {
	__u64 time_ns; /* bpf_ktime_get_ns() at the probe: CLOCK_MONOTONIC */
	__u32 pid;     /* thread group */
	__u32 tid;
	__u32 cpu;
	__u8 probe; /* enum steptrace_probe or steptrace_process_record */
	__u8 flags; /* enum steptrace_record_flags */
	__u16 reserved;
};

struct steptrace_process {
	__u64 cgroup_id;
	__u32 uid;
	__u32 gid;
	char comm[16];
	__u32 inner_pid; /* in its own pid namespace */
	__u32 reserved;
};

/* A file as the kernel knows it: what lies behind an overlay, not the overlay's own face, when it
 * comes from a mapping. The time of its last change tells a new file under an old number, and new
 * content. */
struct steptrace_file {
	__u64 inode;
	__u64 file_system; /* a number of the kernel's, of no meaning but that it differs */
	__u64 changed_ns;
};

enum { EXEC_PATH_BYTES = 256 };

struct process_exec {
	struct steptrace_record record;
	struct steptrace_file file;
	char path[EXEC_PATH_BYTES]; /* as exec was told: a guess for who comes too late */
};

struct command_closed {
	struct steptrace_record record;
	__u8 execution_id[16];
};

struct process_end {
	struct steptrace_record record;
	__u32 status; /* as wait() shows it */
	__u8 oom_killed;
	__u8 reserved[3];
};

/* One executable mapping of a process, as the iterator over all mappings tells it. */
struct steptrace_mapping {
	struct steptrace_file file;
	__u64 start, end; /* addresses */
	__u32 pid;
	__u32 tid; /* a thread that has it: the first one may be over already */
};

struct span_head {
	__u16 size_bytes;
	__u8 layout;
	__u8 kind;
	__u32 flags;
	__u64 start_ns;
	__u64 end_ns;
	__u8 execution_id[16];
};

struct command_span {
	struct span_head head;
	__u64 announced_ns;
	__u8 parent_execution_id[16];
	__s64 schedule_id;
	__s64 schedule_run_id;
	__s64 planned_run_at_s;
	__u64 steps_successful;
	__u64 steps_failed;
	__u64 steps_skipped;
	__u32 arguments_count;
	__u8 outcome;
	__u8 error_category;
	__u8 reserved[2];
	char slug[64];
	char user_id[64];
	char request_source[16];
	char correlation_id[128];
};

/* What the spans of steps, tools and fragments have in common. */
struct child_span {
	struct span_head head;
	__u64 command_announced_ns;
	__u64 command; /* address in the runner */
};

struct step_span {
	struct child_span child;
	__u8 step_id[16];
	__u8 parent_step_id[16];
	__s64 fragment_id;
	__u64 mutations_count;
	__u32 items_in;
	__u32 items_out;
	__u32 prompt_tokens;
	__u32 completion_tokens;
	__u16 index;
	__u16 depth;
	__u8 outcome;
	__u8 error_category;
	__u8 ai_cache;
	__u8 reserved;
	char type[48];
	char name[64];
};

struct tool_span {
	struct child_span child;
	__u8 step_id[16];
	__u8 invocation_id[16];
	__s32 exit_status;
	__u8 outcome;
	__u8 reserved[3];
	char slug[64];
};

struct fragment_span {
	struct child_span child;
	__u8 step_id[16];
	__s64 fragment_id;
	__u8 operation;
	__u8 reserved[7];
};

struct rejected_span {
	struct span_head head;
	char slug[64];
	char user_id[64];
	char request_source[16];
	char correlation_id[128];
	char reason[32];
	char invalid_fields[128];
};

/* The shortest span of each kind that is understood: everything without its last text field. A
 * span whose full length cannot be read is read up to here. */
enum {
	COMMAND_SPAN_MIN_BYTES = __builtin_offsetof(struct command_span, correlation_id),
	STEP_SPAN_MIN_BYTES = __builtin_offsetof(struct step_span, name),
	TOOL_SPAN_MIN_BYTES = sizeof(struct tool_span),
	FRAGMENT_SPAN_MIN_BYTES = sizeof(struct fragment_span),
	REJECTED_SPAN_MIN_BYTES = __builtin_offsetof(struct rejected_span, invalid_fields),
};

struct steptrace_context {
	struct steptrace_process process;
	struct command_span command;
};

/* In the word that says what is left out for now; below it a bit for each probe. */
enum { DEGRADE_SAMPLE_SHIFT = 16 };

/* Ring buffers at most; a power of two. */
enum { RINGS_MAX = 64 };

enum { WANTED_PIDS_MAX = 16384, RUNNERS_MAX = 16384, KNOWN_FILES_MAX = 4096 };

/* What is wanted; set before the programs are loaded. */
struct steptrace_filters {
	__u8 by_uid, by_cgroup, by_comm; /* who */
	__u8 by_span;                    /* any of those below */
	__u8 by_command, by_step_type, only_failed;
	__u8 reserved;
	__u32 uid;
	__u32 sample_every; /* 0: all */
	__u64 cgroup_id;
	__u64 min_duration_ns;
	struct glob comm, command, step_type;
};

/* The outcome of a span that failed, as the runner numbers them. */
enum { SPAN_FAILED = 2 };

/* What is known of a file, the value in the map of files. */
enum known_file {
	FILE_WITHOUT_PROBES = 1,
	FILE_ATTACHED = 2,
	FILE_EXECED = 3, /* attached, and a process executed it since the reader asked */
};

/* What the kernel program counts, one row for each processor (shared where there are more). */
enum { COUNT_ROWS = 256 };

struct steptrace_counts {
	__u64 hits[PROBES_COUNT];       /* boundaries of the chosen processes */
	__u64 full[PROBES_COUNT];       /* lost: no room in the ring buffer */
	__u64 unreadable[PROBES_COUNT]; /* lost: the span could not be read */
	__u64 filtered[PROBES_COUNT];   /* not wanted */
	__u64 degraded[PROBES_COUNT];   /* lost: left out, to spare the reader */
};

_Static_assert(sizeof(struct steptrace_record) == 24, "record header changed its size");
_Static_assert(sizeof(struct steptrace_process) == 40, "process changed its size");
_Static_assert(sizeof(struct steptrace_file) == 24, "file changed its size");
_Static_assert(sizeof(struct span_head) == 40, "span head changed its size");
_Static_assert(sizeof(struct child_span) == 56, "child span changed its size");
_Static_assert(sizeof(struct command_span) == 392, "command span changed its size");
_Static_assert(sizeof(struct step_span) == 240, "step span changed its size");
_Static_assert(sizeof(struct tool_span) == 160, "tool span changed its size");
_Static_assert(sizeof(struct fragment_span) == 88, "fragment span changed its size");
_Static_assert(sizeof(struct rejected_span) == 472, "rejected span changed its size");
_Static_assert(__builtin_offsetof(struct command_span, announced_ns) ==
		       __builtin_offsetof(struct child_span, command_announced_ns),
	       "one comparison serves commands and their children");
_Static_assert(sizeof(struct steptrace_counts) == 320, "counts changed their size");

#endif
