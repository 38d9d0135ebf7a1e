/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that a recording waits for, in one epoll: the watermark of the ring buffers, a timer,
 * signals, the end of the command, notices of the outputs, HTTP requests, writers of attached
 * binaries, steps of the wall clock and keys.
 */
#ifndef STEPTRACE_WAKEUPS_H
#define STEPTRACE_WAKEUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

struct wakeups {
	int epoll_fd, timer_fd, signal_fd, clock_fd;
	int deadline_fd; /* -1: no deadline */
	int command_fd;  /* a pidfd; -1: no command */
	bool command_runs;
	bool ignores_hangup; /* SIGHUP was ignored at the start, as under nohup */
};

/* What happened since the last wakeups__wait(). */
struct wakeup {
	bool timer;
	bool deadline;
	bool news;          /* a process started a program or loaded a library */
	bool outputs;       /* an output failed, or has room again */
	bool metrics;       /* an HTTP request */
	bool writers;       /* a program opens an attached binary for writing */
	int signal;         /* its number; 0: none */
	bool from_terminal; /* the kernel sent the signal (Ctrl-C), also to the children */
	bool command_ended;
	bool clock_was_set; /* a step of the wall clock */
	bool input;         /* the reader has something to do with its input */
};

/*
 * With `takes_signals`, blocks SIGINT, SIGTERM and SIGHUP, which are read from here on. Ignores
 * SIGPIPE and SIGXFSZ.
 * `interval_ns` is the timer's; `outputs_fd` (borrowed) becomes readable when the outputs have a
 * notice. 0 or negative errno with a sentence.
 */
int wakeups__open(struct wakeups *wakeups, uint64_t interval_ns, int outputs_fd, bool takes_signals,
		  struct error *err);
void wakeups__close(struct wakeups *wakeups);

/* Reported once. 0 or negative errno. */
int wakeups__set_deadline(struct wakeups *wakeups, uint64_t from_now_ns);

/* `fd` becomes readable when unread records pass the watermark. This wakes the loop up, but is not
 * reported: the loop drains in every round. 0 or negative errno. */
int wakeups__watch_records(struct wakeups *wakeups, int fd);

/* `fd` is readable when there is something for watch__on_news(). 0 or negative errno. */
int wakeups__watch_news(struct wakeups *wakeups, int fd);

/* `fd` is readable when the HTTP server has something to do. 0 or negative errno. */
int wakeups__watch_metrics(struct wakeups *wakeups, int fd);

/* `fd` is readable when a program opens an attached binary for writing. 0 or negative errno. */
int wakeups__watch_writers(struct wakeups *wakeups, int fd);

/* `fd` is readable when the reader of the events has something to do with its input. 0 or negative
 * errno. */
int wakeups__watch_input(struct wakeups *wakeups, int fd);

/* `fd` is readable when the lookout has a message. This wakes the loop up, but is not reported.
 * 0 or negative errno. */
int wakeups__watch_lookout(struct wakeups *wakeups, int fd);

/* Waits for the end of a child process. 0 or negative errno. */
int wakeups__watch_command(struct wakeups *wakeups, pid_t pid);

/* Waits for the next wakeup; with `poll` returns at once. */
void wakeups__wait(struct wakeups *wakeups, bool poll, struct wakeup *wakeup);

#endif
