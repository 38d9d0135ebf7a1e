/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between capture.c (programs, ring buffers, counts) and capture_process.c (processes and files). The only
 * header that shows libbpf's skeleton; nobody else includes it.
 */
#ifndef STEPTRACE_CAPTURE_PRIVATE_H
#define STEPTRACE_CAPTURE_PRIVATE_H

#include <bpf/libbpf.h>

#include "steptrace/capture/capture.h"
#include "steptrace/capture/kernel_types.h"
#include "steptrace/capture/ring.h"

#include "steptrace.skel.h" /* its types are those of record.h */

struct capture {
	struct steptrace_bpf *skeleton;
	struct bpf_program *programs[PROBES_COUNT]; /* NULL: not wanted */
	struct ring ring_items[RINGS_MAX];
	struct rings rings;
	int ring_fds[RINGS_MAX]; /* the first is the skeleton's to close */
	int wakeup_fd;           /* an epoll of all of them */
	struct capture_peaks peaks;
	struct bpf_link *all_mappings, *own_mappings;
	enum uprobe_method method;
	struct kernel_types types; /* while loading only */
};

#endif
