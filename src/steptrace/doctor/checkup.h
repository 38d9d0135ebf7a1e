/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks of `steptrace doctor`: the kernel, the privileges, the cost of a hit, and a target.
 *
 * Nothing remains afterwards: probes in steptrace itself are detached, and a target is only read.
 */
#ifndef STEPTRACE_CHECKUP_H
#define STEPTRACE_CHECKUP_H

#include <sys/types.h>

#include "steptrace/doctor/findings.h"

void checkup__kernel(struct findings *findings);
void checkup__privileges(struct findings *findings);

/* Which kinds of sites there are, what a hit of each costs, and which one a recording will use. */
void checkup__sites(struct findings *findings);

/* A binary, by its path. */
void checkup__binary(struct findings *findings, const char *path);
/* A process, with the program and the libraries that it runs. */
void checkup__process(struct findings *findings, pid_t pid);

/* What checkup__kernel() says about the programs that not every recording loads. */
void checkup__programs(struct findings *findings, bool may_load);

/* What checkup__process() says about the sandbox of the process: can it read the clock? */
void checkup__sandbox(struct findings *findings, const char *section, pid_t pid);

#endif
