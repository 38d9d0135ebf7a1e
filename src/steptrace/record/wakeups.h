/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything a recording waits for, in one epoll: unread records, the flush timer, signals, the end
 * of the command, and somebody who sets the wall clock.
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
	int deadline_fd; /* -1: there is none */
	int child_fd;    /* a pidfd; -1: there is none */
	bool child_runs;
	bool ignores_hangup; /* whoever started us wants it so: nohup */
};

/* What happened since the last time. */
struct wakeup {
	bool timer;
	bool deadline;
	bool news;          /* from the outputs */
	bool question;      /* somebody wants to know */
	int signal;         /* its number, 0: none */
	bool from_terminal; /* the signal: the terminal's own Ctrl-C, which children get as well */
	bool child_ended;
	bool clock_was_set; /* the wall clock, not by its own going on */
};

/* SIGINT, SIGTERM and SIGHUP are blocked and read from here on; SIGPIPE and SIGXFSZ are ignored. `interval_ns`
 * is the timer's; `news_fd`, borrowed, is readable when the outputs have something to say. 0 or negative errno with a sentence. */
int wakeups__open(struct wakeups *wakeups, uint64_t interval_ns, int news_fd, struct error *err);
void wakeups__close(struct wakeups *wakeups);

/* The moment at which it is enough; told once. */
int wakeups__set_deadline(struct wakeups *wakeups, uint64_t from_now_ns);

/* Becomes readable when somebody should come and read records, which are nobody's business here. That
 * there are some more is no reason to wake up: the timer will do. */
int wakeups__watch_records(struct wakeups *wakeups, int fd);

/* Readable when somebody asks something over the network. */
int wakeups__watch_questions(struct wakeups *wakeups, int fd);

/* The end of a child of ours. */
int wakeups__watch_child(struct wakeups *wakeups, pid_t pid);

/* Waits (not at all with `poll`) and says what happened. */
void wakeups__wait(struct wakeups *wakeups, bool poll, struct wakeup *wakeup);

#endif
