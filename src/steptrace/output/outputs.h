/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All outputs of a recording. Each output gets the same batches; each has a queue and a thread of
 * its own and counts what it lost (see output.h). The functions are for the thread of the
 * recording.
 */
#ifndef STEPTRACE_OUTPUTS_H
#define STEPTRACE_OUTPUTS_H

#include "steptrace/output/output.h"

enum { OUTPUTS_MAX = 8 };

struct outputs {
	struct output *items[OUTPUTS_MAX];
	size_t count;
	bool is_failure_logged[OUTPUTS_MAX];
	struct {
		uint64_t bytes;    /* written, at the last look */
		uint64_t since_ns; /* since when there is no progress; 0: never looked */
	} progress[OUTPUTS_MAX];
	int news_fd;  /* an eventfd, readable: an output has room again, has failed or is done */
	char *header; /* owned: the trace.started */
};

/* Whether the output behind the first `count` is none of these. 0, or -EINVAL with a sentence. */
int outputs__check_once(const struct output_options *options, size_t count, struct error *err);

/* Opens all. 0, or negative errno with a sentence in `err`; outputs__close() in any case. */
int outputs__open(struct outputs *outputs, const struct output_options *options, size_t count,
		  struct error *err);
/* Also for zeroed memory. */
void outputs__close(struct outputs *outputs);

/* The groups of their files, which the tracer has to be a member of. Returns how many. */
size_t outputs__groups(const struct outputs *outputs, gid_t groups[OUTPUTS_MAX]);

/* Moves the lines that are in the stream now to the header, with which each part of an output
 * begins. 0 or -ENOMEM with a sentence. */
int outputs__set_header(struct outputs *outputs, struct stream *stream, struct error *err);

/* Starts the threads. 0, or negative errno with a sentence in `err`. */
int outputs__start(struct outputs *outputs, struct stream *stream, struct error *err);

/* Gives the lines of the stream to all outputs. Without memory they stay in the stream. */
void outputs__give(struct outputs *outputs, struct stream *stream);

/* False: an output that may not drop has a full queue. */
bool outputs__have_room(struct outputs *outputs);

/* When news_fd is readable: logs outputs that failed, as long as another one goes on. `*failed`: at
 * least one has failed; `*any_left`: at least one has not. */
void outputs__take_news(struct outputs *outputs, bool *failed, bool *any_left);

/* Makes news_fd not readable, without a look at the outputs. */
void outputs__clear_news(struct outputs *outputs);

/* Files are opened again at their paths (SIGHUP). */
void outputs__reopen(struct outputs *outputs);

/* ---- the end */

/* No more lines will follow. The outputs write what is queued, and then the totals. */
void outputs__finish(struct outputs *outputs, const struct stream *stream,
		     const struct trace_totals *totals);
bool outputs__are_done(struct outputs *outputs);

/* To be called now and then while the recording waits for outputs. Gives up outputs that make no
 * progress within their stall timeout. They are done soon after that. */
void outputs__give_up_stalled(struct outputs *outputs);
/* All outputs. */
void outputs__give_up(struct outputs *outputs);
/* The name of the first output that the recording waits for; NULL: none. */
const char *outputs__awaited_name(const struct outputs *outputs);

/* After outputs__finish(): waits for the threads. 0; or -EIO with the sentence of the first output
 * that failed, and logs the failures of the others. */
int outputs__end(struct outputs *outputs, struct error *err);

/* ---- results */

/* When there are several outputs: logs how many events each of them lost. */
void outputs__log_lost(const struct outputs *outputs);

/* The number of events that the most complete output lost. */
uint64_t outputs__lost(struct outputs *outputs);

bool outputs__use_terminal(const struct outputs *outputs);
/* What rights they need while the recording runs: to make files, to connect sockets, to use
 * libcurl. */
bool outputs__make_files(const struct outputs *outputs);
bool outputs__connect(const struct outputs *outputs);
bool outputs__send_kafka(const struct outputs *outputs);
bool outputs__speak_http(const struct outputs *outputs);

#endif
