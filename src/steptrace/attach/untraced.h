/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with probes that could not be attached: why, when to try again, and how many processes are
 * not traced because of that.
 *
 * A failure may be temporary (a limit was reached, memory was short), so each file is tried again:
 * after a second, and after each further failure twice as long, up to a minute.
 */
#ifndef STEPTRACE_UNTRACED_H
#define STEPTRACE_UNTRACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/record.h"
#include "steptrace/stream/trace_events.h"

enum { UNTRACED_FILES_MAX = 1024 };

struct untraced_file {
	struct steptrace_file file;
	enum untraced_reason reason;
	uint64_t next_try_ns, pause_ns;
	uint32_t processes; /* that run the file: the most that were seen at the same time */
};

struct untraced {
	struct untraced_file files[UNTRACED_FILES_MAX];
	size_t count;
};

/* Why a file could not be attached, by the negative errno. */
enum untraced_reason untraced__reason(int code);

/* Notes a failure, and that `processes` processes run the file. Returns whether it is the first one
 * of this file: then it should be reported. */
bool untraced__failed(struct untraced *untraced, const struct steptrace_file *file, int code,
		      uint32_t processes, uint64_t now_ns);

/* Whether the file failed, and is not attached since. */
bool untraced__has(const struct untraced *untraced, const struct steptrace_file *file);

/* Whether the file failed and it is too early to try again. */
bool untraced__has_to_wait(const struct untraced *untraced, const struct steptrace_file *file,
			   uint64_t now_ns);

/* Notes how many processes run the file, if it is one that failed. */
void untraced__seen(struct untraced *untraced, const struct steptrace_file *file,
		    uint32_t processes);

/* The file is attached now. */
void untraced__remove(struct untraced *untraced, const struct steptrace_file *file);

/* Something was detached: there is room, so that every file is tried again at once. */
void untraced__retry(struct untraced *untraced);

/* Adds the processes of each reason to `counts`. */
void untraced__add_up(const struct untraced *untraced, uint64_t counts[UNTRACED_REASONS_COUNT]);

#endif
