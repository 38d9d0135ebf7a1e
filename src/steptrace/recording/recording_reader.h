/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads recordings: the NDJSON that `steptrace record` writes, plain or compressed with gzip (told
 * by the content, not by the name), from files or standard input. Yields one event at a time.
 *
 *	if (recording_reader__open(&reader, paths, count, &err))
 *		...
 *	while ((got = recording_reader__next(reader, &event, &err)) > 0)
 *		use(&event);
 *	counts = recording_reader__counts(reader);
 *	recording_reader__close(reader);
 *
 * Order. Files are read one after the other. Regular files that begin with trace.started are in
 * the order of its time, and the parts of a rotated output in the order of their numbers. Other
 * files follow in the order in which they were named. Lines keep their order within a file. A
 * second file that begins with the same trace.started, of the same part, is a copy: it is left out
 * and counted.
 *
 * Foreign input. A line that is no event is skipped and counted, with its reason and the place of
 * the first one; it never ends the reading. A line that repeats one of the last
 * RECORDING_WINDOW_LINES events byte for byte is skipped and counted too. Only lines with a
 * timestamp are compared: others, of record --fields, can repeat for good reasons. Fields that are
 * not known are passed over; a known field with a value of another type is treated as missing, and
 * its line is counted as odd. Events of newer versions have the kind RECORDED_OTHER.
 *
 * A recording in the compact format is text for people. It is refused with a sentence.
 *
 * Memory is bounded, whatever the files have: RECORDING_LINE_BYTES_MAX for a line, the window, and
 * a small constant for each file name.
 */
#ifndef STEPTRACE_RECORDING_READER_H
#define STEPTRACE_RECORDING_READER_H

#include <signal.h>

#include "common/error.h"
#include "steptrace/recording/recorded_event.h"

enum {
	RECORDING_WINDOW_LINES = 1 << 16, /* in which repeated lines are told */
};

/* Why a line was not yielded. */
enum recording_skip {
	RECORDING_EMPTY,     /* no text, or blanks only */
	RECORDING_NOT_JSON,  /* not one JSON object: foreign, or two lines that were mixed up */
	RECORDING_NOT_EVENT, /* a JSON object without the field "event" */
	RECORDING_BINARY,    /* with a NUL byte */
	RECORDING_TORN,      /* the last line of a file, without its end */
	RECORDING_TOO_LONG,  /* more than RECORDING_LINE_BYTES_MAX */
	RECORDING_REPEATED,  /* the same as one of the last RECORDING_WINDOW_LINES events */
	RECORDING_SKIPS_COUNT,
};

extern const char *const recording_skip_names[RECORDING_SKIPS_COUNT]; /* "not_json" */
/* After "N lines": "are no JSON object". */
extern const char *const recording_skip_words[RECORDING_SKIPS_COUNT];

struct recording_counts {
	uint64_t files;         /* that were read, or are being read */
	uint64_t files_copied;  /* left out: they begin as another one */
	uint64_t files_damaged; /* gzip data that ends early or is broken: read up to there */
	uint64_t files_empty;   /* without any line */
	uint64_t bytes;         /* of uncompressed text */
	uint64_t lines;         /* yielded and skipped */
	uint64_t events;        /* yielded */
	uint64_t events_other;  /* of these: of a kind that this version does not know */
	uint64_t slow_lines;    /* of these: not as steptrace writes them; cJSON checked them */
	uint64_t odd_lines;     /* of these: a known field has a value of another type */
	uint64_t backwards;     /* of these: earlier than the line before it in the file */
	uint64_t backwards_ns;  /* by how much, at most */
	uint64_t skipped[RECORDING_SKIPS_COUNT];
	struct recorded_place first_skipped[RECORDING_SKIPS_COUNT]; /* if there are any */
	struct recorded_place first_odd, first_backwards, first_damaged, first_copied;
};

struct recording_reader;

/*
 * Opens the recording. No path, or "-": standard input. `paths` is borrowed until the reader is
 * closed. 0, or negative errno with a sentence: a file cannot be opened, or a regular file is in
 * the compact format. (Of pipes, recording_reader__next() says it.)
 */
int recording_reader__open(struct recording_reader **reader, const char *const *paths, size_t count,
			   struct error *err);

/* Reads the next event. 1: there is one; 0: the recording has ended; negative errno with a
 * sentence: it cannot be read further. The event's texts are valid until the next call. */
int recording_reader__next(struct recording_reader *reader, struct recorded_event *event,
			   struct error *err);

/*
 * A place between two lines. A part is a file, counted in the order in which the reader reads, from
 * 1; files that are left out as copies count, too. The byte is that of the uncompressed text.
 */
struct recording_from {
	uint64_t part; /* 0: none */
	uint64_t byte;
};

/* Call it before the first event is read. Events in front of the place are passed over, but for
 * trace.started, which names the host. -EINVAL with a sentence: there are not so many files. If no
 * line begins at the byte, recording_reader__next() ends with -EINVAL and a sentence. */
int recording_reader__start_at(struct recording_reader *reader, struct recording_from from,
			       struct error *err);

/* From now on, waiting for text ends with -EINTR when a signal has made this one true. */
void recording_reader__stop_when(struct recording_reader *reader,
				 const volatile sig_atomic_t *is_asked);

/* What was read and skipped so far. Valid as long as the reader. */
const struct recording_counts *recording_reader__counts(const struct recording_reader *reader);

/* How many bytes of the files were read, as they are on the disk, and how many all of them have; 0
 * if that is not known. For a line of progress. */
void recording_reader__progress(const struct recording_reader *reader, uint64_t *done,
				uint64_t *total);

/* From now on, `hook` is called during recording_reader__next() whenever some text was read, also
 * where all lines are skipped. */
void recording_reader__on_read(struct recording_reader *reader, void (*hook)(void *context),
			       void *context);

/* NULL does nothing. */
void recording_reader__close(struct recording_reader *reader);

#endif
