/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A child process that looks at what is open in the processes of a recording. With --overdue it
 * looks again and again, and sends what is overdue. Otherwise it looks when it is asked to, and
 * sends everything that is open.
 *
 *	lookout__start		forks the child, while the tracer still has its privileges
 *	lookout__ask		asks for a look; only without `times`
 *	lookout__next		when lookout__fd() is readable: the next message
 *	lookout__stop		ends the child; what it sent before can still be read
 *	lookout__close
 *
 * It is a child so that the tracer itself needs no right to read the memory of processes, and so
 * that a look, which takes a fifth of a second for each GiB of memory, delays no record. The child
 * keeps only the privileges for reading memory, and CAP_BPF where the wanted processes are in a BPF
 * map: before Linux 5.19, reading a map needs it.
 *
 * How often it looks with --overdue: 20 times in the shortest of the times, but at most every 20 ms
 * and at least every 500 ms; less often where that would take more than half of `max_share` of one
 * processor. The other half is for searches of the whole memory of processes (search_plan.h).
 */
#ifndef STEPTRACE_LOOKOUT_H
#define STEPTRACE_LOOKOUT_H

#include "common/error.h"
#include "steptrace/attach/targets.h"
#include "steptrace/capture/capture.h"
#include "steptrace/inflight/open_row.h"
#include "steptrace/inflight/overdue.h"
#include "steptrace/stream/open_item.h"

#define LOOKOUT_NAME      "steptrace-look"
#define LOOKOUT_MAX_SHARE 0.05
/* For looks, and the same for searches of the whole memory. */
#define LOOKOUT_PART(share) ((share) / 2)

/* Borrowed until the child was forked. */
struct lookout_options {
	const struct targets *targets;
	const struct steptrace_filters *filters; /* of users, names of processes, and commands */
	const char *cgroup; /* its path below the mount point; NULL: none is wanted */
	/* Knows the wanted processes, where the targets name some. */
	const struct capture *capture;
	const struct overdue_times *times; /* NULL: it looks when it is asked to */
	double max_share;                  /* of one processor */
};

struct lookout {
	pid_t child; /* 0: none */
	int fd;      /* -1: none */
};

/* What the looks could not see. */
struct lookout_state {
	uint64_t runners, older_headers, newer_headers, unreadable, unseen, partial, left_out;
	uint64_t swapped_bytes;
	uint64_t revisited;       /* runners of which only stacks and known pages were searched */
	uint64_t whole_period_ns; /* about how often the whole memory of each runner is searched */
	uint64_t cpu_ns;          /* that the look took, without whole searches */
	struct error failure;     /* the first reason of `unreadable` */
	struct error broken;      /* why a look could not be made; "": it was made */
	struct error no_times;    /* why no age comes from a thread; "": ages do */
};

/* The questions of the tracer: one byte each. */
enum { LOOKOUT_ASK = '?', LOOKOUT_ASK_WHOLE = '!' };

enum lookout_kind {
	LOOKOUT_NOTHING, /* no message waits */
	LOOKOUT_OVERDUE,
	LOOKOUT_STATE,  /* after the first look, and when more cannot be seen */
	LOOKOUT_OPEN,   /* the answer to a question: one command or step */
	LOOKOUT_BLIND,  /* the same: a runner whose memory is not understood */
	LOOKOUT_LOOKED, /* the end of the answer, with the state */
	LOOKOUT_ENDED,  /* the child has ended */
};

struct lookout_message {
	uint32_t kind; /* enum lookout_kind */
	union {
		struct {
			uint64_t reached_ns; /* one of the times */
			bool by_command, by_step;
			struct open_row row;
		} overdue;
		struct lookout_state state;
		struct open_item open;
		uint32_t blind_pid;
	};
};

/* 0 or negative errno with a sentence. Call lookout__close() in any case. */
int lookout__start(struct lookout *lookout, const struct lookout_options *options,
		   struct error *err);

static inline int lookout__fd(const struct lookout *lookout)
{
	return lookout->fd;
}

/* Does not wait. `is_whole`: the whole memory of each runner is searched. Ask again when the answer
 * has ended. False: the child has ended. */
bool lookout__ask(struct lookout *lookout, bool is_whole);

/* Does not wait. A message that makes no sense counts as the end of the child. */
enum lookout_kind lookout__next(struct lookout *lookout, struct lookout_message *message);

/* Returns when the child has ended, or after two seconds. Also for a zeroed struct whose fd
 * is -1. */
void lookout__stop(struct lookout *lookout);
void lookout__close(struct lookout *lookout);

/* How many bytes of a message of this kind are sent. 0: there is no such kind. */
size_t lookout_message__bytes(uint32_t kind);

/* In the child: looks until the other end of the socket is closed. */
_Noreturn void lookout_child__run(int socket, const struct lookout_options *options, pid_t tracer);

#endif
