/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of `struct capture`; other files include capture.h. This is the only header
 * that shows libbpf and the skeleton.
 *
 *	capture.c		loading the programs, closing
 *	capture_rings.c		the ring buffers: making, opening, draining
 *	capture_state.c		armed or not, counts, degradation
 *	capture_process.c	processes: watched, wanted
 *	capture_files.c		files: known, mapped, identified
 *	capture_stacks.c	stacks of threads
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
	struct capture_stacks *stacks; /* owned; NULL: none are sampled */
	struct kernel_types types;     /* while loading only */
};

/* Before loading: their number and sizes; makes those that the skeleton does not. Each 0 or
 * negative errno. */
int capture__choose_rings(struct capture *capture, const struct capture_options *options);
/* After loading. */
int capture__open_rings(struct capture *capture, const struct capture_options *options);
/* Also after a failure. */
void capture__close_rings(struct capture *capture);

/* Attaches the program if it is loaded. 0 or negative errno. */
int capture__attach(struct bpf_program *program, struct bpf_link **link);

/* Before loading: the maps and programs for stacks, or that there are none. 0 or negative errno. */
int capture__choose_stacks(struct capture *capture, const struct stack_options *options);
/* After loading. 0 or negative errno. */
int capture__open_stacks(struct capture *capture);
void capture__close_stacks(struct capture *capture);

#endif
