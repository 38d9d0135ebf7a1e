/* SPDX-License-Identifier: BSD-2-Clause */
/* What a look at the runners searches for, and what it found. inflight.h makes it. */
#ifndef STEPTRACE_INFLIGHT_FOUND_H
#define STEPTRACE_INFLIGHT_FOUND_H

#include "common/error.h"
#include "steptrace/attach/targets.h"
#include "steptrace/glob.h"
#include "steptrace/inflight/open_process.h"

/* With --watch. */
#define INFLIGHT_WHOLE_SHARE 0.025

/* What is known of the runners whose header is older or newer, so that their memory cannot be
 * searched: what they began since a tracer was attached. */
struct seen_source {
	/* Whether a tracer is attached to this process, and so to its descendants. */
	bool (*is_attached)(void *context, pid_t pid);
	/* Adds what the process has open. */
	void (*add_spans)(void *context, pid_t pid, struct open_spans *spans);
	void *context;
	uint64_t since_ns; /* CLOCK_MONOTONIC: when the tracer was attached; 0: none is */
};

struct inflight_options {
	struct targets targets;
	struct glob command; /* of --command; has_command: it is set */
	bool has_command;
	uint64_t older_than_ns; /* 0: everything */
	uint64_t scan_bytes;    /* of memory, in each process */
	bool has_stacks;        /* with the kernel stacks */
	bool is_json;
	uint64_t watch_ns;  /* repeat; 0: once */
	uint64_t attach_ns; /* to runners with another header, for so long; 0: no */
	/* Chooses the processes, in place of the pids of the targets. NULL: these do. */
	bool (*is_wanted)(void *context, pid_t pid);
	void *is_wanted_context;
	const struct seen_source *seen; /* borrowed; NULL: nothing is known of them */
	bool sees_attachments;          /* finds out whether a tracer is attached to each process */
	/* Of one processor, for searches of the whole memory of processes after the first look
	 * (search_plan.h). 0: each look searches it. */
	double whole_share;
};

struct age {
	uint64_t ns;
	bool is_known; /* false: at least `ns` */
};

struct inflight_row {
	const struct open_process *process;
	const struct open_command *command;
	const struct open_step *step; /* NULL: no step is open */
	const struct thread *thread;  /* on whose stack it is; NULL: not known */
	struct age command_age, step_age;
	bool is_command_copy; /* a process above has this command, too */
};

struct inflight {
	struct open_process *processes; /* owned */
	size_t processes_count, processes_room;
	struct inflight_row *rows; /* owned; oldest command first */
	size_t rows_count;
	uint64_t now_ns;        /* CLOCK_MONOTONIC: when the ages were computed */
	uint64_t runners;       /* processes with probes */
	uint64_t older_headers; /* of these, with an older header that stores no tags */
	uint64_t newer_headers; /* of these, with a newer header: its tags are not understood */
	uint64_t seen;          /* of both, those of which `seen` of the options knows something */
	pid_t *blind;           /* owned: the processes of both; without memory, not all of them */
	size_t blind_count, blind_room;
	/* runners whose memory could not be read, and with -p also processes of which it is not
	 * known whether they are runners */
	uint64_t unreadable;
	uint64_t partial;   /* of these, with more memory than their last whole search read */
	uint64_t too_large; /* of these, which map too much: a larger scan_bytes does not help */
	uint64_t unseen;    /* processes whose mappings could not be read */
	uint64_t revisited; /* runners of which only stacks and known pages were searched */
	uint64_t searched_bytes;
	uint64_t swapped_bytes;     /* swapped out, and therefore not searched */
	uint64_t invalid, left_out; /* see struct open_spans */
	uint64_t ageless;           /* rows that are not shown: --older-than, and no age is known */
	uint64_t copies;            /* rows that belong to a parent process */
	uint64_t planned_ns;        /* CPU time of whole searches, with whole_share */
	uint64_t whole_period_ns;   /* about how often each process is searched wholly */
	struct error first_failure; /* of the unreadable ones */
};

#endif
