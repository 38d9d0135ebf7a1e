/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is open now, for the tables of latency and top: a child process is asked to look
 * (inflight/lookout.h), and its answer goes to the reader of the events.
 *
 *	open_looks__ask		one question at a time
 *	open_looks__take	when the child has messages: the answer, item by item
 *
 * The answer comes a moment later, because a search takes a fifth of a second for each GiB of
 * memory. Tables that follow each other soon get answers from parts of the memory
 * (inflight/search_plan.h), or do not all get one: looks take at most LOOKOUT_MAX_SHARE of one
 * processor.
 */
#ifndef STEPTRACE_OPEN_LOOKS_H
#define STEPTRACE_OPEN_LOOKS_H

#include "common/error.h"
#include "steptrace/inflight/lookout.h"

/* How long a table waits for what is open. */
#define OPEN_LOOKS_PATIENCE_NS 2000000000ull

/* Of the reader; the context is the reader's. */
struct open_items_reader {
	const char *subject; /* of sentences about what was not seen: "steptrace top" */
	/* Whether it would make a table now, for which it wants to know what is open. */
	bool (*is_due)(void *context, uint64_t now_ns);
	bool waits;        /* for the answer with its table; false: it has the answer before */
	bool looks_at_end; /* of the recording, before the probes are detached */
	/* A look begins. What ends from now on may be in the answer. */
	void (*asked)(void *context);
	/* An answer: what was open before is forgotten, then every item. `is_complete`: nothing was
	 * left out, and the whole memory of every runner was searched. If the look failed, there is
	 * no end. */
	void (*begin)(void *context);
	void (*add)(void *context, const struct open_item *item);
	/* A runner whose memory is not understood: its header is older or newer. Only events say
	 * what it has open. NULL: the reader counts what events say of all runners. */
	void (*add_blind)(void *context, uint32_t pid);
	void (*end)(void *context, bool is_complete);
};

struct open_looks {
	const struct open_items_reader *reader; /* NULL: it does not want to know */
	void *context;
	struct lookout lookout;
	struct lookout_message *message; /* owned */
	struct lookout_state told;       /* on stderr */
	uint64_t asked_ns;               /* 0: nothing was asked since the last table */
	bool wants_whole;                /* the question is about the whole memory */
	bool is_answered, has_begun;     /* to answer */
	bool is_late;                    /* the answer of an earlier question still comes */
	uint64_t next_ns;                /* no question before that */
	uint64_t cpu_ns;                 /* that the last look took */
	bool said_late, said_rare;
};

/* Starts the child, before privileges are dropped. 0 or negative errno with a sentence. Call
 * open_looks__close() in any case. */
int open_looks__open(struct open_looks *looks, const struct open_items_reader *reader,
		     void *context, const struct lookout_options *options, struct error *err);

/* Asks, if an answer is not awaited and it is not too early. What an answer that does not come for
 * long should replace is forgotten. */
void open_looks__ask(struct open_looks *looks, uint64_t now_ns);

/* True: wait, an answer may come. Asks if nothing was asked yet; false when the answer is there,
 * when it is late, or when there can be none. At the end, an answer may cost what it will, and the
 * whole memory is searched. */
bool open_looks__are_awaited(struct open_looks *looks, uint64_t now_ns, bool is_end);

/* Whether the answer is there that the table waits for. */
static inline bool open_looks__has_answer(const struct open_looks *looks)
{
	return looks->reader && looks->reader->waits && looks->asked_ns && looks->is_answered;
}

/* A table was written: the next one needs another answer. */
void open_looks__forget(struct open_looks *looks);

/* Takes the messages that wait; true: there may be more. */
bool open_looks__take(struct open_looks *looks);

/* Also for a struct that was never opened, whose descriptor is -1. */
void open_looks__close(struct open_looks *looks);

#endif
