/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cgroup of --cgroup, and its path.
 *
 * A service that restarts gets a new cgroup, with another id and the same path. The BPF programs
 * learn of it before it has a process (bpf/cgroup.bpf.c). This file tells the user. Where the
 * kernel shows the program another path (a tracer in a cgroup namespace), the path is looked at by
 * the timer, and what the service does before that is missed.
 */
#ifndef STEPTRACE_WANTED_CGROUP_H
#define STEPTRACE_WANTED_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/capture/capture.h"

struct wanted_cgroup {
	char path[PATH_MAX]; /* of the directory; "": none */
	const char *inner;   /* the part of it below the mount point, "/system.slice/x.service" */
	uint64_t id;
};

/* `path`: a directory of cgroup v2, or its path below the mount point of cgroup v2. 0, or negative
 * errno with a sentence. */
int wanted_cgroup__find(struct wanted_cgroup *cgroup, const char *path, struct error *err);

/* Looks whether the cgroup was removed or made again, and says it. For the timer. */
struct cgroup_watch {
	const struct wanted_cgroup *cgroup; /* borrowed */
	uint64_t id;                        /* the last that was seen */
	bool is_gone;
};
void cgroup_watch__look(struct cgroup_watch *watch, struct capture *capture);

#endif
