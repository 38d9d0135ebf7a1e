/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One recording: the loop that moves records from the kernel to the output until something ends
 * it. One epoll waits for the ring buffer's watermark, the flush timer, signals and the ends of
 * the processes that were named.
 */
#ifndef STEPTRACE_SESSION_H
#define STEPTRACE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/targets.h"
#include "steptrace/capture/filters.h"
#include "steptrace/capture/ring_sizes.h"
#include "steptrace/output/outputs.h"
#include "steptrace/stream/stream.h"

struct session_options {
	struct targets targets;
	struct steptrace_filters filters;
	struct output_options outputs[OUTPUTS_MAX];
	size_t outputs_count;                       /* 0: standard output */
	uint64_t queue_bytes;                       /* of an output */
	uint64_t rotate_bytes, rotate_age_ns, keep; /* see sink.h */
	bool connects;                              /* one of them is a socket */
	bool writes_files;                          /* one of them is a file */
	enum stream_format format;
	bool seed_fields_only;
	struct fields fields;           /* none: all of them */
	unsigned int pseudonyms_mask;   /* see pseudonym.h */
	const char *pseudonym_key_path; /* NULL: a random key */
	uint64_t events_limit;          /* 0: none */
	uint64_t duration_ns;           /* 0: until something else ends it */
	uint64_t flush_ns;              /* how long a record may wait for its line */
	struct ring_sizes ring_sizes;
	int site;                    /* enum site_kind; -1: the fastest that is safe */
	bool ends_only;              /* see capture.h */
	double max_cpu_percent;      /* of one processor; 0: no limit */
	bool shows_stats;            /* every second, on stderr */
	const char *metrics_address; /* NULL: they are not served */
	uint64_t linger_ns;          /* how long a binary without processes stays attached */
};

/*
 * Runs to the end. Returns the exit status of the program: 0 done, 1 failed (the sentence is in
 * `err`), or the command's own after `-- COMMAND`.
 */
int session__run(const struct session_options *options, struct error *err);

#endif
