/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runners have open, as far as a tracer saw it since it was attached. For runners whose memory
 * cannot be searched, because their header is older or newer (inflight/found.h).
 *
 *	seen_open__start	forks a child, while the process still has its privileges
 *	seen_open__attach	the child attaches to these processes, and gives up its privileges
 *	seen_open__ask		the child says what is open now
 *	seen_open__source	the answer, process by process
 *	seen_open__close	ends the child: it detaches
 *
 * The tracer is a child so that the process itself needs no rights but those for reading memory. It
 * is a whole recording without outputs (record/recording.h), whose reader answers questions.
 */
#ifndef STEPTRACE_SEEN_OPEN_H
#define STEPTRACE_SEEN_OPEN_H

#include "common/error.h"
#include "steptrace/attach/targets.h"
#include "steptrace/inflight/found.h"

#define SEEN_CHILD_NAME "steptrace-seen"

struct seen_command {
	pid_t pid;
	struct open_command command;
};

struct seen_step {
	pid_t pid;
	struct open_step step;
};

/* The question of seen_open__attach(). */
struct seen_targets {
	pid_t pids[TARGETS_MAX];
	size_t pids_count;
	bool no_children;
};

/* A child that never started is {.fd = -1}. */
struct seen_open {
	int fd;                        /* to the child; -1: none */
	struct seen_targets targets;   /* to which it is attached */
	bool is_over;                  /* all of them have ended */
	uint64_t attached_ns;          /* CLOCK_MONOTONIC; 0: not yet */
	struct seen_command *commands; /* owned: the last answer */
	struct seen_step *steps;       /* owned */
	size_t commands_count, commands_room, steps_count, steps_room;
	uint64_t left_out; /* of the answer: there was no memory */
	uint64_t lost;     /* events so far: what may have ended is not in the answer */
};

/* 0 or negative errno with a sentence. Call seen_open__close() in any case. */
int seen_open__start(struct seen_open *seen, struct error *err);

/* Returns when the child is attached to the first TARGETS_MAX of the processes; those that have
 * ended are passed over. 0 or negative errno with a sentence. */
int seen_open__attach(struct seen_open *seen, const pid_t *pids, size_t count, bool no_children,
		      struct error *err);

/* Replaces the last answer. Waits for each message SEEN_PATIENCE_MS at most. 0 or negative errno
 * with a sentence. */
enum { SEEN_PATIENCE_MS = 2000 };

int seen_open__ask(struct seen_open *seen, struct error *err);

/* Its context is the struct. */
struct seen_source seen_open__source(struct seen_open *seen);

/* Returns when the child has detached. */
void seen_open__close(struct seen_open *seen);

/* ---- the child: seen_child.c */

enum seen_kind {
	SEEN_ATTACHED,
	SEEN_FAILED,
	SEEN_COMMAND,
	SEEN_STEP,
	SEEN_END,  /* of an answer */
	SEEN_OVER, /* all processes have ended */
};

struct seen_message {
	uint32_t kind; /* enum seen_kind */
	pid_t pid;
	union {
		struct error failure;
		/* Their addresses are those of other structs: only for comparing. */
		struct open_command command;
		struct open_step step;
		uint64_t lost; /* SEEN_END */
	};
};

/* How many bytes of a message of this kind are sent. 0: there is no such kind. */
size_t seen_message__bytes(uint32_t kind);

_Noreturn void seen_child__run(int socket, pid_t parent);

#endif
