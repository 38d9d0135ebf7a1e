/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sink writes the lines of one output to a file, to something that another process opened or made
 * (standard output, a pipe, a device), or to a socket. Its functions wait. One thread uses a sink.
 *
 *	sink__open -> sink__write ... sink__write -> sink__close
 *
 * Where the kernel lets it, a sink writes whole lines or nothing: when the disk is full, a file
 * ends with its last whole line. Each part of an output (a rotated file, a connection) begins with
 * a header, the trace.started of the stream with the number of the part, so that each part can be
 * read alone.
 */
#ifndef STEPTRACE_SINK_H
#define STEPTRACE_SINK_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/otlp_sender.h"
#include "steptrace/output/tls.h"
#include "steptrace/stream/lines.h"

#define FILE_GROUP_ANY ((gid_t)-1) /* no group that has to be kept */

struct sink_options {
	const char *where;      /* the text of -o; NULL: standard output */
	uint64_t rotate_bytes;  /* files: the largest size; 0: no limit */
	uint64_t rotate_age_ns; /* files: the largest age; 0: no limit */
	unsigned int keep;      /* files: how many former ones are kept; 0: all */
	unsigned int file_mode; /* of new files; 0: that of the former file, or 0640 */
	bool has_file_group;    /* else new files get the group of the former file */
	gid_t file_group;
	uint64_t tcp_timeout_ns; /* see connection.h */
	struct tls_files tls;
	const char *kafka_settings; /* see kafka_settings.h; NULL: none */
	struct otlp_options otlp;
	size_t queue_bytes; /* the limit of the queue */
	bool drops;         /* see output.h */
};

struct sink_ops;
struct sink_kind;

/* What all kinds have in common. The struct of a kind begins with it. */
struct sink {
	const struct sink_ops *ops;
	const struct sink_kind *kind;
	uint64_t gather_ns; /* lines may be held back for so long, to be written together; 0: no */
	struct write_state write_state;
	/* Of the bytes that were reported as written, the last so many are lost after all: the peer
	 * had not taken them when it went. They are whole lines, except for the first one, of which
	 * it has the beginning. Whoever sees a number here counts the lines and clears it. */
	size_t lost_bytes;
	/* Some sinks send lines in another order, or learn late that a line did not arrive. They
	 * get the marks of the lines that are written next, and call `lose` for each line that was
	 * reported as written and is lost after all, or that the peer refused. */
	const struct line_mark *marks; /* borrowed; NULL: none of the lines has one */
	void (*lose)(void *context, const struct line_mark *mark, bool is_refused);
	void *lose_context;
	size_t own_queue_bytes;   /* of queue_bytes, what the sink needs for such lines */
	atomic_size_t held_bytes; /* what they occupy now */
	const char *header;       /* borrowed: the trace.started; NULL: none */
	unsigned int parts;       /* how many have begun with a header */
	char name[PATH_MAX];      /* in messages */
};

/* NULL where a kind does not need a function; `write` and `close` are never NULL. */
struct sink_ops {
	/* As sink__write(). */
	int (*write)(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		     struct error *err);
	/* The group of its files, which the tracer has to be a member of; FILE_GROUP_ANY: none. */
	gid_t (*group)(const struct sink *sink);
	/* How many of the bytes that were written last may still be lost (lost_bytes). */
	size_t (*untaken_bytes)(const struct sink *sink);
	/* Waits until it is known of each line whether it arrived. 0: since the last call, all did;
	 * or negative errno with a sentence. -ECANCELED as write(). */
	int (*settle)(struct sink *sink, struct error *err);
	/* SIGHUP: another process may have renamed the file. */
	void (*reopen)(struct sink *sink);
	/* In how many ns on_timer() has to be called, when nothing is written before; UINT64_MAX:
	 * never. */
	uint64_t (*timer_ns)(const struct sink *sink);
	void (*on_timer)(struct sink *sink);
	/* A descriptor to poll, or -1. When it is readable on_readable() has to be called: the
	 * other side closed the connection, or sent something. A sink without on_readable() waits
	 * for an error only; then a write of 0 bytes says which. */
	int (*watched_fd)(const struct sink *sink);
	void (*on_readable)(struct sink *sink);
	/* Releases everything but the struct itself. */
	void (*close)(struct sink *sink);
};

/* A row of the table of kinds in sink.c. The text of -o selects the row. */
struct sink_kind {
	const char *name;   /* in messages: "unix:PATH" */
	const char *prefix; /* of the text; NULL: `is_meant` decides */
	bool (*is_meant)(const char *where);
	/* Whether the text is well-formed. 0, or -EINVAL with a sentence; NULL: every text is. */
	int (*check)(const char *where, struct error *err);
	int (*open)(const struct sink_options *options, struct sink **sink, struct error *err);
	bool drops;       /* the default when the queue is full: drop lines instead of waiting */
	bool connects;    /* needs the right to connect while the recording runs */
	bool speaks_http; /* needs what libcurl asks the kernel, too */
	bool is_tcp, is_tls, is_kafka, is_otlp;
	bool needs_json;   /* has no use for text */
	bool needs_events; /* whole events in JSON: neither compact lines nor --fields */
	bool makes_files;  /* needs the right to make files while it runs; can be rotated */
	bool is_given;     /* was opened, or made, by another process: perhaps the terminal */
};

/* Never NULL: a text that nothing else matches is the path of a file. NULL and "-": standard
 * output. */
const struct sink_kind *sink__kind(const char *where);

/* Whether the text of -o can be right: 0, or -EINVAL with a sentence in `err`. Opens nothing. */
int sink__check(const char *where, struct error *err);

/* Opens what options->where names. 0, or negative errno with a sentence in `err`. The caller closes
 * it. */
int sink__open(const struct sink_options *options, struct sink **sink, struct error *err);

/* Accepts NULL. */
void sink__close(struct sink *sink);

/*
 * Writes whole lines; 0 bytes: only the header, if it is not written yet. 0, or negative errno with
 * a sentence in `err`; -ECANCELED: it had to wait, and write_state.give_up_fd was readable;
 * -EAGAIN, without a sentence: a connection broke; look at lost_bytes, and write the rest.
 * *written is set in any case: the bytes of whole lines that were written.
 */
int sink__write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		struct error *err);

/* As sink_ops.settle. */
int sink__settle(struct sink *sink, struct error *err);

/* As sink_ops.timer_ns. */
uint64_t sink__timer_ns(const struct sink *sink);

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
int sink_socket__open_tls(const struct sink_options *options, struct sink **sink,
			  struct error *err);
int sink_kafka__open(const struct sink_options *options, struct sink **sink, struct error *err);
int sink_otlp__open(const struct sink_options *options, struct sink **sink, struct error *err);
int sink_file__open(const struct sink_options *options, struct sink **sink, struct error *err);

#endif
