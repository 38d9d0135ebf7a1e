/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that a benchmark starts: what it says, line by line, and its end. Nothing here waits
 * for longer than PROGRAM_PATIENCE_MS; a program that makes us wait is killed and named.
 */
#ifndef STEPTRACE_BENCH_PROGRAM_H
#define STEPTRACE_BENCH_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROGRAM_PATIENCE_MS = 20000 };

struct program {
	const char *name;
	pid_t pid;
	uint64_t started_ns; /* just before it was forked; CLOCK_MONOTONIC */
	int said_fd;         /* what it says; the other stream goes to /dev/null */
	int stdin_fd;        /* stays open until program__end() */
	char said[4096];
	size_t said_bytes, taken_bytes;
};

/* `hears` is 1 or 2: which of its streams is listened to. Exits when it cannot be started. */
void program__start(struct program *program, const char *const argv[], int hears);

/* The next line without its end, valid until the next call; NULL: none came. */
const char *program__line(struct program *program, int patience_ms);

/* Whether a line came that contains the word. */
bool program__await(struct program *program, const char *word);

/* Sends the signal (0: closes its stdin) and waits. Returns how long it took, in ms. */
double program__end(struct program *program, int signal);

/* Next to this program's own folder: "../spans" for build/tests/spans. Never freed. */
const char *program__path(const char *relative);

#endif
