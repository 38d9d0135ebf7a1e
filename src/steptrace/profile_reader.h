/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What connects the parts of `steptrace profile`: samples of the kernel side (capture/), names
 * (symbols/), the join with spans (profile/) and the picture (flame/). The room record/ calls it as
 * the reader of a recording.
 */
#ifndef STEPTRACE_PROFILE_READER_H
#define STEPTRACE_PROFILE_READER_H

#include "steptrace/profile/interned.h"
#include "steptrace/profile_options.h"
#include "steptrace/symbols/symbols.h"

struct profile_reader {
	const struct profile_request *request; /* borrowed */
	struct watch *watch;                   /* borrowed; NULL: it was not opened */
	uint64_t news_ns;                      /* when its news were read */
	struct symbols *symbols;
	struct profile *profile;
	struct interned *programs; /* that were looked at: pid and program */
	uint64_t started_ns, ended_ns;
	uint64_t started_at_ns; /* Unix time */
	struct folded folded;
	char *text; /* the result, owned; NULL: there is none */
	size_t text_bytes;
	bool has_failed; /* no memory for the result */
};

/* 0 or -ENOMEM. Call profile_reader__close() in any case. */
int profile_reader__open(struct profile_reader *reader, const struct profile_request *request);
void profile_reader__close(struct profile_reader *reader);

/* Its context is the struct. */
struct event_reader profile_reader__events(struct profile_reader *reader);

#endif
