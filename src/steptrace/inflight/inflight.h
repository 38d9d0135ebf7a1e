/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runners of the targets have open now, oldest first.
 *
 *	inflight_search__open -> inflight__collect -> rows -> inflight_text.c, inflight_json.c
 *
 * A row is an innermost open step, or a command without an open step. Ages come from the start
 * time in the runner's memory. Where no tracer was attached when a command or step began, there is
 * no start time. Then the age is a lower bound: it began before its thread stopped to run, and
 * before the steps inside it began.
 *
 * A process that was forked in the middle of a command has a copy of the command's struct at the
 * same address. While the command is open in the parent, the copy is not shown.
 */
#ifndef STEPTRACE_INFLIGHT_H
#define STEPTRACE_INFLIGHT_H

#include "common/error.h"
#include "steptrace/attach/binary.h"
#include "steptrace/attach/targets.h"
#include "steptrace/glob.h"
#include "steptrace/inflight/open_process.h"

struct inflight_options {
	struct targets targets;
	struct glob command; /* of --command; has_command: it is set */
	bool has_command;
	uint64_t older_than_ns; /* 0: everything */
	uint64_t scan_bytes;    /* of memory, in each process */
	bool has_stacks;        /* with the kernel stacks */
	bool is_json;
	uint64_t watch_ns; /* repeat; 0: once */
	/* Chooses the processes, in place of the pids of the targets. NULL: these do. */
	bool (*is_wanted)(void *context, pid_t pid);
	void *is_wanted_context;
	bool sees_attachments; /* finds out whether a tracer is attached to each process */
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
	/* runners whose memory could not be read, and with -p also processes of which it is not
	 * known whether they are runners */
	uint64_t unreadable;
	uint64_t partial;   /* of these, with more memory than was searched */
	uint64_t too_large; /* of these, which map too much: a larger scan_bytes does not help */
	uint64_t unseen;    /* processes whose mappings could not be read */
	uint64_t searched_bytes;
	uint64_t swapped_bytes;     /* swapped out, and therefore not searched */
	uint64_t invalid, left_out; /* see struct open_spans */
	uint64_t ageless;           /* rows that are not shown: --older-than, and no age is known */
	uint64_t copies;            /* rows that belong to a parent process */
	struct error first_failure; /* of the unreadable ones */
};

/* What is kept from one look at the targets to the next. */
struct inflight_search {
	const struct inflight_options *options; /* borrowed */
	struct binaries binaries;               /* the first ones are those of -x */
	size_t named_count;
	unsigned int visits;        /* of `binaries`, before the last look */
	struct thread_times *times; /* NULL: `why` says why no age comes from a thread */
	struct error why;
};

/* Loads the BPF program that lists threads, where that is permitted, and opens the files of -x with
 * the rights of the caller. 0 or negative errno with a sentence. Call
 * inflight_search__close() in any case. */
int inflight_search__open(struct inflight_search *search, const struct inflight_options *options,
			  struct error *err);
void inflight_search__close(struct inflight_search *search);

/* Forgets the files that no process used in the last look. For a caller that looks again and
 * again. */
void inflight_search__forget(struct inflight_search *search);

/*
 * Looks at the targets once. `progress` may be NULL. 0 or negative errno with a sentence: a named
 * process is not there, or there was no memory. Call inflight__free() in any case.
 */
int inflight__collect(struct inflight *inflight, struct inflight_search *search,
		      const struct search_progress *progress, struct error *err);
void inflight__free(struct inflight *inflight);

/* How long a step of the process has been open. It is at least as old as the step inside it, whose
 * age is `inner_ns`; 0: there is none. */
struct age inflight__step_age(const struct open_process *process, const struct open_step *step,
			      uint64_t inner_ns, uint64_t now_ns);

#endif
