/* SPDX-License-Identifier: BSD-2-Clause */
/* A command or step that is open now, as tables count it: read from the memory of its runner
 * (inflight/open_items.h), or seen by its events. It has no pointers, so that another process can
 * send it. */
#ifndef STEPTRACE_OPEN_ITEM_H
#define STEPTRACE_OPEN_ITEM_H

#include <stdbool.h>
#include <stdint.h>

struct open_item {
	uint8_t execution_id[16], step_id[16]; /* 0: the runner has not made one yet */
	uint32_t pid, uid;
	bool is_step;
	bool is_age_known;        /* false: it has been open for at least age_ns */
	uint64_t age_ns, seen_ns; /* at the time seen_ns, of CLOCK_MONOTONIC */
	/* Texts end with NUL; they are "" where the runner set none. */
	char slug[65], user_id[65], request_source[17];
	char step_type[49], step_name[65]; /* of a step */
};

struct execution;
struct begun_step;

/* What events say of an open execution, and of a step of it. */
void open_item__of_execution(struct open_item *item, const struct execution *execution,
			     uint64_t now_ns);
void open_item__of_step(struct open_item *item, const struct execution *execution,
			const struct begun_step *step, uint64_t now_ns);

#endif
