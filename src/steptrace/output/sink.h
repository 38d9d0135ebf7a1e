/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the lines of one output go: a file, what somebody else opened (standard output, a pipe, a
 * terminal), or a socket. A sink waits, and is used by one thread.
 *
 *	sink__open -> sink__write ... sink__write -> sink__close
 *
 * Lines are written whole or not at all, as far as it is in our hands: when the disk is full, a
 * file ends with its last whole line. Each part of an output (a rotated file, a connection) begins
 * with the trace.started of the stream, so that it can be read alone.
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
struct sink_kind;

struct sink {
	const struct sink_ops *ops;
	const struct sink_kind *kind;
	uint64_t gather_ns; /* lines had better wait that long, to be written together */
	struct write_state write_state;
	const char *header;  /* borrowed: the line trace.started; NULL: none */
	unsigned int parts;  /* how many began with a header */
	char name[PATH_MAX]; /* for people */
};

/* A kind of sink; what it needs lies behind `struct sink`. */
struct sink_ops {
	/* As sink__write(). */
	int (*write)(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		     struct error *err);
	/* Somebody moved the file away. NULL: there is none. */
	void (*reopen)(struct sink *sink);
	/* For how long it may be left alone though there is nothing to write, in ns; then it is.
	 * NULL: for ever. */
	uint64_t (*idles_ns)(const struct sink *sink);
	void (*idled)(struct sink *sink);
	/* Readable when the other side went away or said something. NULL: no other side. */
	int (*watched_fd)(const struct sink *sink);
	void (*look)(struct sink *sink);
	/* Whether it can go on without the rights that the tracer gave up. NULL: it can. */
	int (*check_rights)(const struct sink *sink, struct error *err);
	void (*close)(struct sink *sink);
};

/* A row of the table of kinds in sink.c. The text of -o selects the row. */
struct sink_kind {
	const char *name;   /* in messages: "unix:PATH" */
	const char *prefix; /* of the text; NULL: `is_meant` decides */
	bool (*is_meant)(const char *where);
	int (*open)(const struct sink_options *options, struct sink **sink, struct error *err);
	bool drops;       /* the default when the queue is full: drop lines instead of waiting */
	bool connects;    /* needs the right to connect while the recording runs */
	bool makes_files; /* needs the right to make files while it runs; can be rotated */
	bool is_given;    /* was opened, or made, by another process: perhaps the terminal */
};

/* Never NULL: a text that nothing else matches is the path of a file. NULL and "-": standard
 * output. */
const struct sink_kind *sink__kind(const char *where);

/* Opens what options->where names. 0, or negative errno with a sentence in `err`. The caller closes
 * it. */
int sink__open(const struct sink_options *options, struct sink **sink, struct error *err);

/* Also NULL. */
void sink__close(struct sink *sink);

/*
 * Writes whole lines; none: only what the output begins with. 0, or negative errno with a sentence
 * in `err`; *written says in any case how many bytes of whole lines are out. -ECANCELED: it had to
 * wait, and was told to give up.
 */
int sink__write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		struct error *err);

/* As its kind says; UINT64_MAX: for ever. */
uint64_t sink__idles_ns(const struct sink *sink);

bool sink__is_terminal(const struct sink *sink);

/* ---- for the kinds of sinks */

/* Fills in zeroed memory. The name is copied. */
void sink__init(struct sink *sink, const struct sink_ops *ops, const char *name);

/* Writes the header of the next part with `put`; nothing where there is no header, or no memory. 0
 * or the error of `put`. */
int sink__put_header(struct sink *sink,
		     int (*put)(struct sink *sink, const char *bytes, size_t count));

/* What the rows open. As sink__open(). */
int sink_inherited__open(const struct sink_options *options, struct sink **sink, struct error *err);
int sink_socket__open_unix(const struct sink_options *options, struct sink **sink,
			   struct error *err);
int sink_socket__open_tcp(const struct sink_options *options, struct sink **sink,
			  struct error *err);
int sink_file__open(const struct sink_options *options, struct sink **sink, struct error *err);

#endif
