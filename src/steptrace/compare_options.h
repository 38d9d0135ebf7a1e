/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `steptrace report` for comparing two recordings. */
#ifndef STEPTRACE_COMPARE_OPTIONS_H
#define STEPTRACE_COMPARE_OPTIONS_H

#include <stdint.h>

#include "common/option_groups.h"

enum { COMPARE_NO_LIMIT = 1000000 };

struct compare_request {
	char **old; /* paths of the old recording; owned, as the texts. None: nothing is compared */
	size_t old_count;
	uint64_t fail_slower; /* percent; COMPARE_NO_LIMIT: the status is 0 in any case */
};

/* The group of the options; the request may be NULL for printing it. */
struct option_group compare_options__group(struct compare_request *request);
void compare_options__free(struct compare_request *request);

#endif
