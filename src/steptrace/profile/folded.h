/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `steptrace profile` found: stacks of threads that were inside a command or step, folded.
 * Equal stacks in the same command, step and state are one row.
 *
 *	triage;FragmentUpdateStep;main;…;sqlite3_step;…;futex_wait	lock, 3 samples, 1.2 s
 *
 * The room profile/ makes it; the room flame/ writes it as text and pictures.
 */
#ifndef STEPTRACE_PROFILE_FOLDED_H
#define STEPTRACE_PROFILE_FOLDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the thread did: it ran, it waited for a processor, or it slept in the kernel and waited for
 * something. The last six are those of enum blocked_kind in record.h. */
enum stack_state {
	STATE_ON_CPU,
	STATE_RUNNABLE,
	STATE_DISK,
	STATE_LOCK,
	STATE_NETWORK,
	STATE_SLEEP,
	STATE_PIPE,
	STATE_OTHER,
	STACK_STATES_COUNT,
};

/* "on-cpu", "runnable", "disk", … */
const char *stack_state__name(enum stack_state state);

/* A function. The text is valid UTF-8 without control characters, but otherwise foreign. */
struct folded_frame {
	const char *function; /* "sqlite3_step", demangled; "[unknown]"; never NULL, never empty */
	const char *module;   /* "libsqlite3.so.0.8.6", "[kernel]", "[perf map]"; never NULL */
	bool is_kernel;
};

struct folded_stack {
	const char *command; /* slug; never NULL */
	const char *step;    /* type; "": in the command, and in none of its steps */
	enum stack_state state;
	const struct folded_frame *const *frames; /* the outermost first; may be none */
	size_t frames_count;
	bool is_cut; /* the outermost frames are missing */
	uint64_t samples_count;
	uint64_t time_ns; /* on-CPU: samples times the period; otherwise measured */
};

/* About the profile as a whole. */
struct folded_facts {
	uint64_t started_at_ns; /* Unix time */
	uint64_t duration_ns;
	bool on_cpu, off_cpu;    /* what was looked at */
	uint32_t frequency_hz;   /* of on-CPU samples */
	uint64_t min_blocked_ns; /* shorter times off the processor are not in it */
	const char *on_cpu_unwind, *off_cpu_unwind; /* "frame pointers", "DWARF" */
	uint64_t executions_count;                  /* that ended, and passed the filters */
	uint64_t samples_count;                     /* in the rows */
	uint64_t cut_count;                         /* of these: stacks that are cut */
	uint64_t outside_count; /* samples in no span that ended and passed the filters */
	uint64_t dropped_count; /* samples that --hold had no room for */
	uint64_t lost_count;    /* samples that the kernel side could not deliver */
	uint64_t events_lost;   /* of commands and steps: their samples are missing or misplaced */
	/* names and rules for unwinding that could not be read */
	bool kernel_hidden;        /* /proc/kallsyms shows no addresses */
	bool symbols_time_used_up; /* files were not read */
	uint64_t files_unread;     /* could not be opened, or are broken */
	uint64_t files_forbidden;  /* the user of the process may not read them */
	uint64_t files_slow;       /* took too long */
	uint64_t maps_refused;     /* perf maps */
	uint64_t readers_lost;     /* processes that read files, and ended or did not answer */
};

struct folded {
	struct folded_facts facts;
	const struct folded_stack *stacks; /* in no particular order */
	size_t stacks_count;
};

#endif
