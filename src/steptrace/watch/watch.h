/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every live command shares: the BPF programs, the probes of the targets, and the privileges
 * that remain.
 *
 *	watch__open		loads the BPF programs; from here on ends of processes are records
 *	watch__attach		attaches to the targets that run now
 *	watch__drop_privileges	gives root up; keeps what later targets need
 *	watch__confine		limits the system calls
 *	watch__on_news		when watch__news_fd is readable: attaches to what just started
 *	watch__let_writers_go	detaches from binaries that are about to be overwritten
 *	watch__update		now and then: attaches to new targets, detaches from unused binaries
 *	watch__detach		detaches everywhere; the records that remain can still be read
 *	watch__close
 *
 * Records are read through `capture` (capture__drain).
 */
#ifndef STEPTRACE_WATCH_H
#define STEPTRACE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/attachments.h"
#include "steptrace/attach/follower.h"
#include "steptrace/attach/targets.h"
#include "steptrace/capture/capture.h"
#include "steptrace/capture/filters.h"
#include "steptrace/capture/ring_sizes.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/watch/wanted_cgroup.h"

struct traced_command;

struct watch_options {
	struct targets targets;
	struct steptrace_filters filters;
	struct wanted_cgroup cgroup; /* of filters.by_cgroup */
	struct ring_sizes ring_sizes;
	int site;                           /* enum site_kind; -1: the fastest that is safe */
	bool ends_only;                     /* see capture.h */
	bool breakdown;                     /* see capture.h */
	const struct stack_options *stacks; /* see capture.h */
	uint64_t linger_ns; /* how long a binary that no process runs stays attached */
};

struct watch {
	const struct watch_options *options;  /* borrowed */
	const struct traced_command *command; /* borrowed; NULL: no `-- PROGRAM` */
	struct capture *capture;
	struct attachments attachments;
	struct follower follower;
	struct exec_hold hold;     /* of the command's programs */
	struct mmap_records mmaps; /* closed where the kernel does not permit them */
	int news_fd;               /* an epoll of both */
	struct cgroup_watch cgroup;
	mmap_record_fn *observer; /* NULL: none */
	void *observer_context;
};

/*
 * `command` is the started command of `-- PROGRAM`, or NULL. Both pointers stay valid until
 * watch__close(). 0 or negative errno with a sentence. Call watch__close() also after a failure.
 */
int watch__open(struct watch *watch, const struct watch_options *options,
		const struct traced_command *command, struct error *err);

/* Also for a zeroed watch. Detaches whatever is still attached. */
void watch__close(struct watch *watch);

/* Attaches to what runs now. From here on `events` are told which binaries come and go. 0 or
 * negative errno with a sentence; a named target without probes is an error. */
int watch__attach(struct watch *watch, const struct follower_events *events, struct error *err);

/* Both fill in what the watch itself needs, and cannot be undone. The caller must have one thread.
 * 0 or negative errno with a sentence. */
int watch__drop_privileges(const struct watch *watch, struct privilege_needs *needs,
			   struct error *err);
int watch__confine(const struct watch *watch, struct privilege_needs *needs, struct error *err);

/* Readable when watch__let_writers_go() has to be called: a program opens an attached binary for
 * writing, and waits. */
int watch__writers_fd(const struct watch *watch);
void watch__let_writers_go(struct watch *watch);

/* Borrowed; readable when a process started a program or loaded a library. */
int watch__news_fd(const struct watch *watch);
void watch__on_news(struct watch *watch);

/* In watch__on_news(), `observer` is called for each executable mapping that a process of the
 * targets has made. */
void watch__observe_mappings(struct watch *watch, mmap_record_fn *observer, void *context);
/* For the end: tells the observer the last ones, and attaches to nothing any more. */
void watch__observe_the_last(struct watch *watch);

/* No exec waits for the probes any more. For the end of the recording, before anything that takes
 * time. */
void watch__let_go(struct watch *watch);

/* Whether a process of the targets was seen to run a file with attached probes. */
bool watch__saw_probes(const struct watch *watch);

/* The timer's work. Call it at least every FOLLOWER_SCAN_NS. */
void watch__update(struct watch *watch, uint64_t now_ns);

/* Soon detaches from all binaries that no process runs. */
void watch__release_unused(struct watch *watch);

/* How many processes of the targets are not traced, by reason. */
void watch__untraced(const struct watch *watch, uint64_t counts[UNTRACED_REASONS_COUNT]);

/* True when the targets are processes and all of them have ended. */
bool watch__targets_ended(const struct watch *watch);

/* Returns when no probe can make a record any more. */
void watch__detach(struct watch *watch);

/* The program that `-- PROGRAM` executes; NULL: there is none. */
const char *watch__command_path(const struct watch *watch);

#endif
