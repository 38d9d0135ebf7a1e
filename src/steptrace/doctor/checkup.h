/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `steptrace doctor` looks at: this kernel, our privileges, what a hit costs here, and what
 * was named. Nothing of it stays: probes on ourselves are detached again, and a target is only read.
 */
#ifndef STEPTRACE_CHECKUP_H
#define STEPTRACE_CHECKUP_H

#include <sys/types.h>

#include "steptrace/doctor/findings.h"

void checkup__kernel(struct findings *findings);
void checkup__privileges(struct findings *findings);
/* Which kinds of sites there are, what each costs when hit, and which one will be used. */
void checkup__sites(struct findings *findings);

/* A binary by its path; a process with all that it runs. */
void checkup__binary(struct findings *findings, const char *path);
void checkup__process(struct findings *findings, pid_t pid);

#endif
