/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts a program for a benchmark, reads its output line by line, and ends it. Nothing here waits
 * longer than PROGRAM_PATIENCE_MS. A program that does not end in that time is killed, and a
 * message names it.
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
	uint64_t started_ns; /* CLOCK_MONOTONIC just before the fork */
	int said_fd;         /* pipe from the stream that is read */
	int stdin_fd;        /* pipe to its stdin; open until program__end() */
	char said[4096];
	size_t said_bytes, taken_bytes;
};

/* Starts the program. `hears` says which stream is read: 1 stdout, 2 stderr; the other one goes to
 * /dev/null. If the program cannot be started, prints a message and exits. */
void program__start(struct program *program, const char *const argv[], int hears);

/* The next line without its newline, valid until the next call. NULL: none came in time. */
const char *program__line(struct program *program, int patience_ms);

/* Reads lines until one contains the word. Returns false if none does. */
bool program__await(struct program *program, const char *word);

/* Sends the signal, or closes the program's stdin if `signal` is 0, and waits until the program has
 * ended. Returns how long that took, in milliseconds. */
double program__end(struct program *program, int signal);

/* A path relative to the folder of this program: "../spans" is build/tests/spans. The text is never
 * freed. */
const char *program__path(const char *relative);

#endif
