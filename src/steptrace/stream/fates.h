/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the executions that ended last: written or left out (--whole). An event that comes
 * after the end of its execution, for example of a step that a forked child ends later, has to
 * follow the others.
 *
 * The table has one place for each value of a hash of the id. A later execution with the same value
 * replaces the one before, so what is remembered is bounded. With 1,000 executions a second, an
 * execution is remembered for about a minute.
 */
#ifndef STEPTRACE_FATES_H
#define STEPTRACE_FATES_H

#include <stdint.h>

enum fate {
	FATE_OPEN = 0, /* not decided, or not known any more */
	FATE_WRITTEN,
	FATE_LEFT_OUT,
};

struct fates;

/* NULL: no memory. */
struct fates *fates__new(void);
/* Accepts NULL. */
void fates__free(struct fates *fates);

void fates__remember(struct fates *fates, const uint8_t execution_id[16], enum fate fate);
enum fate fates__of(const struct fates *fates, const uint8_t execution_id[16]);

#endif
