/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept from one look at the targets to the next. inflight.h opens and closes it. */
#ifndef STEPTRACE_INFLIGHT_SEARCH_H
#define STEPTRACE_INFLIGHT_SEARCH_H

#include "common/error.h"
#include "steptrace/attach/binary.h"
#include "steptrace/capture/thread_times.h"
#include "steptrace/inflight/found.h"
#include "steptrace/inflight/search_plan.h"

struct inflight_search {
	const struct inflight_options *options; /* borrowed */
	struct binaries binaries;               /* the first ones are those of -x */
	size_t named_count;
	unsigned int visits;        /* of `binaries`, before the last look */
	struct search_plan plan;    /* with whole_share */
	bool only_headers;          /* set by the caller: the next look reads no memory */
	bool is_whole;              /* set by the caller: the next look searches all memory */
	struct thread_times *times; /* NULL: `why` says why no age comes from a thread */
	struct error why;
};

#endif
