/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that the targets name: those of -p with the descendants that they have already, or
 * the command. What they fork from then on is added by the BPF programs.
 */
#ifndef STEPTRACE_WANTED_PROCESSES_H
#define STEPTRACE_WANTED_PROCESSES_H

#include "common/error.h"
#include "steptrace/attach/targets.h"
#include "steptrace/capture/capture.h"

/* `command` is the process of `-- PROGRAM`, or 0. After capture__watch_processes(). 0 or negative
 * errno with a sentence. */
int wanted_processes__add(struct capture *capture, const struct targets *targets, pid_t command,
			  struct error *err);

#endif
