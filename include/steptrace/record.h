/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The contract between bpf/ and src/steptrace/: the records in the ring buffer, and the numbers and
 * structs that both sides use.
 *
 * Every record begins with struct steptrace_record, the header. Its member `probe` says what
 * follows. For a probe that is its form (probes.h):
 *
 *	FORM_PROCESS		header | process | span
 *	FORM_COMMAND,		header | span				the most frequent record
 *	FORM_CHILD		header | span | process | command span	with RECORD_HAS_CONTEXT
 *
 *	PROCESS_EXECED		struct process_exec
 *	PROCESS_ENDED		struct process_end
 *	COMMAND_CLOSED		struct command_closed
 *
 * With RECORD_HAS_CPU the record of a probe ends with struct steptrace_cpu, behind all of this.
 *
 * PROCESS_EXECED is sent when a process with open commands execs, and when a wanted process execs a
 * file that the reader has not looked at. PROCESS_ENDED is sent when a process ends that may have
 * open commands or that is in the map wanted_pids.
 *
 * Header and process come from the kernel and can be trusted. A span is what the probe's argument
 * points to, as the runner wrote it: usdt/steptrace.h says what the members mean, and
 * tests/unit/test_layout.c compares the two descriptions. Sizes, enumerations, times and text in a
 * span may be anything; src/steptrace/stream/decode.c checks them.
 *
 * A runner that was compiled with an older header has a shorter span. The record then holds some
 * other bytes of the runner behind the span's `size_bytes`, and the reader takes them as 0.
 */
#ifndef STEPTRACE_RECORD_H
#define STEPTRACE_RECORD_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#include "steptrace/glob.h"
#include "steptrace/probes.h"
#include "steptrace/sample.h"

/* Records that no probe makes. Their numbers are in the same member as those of the probes. */
enum steptrace_process_record {
	PROCESS_EXECED = 64,
	PROCESS_ENDED = 65,
	COMMAND_CLOSED = 66, /* a command ended, and a filter dropped the record of its end */
};

enum steptrace_record_flags {
	RECORD_HAS_CONTEXT = 1 << 0,
	RECORD_OF_RUNNER = 1 << 1,    /* PROCESS_*: the process may have open commands */
	RECORD_UNKNOWN_FILE = 1 << 2, /* PROCESS_EXECED: the file is not in the map known_files */
	RECORD_HAS_CPU = 1 << 3,      /* the end of a step or command, with --breakdown */
};

struct steptrace_record {
	__u64 time_ns; /* bpf_ktime_get_ns() at the probe, which is CLOCK_MONOTONIC */
	__u32 pid;     /* thread group, as numbered in the tracer's pid namespace */
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
	__u32 inner_pid;  /* the pid in the process's own pid namespace; 0: unknown */
	__u32 parent_pid; /* numbered like the pid of a record */
};

/* A file as the kernel knows it. From a mapping of an overlay file system it is the file of the
 * lower or upper layer. A new file with an old inode number, and new content, have another
 * changed_ns. */
struct steptrace_file {
	__u64 inode;
	__u64 file_system; /* differs between file systems; the value itself means nothing */
	__u64 changed_ns;  /* ctime, Unix time */
};

enum { EXEC_PATH_BYTES = 256 };

struct process_exec {
	struct steptrace_record record;
	struct steptrace_file file;
	/* The path that exec() was given. Enough for a guess when the process is gone before the
	 * reader can look at its file. */
	char path[EXEC_PATH_BYTES];
};

struct command_closed {
	struct steptrace_record record;
	__u8 execution_id[16];
	__u32 uid;        /* of the process */
	__u32 parent_pid; /* numbered like the pid of a record */
};

/* A child that was forked, did not exec and is alive: it may go on with the commands of its
 * parent. */
struct process_heir {
	__u64 started_ns; /* when it was forked, CLOCK_MONOTONIC */
	__u32 pid;
	__u32 reserved;
};

enum { HEIRS_MAX = 16 };

struct process_end {
	struct steptrace_record record;
	__u32 status; /* as waitpid() returns it */
	__u8 oom_killed;
	__u8 is_fork; /* it was forked and never executed a program of its own */
	__u8 heirs_count;
	__u8 reserved;
	struct process_heir heirs[HEIRS_MAX];
};

/* As the kernel numbers them. */
enum mapping_flags {
	MAPPING_READABLE = 0x1,
	MAPPING_WRITABLE = 0x2,
	MAPPING_EXECUTABLE = 0x4,
	MAPPING_SHARED = 0x8,
};

/* One mapping of a process: what the iterator each_mapping writes. */
struct steptrace_mapping {
	struct steptrace_file file;
	__u64 start, end; /* addresses */
	__u64 file_page;  /* the page of the file that is mapped at `start` */
	__u32 flags;      /* bit set of enum mapping_flags */
	__u32 reserved;
	__u32 pid;
	__u32 tid; /* a live thread of the process: the first thread may have exited */
};

/* The only layout number that this tracer reads. Appending members to spans does not change it. */
enum { SPAN_LAYOUT = 1 };

struct span_head {
	__u16 size_bytes;
	__u8 layout; /* SPAN_LAYOUT */
	__u8 kind;   /* enum span_kind */
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
	__u64 steps_aborted;
	__u64 steps_cancelled;
	__u64 suspended_ns;
	__u64 enqueued_at_ns; /* CLOCK_REALTIME; 0: not set */
	__u32 attempt;        /* 0: not set */
	__u8 reserved_too[4];
	char queue[64];
};

/* The beginning of every span that belongs to a command (FORM_CHILD). */
struct child_span {
	struct span_head head;
	__u64 command_announced_ns;
	__u64 command; /* address of the command's span in the runner */
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
	__u64 suspended_ns;
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

/* COMMAND_SPAN_MIN_BYTES and COMMAND_SPAN_OUTCOME_AT, and the same of the other spans. */
#define UP_TO(type, member) __builtin_offsetof(struct type, member)
#define OUTCOME_AT(type)    __builtin_offsetof(struct type, outcome)
#define SPAN_CONSTANTS(kind, no, type, min_bytes, outcome)                                         \
	kind##_SPAN_MIN_BYTES = (min_bytes), kind##_SPAN_OUTCOME_AT = (outcome),

enum { STEPTRACE_SPANS(SPAN_CONSTANTS) };

#undef UP_TO
#undef OUTCOME_AT
#undef SPAN_CONSTANTS

struct steptrace_context {
	struct steptrace_process process;
	struct command_span command;
};

/* What a thread that sleeps in the kernel waits for. */
enum blocked_kind {
	BLOCKED_DISK,
	BLOCKED_LOCK,
	BLOCKED_NETWORK,
	BLOCKED_SLEEP,
	BLOCKED_PIPE,
	BLOCKED_OTHER,
	BLOCKED_KINDS_COUNT,
};

/*
 * Where the time of a span went (--breakdown): between start_ns and end_ns of the span, in the
 * thread that began and ended it. For a command, the same of each other thread of its process that
 * ran steps of it is added: between the beginning and the end of its outermost steps.
 *
 *	threads_ns = on_cpu_ns + runnable_ns + the sum of blocked_ns
 *
 * The members behind that count from probe to probe. All members have 8 bytes, so that they can be
 * added up in a loop.
 */
struct steptrace_cpu {
	__u64 threads_ns; /* for one thread: end_ns - start_ns */
	__u64 on_cpu_ns;
	__u64 runnable_ns; /* ready to run, and waiting for a processor */
	__u64 blocked_ns[BLOCKED_KINDS_COUNT];
	__u64 switches_voluntary;
	__u64 switches_involuntary;
	__u64 migrations;
	__u64 page_faults;
};

/* The word `degradation` of the BPF programs: bits 0 to 15 are a mask of probes, the bits above a
 * mask for sampling executions. */
enum { DEGRADE_SAMPLE_SHIFT = 16 };

/* The largest number of ring buffers, a power of two. */
enum { RINGS_MAX = 64 };

/* A path of a cgroup below the root of the hierarchy, with its zero. */
enum { CGROUP_PATH_BYTES = 512 };

enum {
	WANTED_PIDS_MAX = 16384,
	ENDED_PIDS_MAX = 4096,
	RUNNERS_MAX = 16384,
	KNOWN_FILES_MAX = 4096,
	DECISIONS_MAX = 65536,
	MEASURED_COMMANDS_MAX = 16384,
};

/* How many spans of one thread can be measured at once (--breakdown), a power of two. */
enum { SPANS_PER_THREAD = 16 };

struct execution_key {
	__u8 id[16];
};

/* Which processes and spans are wanted. Set before the programs are loaded, then constant. */
struct steptrace_filters {
	__u8 by_uid, by_cgroup, by_comm; /* filters on the process that begins the execution */
	__u8 by_span;                    /* 1: at least one of the filters on spans is set */
	__u8 by_command, by_step_type, only_failed;
	__u8 reserved;
	__u32 uid;
	__u32 sample_every; /* one execution in so many; 0: all */
	__u64 cgroup_id;    /* at the start; the variable wanted_cgroup_id follows the path */
	__u64 min_duration_ns;
	struct glob comm, command, step_type;
};

/* The outcomes that pass --failed: STEPTRACE_FAILURE and STEPTRACE_ABORTED in usdt/steptrace.h. */
enum { SPAN_FAILED = 2, SPAN_ABORTED = 4 };

/* STEPTRACE_FLAG_SUSPENDED in usdt/steptrace.h: the span has the member suspended_ns. */
enum { SPAN_SUSPENDED = 1 << 7 };

/* The values in the map known_files. */
enum known_file {
	FILE_WITHOUT_PROBES = 1,
	FILE_ATTACHED = 2,
	FILE_EXECED = 3, /* attached, and executed since the reader last looked */
};

/* What the BPF programs count, by probe. There is one row for each processor; processors 256 and up
 * share the rows of the first ones. Two rows are never in one cache line. */
enum { COUNT_ROWS = 256 };

struct steptrace_counts {
	__u64 hits[PROBES_COUNT];       /* in wanted processes; the other four are part of it */
	__u64 full[PROBES_COUNT];       /* lost: no room in the ring buffer */
	__u64 unreadable[PROBES_COUNT]; /* lost: the span could not be read */
	__u64 filtered[PROBES_COUNT];   /* dropped by a filter on spans */
	__u64 degraded[PROBES_COUNT];   /* lost: dropped to stay within --max-cpu */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct steptrace_record) == 24, "record header changed its size");
_Static_assert(sizeof(struct steptrace_process) == 40, "process changed its size");
_Static_assert(sizeof(struct steptrace_file) == 24, "file changed its size");
_Static_assert(sizeof(struct steptrace_mapping) == 64, "mapping changed its size");
_Static_assert(sizeof(struct steptrace_cpu) == 104, "cpu changed its size");
_Static_assert(sizeof(struct span_head) == 40, "span head changed its size");
_Static_assert(sizeof(struct child_span) == 56, "child span changed its size");
_Static_assert(sizeof(struct command_span) == 496, "command span changed its size");
_Static_assert(sizeof(struct step_span) == 248, "step span changed its size");
_Static_assert(sizeof(struct tool_span) == 160, "tool span changed its size");
_Static_assert(sizeof(struct fragment_span) == 88, "fragment span changed its size");
_Static_assert(sizeof(struct rejected_span) == 472, "rejected span changed its size");
_Static_assert(__builtin_offsetof(struct command_span, announced_ns) ==
		       __builtin_offsetof(struct child_span, command_announced_ns),
	       "the announcement of a command is at one offset in all spans");
_Static_assert((int)PROBES_COUNT <= (int)DEGRADE_SAMPLE_SHIFT,
	       "no bit is left for a probe in `degradation`");
_Static_assert((int)PROBES_COUNT <= (int)PROCESS_EXECED,
	       "a probe has the number of another record");

#define CHECK_PROBE(probe, no, name, span, phase, form, ...)                                       \
	_Static_assert(PHASE_##phase != PHASE_ENDS || span##_SPAN_OUTCOME_AT > (int)ALWAYS_FAILED, \
		       #name " ends a span that has no outcome");

STEPTRACE_PROBES(CHECK_PROBE)
#undef CHECK_PROBE

#endif
