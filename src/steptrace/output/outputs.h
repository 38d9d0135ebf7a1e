/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All outputs of a recording. Each gets the same batches, and each has a thread, a queue and books of
 * its own (see output.h).
 */
#ifndef STEPTRACE_OUTPUTS_H
#define STEPTRACE_OUTPUTS_H

#include "steptrace/output/output.h"

enum { OUTPUTS_MAX = 8 };

struct outputs {
	struct output *items[OUTPUTS_MAX];
	size_t count;
	bool is_over[OUTPUTS_MAX]; /* which was said */
	struct {
		uint64_t bytes;    /* moved, when it was looked at last */
		uint64_t since_ns; /* when that last changed, or nobody waited; 0: never looked */
	} pace[OUTPUTS_MAX];
	int news_fd;  /* readable: there is room again, or one failed */
	char *header; /* owned */
};

/* All of `options`; 0 or negative errno with a sentence. What was opened is closed by
 * outputs__close(), also after a failure, and for a zeroed one. */
int outputs__open(struct outputs *outputs, const struct output_options *options, size_t count,
		  struct error *err);
void outputs__close(struct outputs *outputs);

/* Whether they can go on as who we are now. */
int outputs__check_rights(const struct outputs *outputs, struct error *err);

/* The lines of the stream are, for now, what each part of an output begins with. */
int outputs__set_header(struct outputs *outputs, struct stream *stream, struct error *err);

/* Begins to write. */
int outputs__start(struct outputs *outputs, struct stream *stream, struct error *err);

/* Takes the stream's lines; without memory they stay there. */
void outputs__give(struct outputs *outputs, struct stream *stream);

/* Whether none of those that block is full. */
bool outputs__have_room(struct outputs *outputs);

/* Takes the news: whether one failed, and whether one is left that did not. */
void outputs__news(struct outputs *outputs, bool *failed, bool *any_left);

/* They have nothing to say any more that anybody wants to hear. */
void outputs__calm(struct outputs *outputs);

void outputs__reopen(struct outputs *outputs);

/* There is no more: what is queued is written, then the totals. */
void outputs__finish(struct outputs *outputs, const struct stream *stream,
		     const struct trace_totals *totals);
/* Whether all have done that. */
bool outputs__are_done(struct outputs *outputs);

/* While one is waited for, now and then: who has not moved a byte for too long is given up, and need not be
 * waited for much longer. */
void outputs__give_up_idle(struct outputs *outputs);
void outputs__give_up(struct outputs *outputs);
/* The first that is waited for; NULL: none is. */
const char *outputs__awaited(const struct outputs *outputs);

/* Behind outputs__finish(): ends them. 0, or the first one's error with its sentence. */
int outputs__end(struct outputs *outputs, struct error *err);

/* Where there are several, what each of them did not write. */
void outputs__say_lost(const struct outputs *outputs);

/* Events that the most complete of them did not write. */
uint64_t outputs__lost(struct outputs *outputs);

bool outputs__use_terminal(const struct outputs *outputs);
/* What rights they need while the recording runs: to make files, to connect sockets. */
bool outputs__make_files(const struct outputs *outputs);
bool outputs__connect(const struct outputs *outputs);

#endif
