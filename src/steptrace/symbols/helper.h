/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child that reads foreign files (reader.h), from the side of the tracer.
 *
 *	tracer ── socket ── keeper		forks readers, and ends them; reads nothing foreign
 *	   └───── socket ── reader		reads foreign files; may crash
 *
 * The keeper is forked while the tracer still has its privileges, drops all of them, and waits. A
 * reader is a fork of the keeper with a filter for system calls: the tracer itself could not limit
 * a process that it forks later. Both end when the tracer ends.
 *
 * A reader that crashes, does not answer in time, or gives an answer that makes no sense is lost:
 * the keeper ends it, and the next question goes to a new one. That one knows no files yet. A
 * keeper that gives no reader in time is lost for good: from then on nothing is read.
 */
#ifndef STEPTRACE_SYMBOLS_HELPER_H
#define STEPTRACE_SYMBOLS_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/symbols/helper_message.h"

#define HELPER_NAME "steptrace-names"

enum { HELPER_PATIENCE_MS = 5000, HELPER_LOST_MAX = 20 };

struct helper {
	pid_t keeper;        /* 0: none */
	int keeper_fd;       /* -1: none */
	int reader_fd;       /* -1: none */
	uint32_t generation; /* of the reader; the first is 1 */
	int patience_ms;     /* how long a reader may think, and the keeper */
	uint64_t lost;       /* readers and keepers; after HELPER_LOST_MAX there is no other */
	struct helper_answer *answer; /* owned; room for one */
};

/* 0 or negative errno with a sentence. Call helper__close() in any case. */
int helper__start(struct helper *helper, struct error *err);

/* Makes sure that there is a reader, whose number is in `generation`. False: there is none. */
bool helper__is_ready(struct helper *helper);

/*
 * Asks the reader, with a descriptor or -1, which stays with the caller. 0 and *answer, valid until
 * the next call, whose code may be an error; or -EPIPE: the reader is lost.
 */
int helper__ask(struct helper *helper, const struct helper_question *question, int fd,
		const struct helper_answer **answer);
/* The same, but the reader may think for `patience_ms` only. */
int helper__ask_within(struct helper *helper, const struct helper_question *question, int fd,
		       int patience_ms, const struct helper_answer **answer);

/* Also for a zeroed struct whose descriptors are -1. */
void helper__close(struct helper *helper);

/* In the child: forks readers until the other end of the socket is closed. */
_Noreturn void helper_child__run(int socket, pid_t tracer);

#endif
