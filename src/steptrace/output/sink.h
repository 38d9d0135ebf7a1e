/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the lines of one output go: a file, what somebody else opened (standard output, a pipe, a
 * terminal), or a socket. A sink waits, and is used by one thread.
 *
 *	sink__open -> sink__write ... sink__write -> sink__close
 *
 * Lines are written whole or not at all, as far as it is in our hands: when the disk is full, a file
 * ends with its last whole line. Each part of an output (a rotated file, a connection) begins with
 * the trace.started of the stream, so that it can be read alone.
 */
#ifndef STEPTRACE_SINK_H
#define STEPTRACE_SINK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/output/descriptor.h"

struct sink_options {
	const char *where;      /* NULL or "-", FILE, FILE.gz, unix:PATH, tcp:HOST:PORT */
	uint64_t rotate_bytes;  /* files: a new one before it is larger; 0: never */
	uint64_t rotate_age_ns; /* files: a new one when it is older; 0: never */
	unsigned int keep;      /* how many rotated ones stay; 0: all */
};

struct sink_ops;

struct sink {
	const struct sink_ops *ops;
	uint64_t gathers_ns; /* lines had better wait that long, to be written together */
	struct write_state write_state;
	const char *header;  /* borrowed, the line of trace.started; NULL: none */
	unsigned int parts;  /* that began with it */
	char name[PATH_MAX]; /* for people */
};

/* A kind of sink; what it needs lies behind `struct sink`. */
struct sink_ops {
	/* As sink__write(). */
	int (*write)(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		     struct error *err);
	/* Somebody moved the file away. NULL: there is none. */
	void (*reopen)(struct sink *sink);
	/* For how long it may be left alone though there is nothing to write, in ns; then it is. NULL: for ever. */
	uint64_t (*idles_ns)(const struct sink *sink);
	void (*idled)(struct sink *sink);
	/* Readable when the other side went away or said something. NULL: no other side. */
	int (*watched_fd)(const struct sink *sink);
	void (*look)(struct sink *sink);
	/* Whether it can go on without the rights that the tracer gave up. NULL: it can. */
	int (*check_rights)(const struct sink *sink, struct error *err);
	void (*close)(struct sink *sink);
};

int sink__open(const struct sink_options *options, struct sink **sink, struct error *err);

/* Also NULL. */
void sink__close(struct sink *sink);

/*
 * Writes whole lines; none: only what the output begins with. 0, or negative errno with a sentence in `err`; *written says in any case how many
 * bytes of whole lines are out. -ECANCELED: it had to wait, and was told to give up.
 */
int sink__write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		struct error *err);

/* The header of the next part: NULL (none), or a text that the caller frees. Once it is out, it is one of
 * `parts`. */
char *sink__next_header(const struct sink *sink);

/* As its kind says; UINT64_MAX: for ever. */
uint64_t sink__idles_ns(const struct sink *sink);

/* Whether that is, or will be, a file, which can be rotated. */
bool sink__is_file(const char *where);

bool sink__is_terminal(const struct sink *sink);

/* The kinds. */
int sink_inherited__open(const char *path, struct sink **sink, struct error *err);
int sink_file__open(const struct sink_options *options, struct sink **sink, struct error *err);
int sink_socket__open(const char *where, struct sink **sink, struct error *err);

#endif
