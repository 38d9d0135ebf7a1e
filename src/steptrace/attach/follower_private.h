/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the follower; other files include follower.h.
 *
 *	follower.c		what makes it act: start, an exec, the timer
 *	follower_scan.c		the scan of all executable mappings
 *	follower_file.c		one file: attach, refresh, detach, notify
 *	follower_copies.c	how the processes have one file mapped
 */
#ifndef STEPTRACE_FOLLOWER_PRIVATE_H
#define STEPTRACE_FOLLOWER_PRIVATE_H

#include "steptrace/attach/follower.h"

/* ---- one file */

/* The attachment of a file, refreshed if the file changed; NULL for none. */
struct attachment *follower__find(struct follower *follower, const struct steptrace_file *file);

/*
 * Attaches the probes of `binary`, if it is a target. `binary` belongs to the follower from then
 * on, also on failure. Returns 0 and *attachment, which is NULL where there is nothing to attach,
 * or negative errno with a sentence. -ETXTBSY, -ENOTUNIQ: not now, but a later scan tries again.
 */
int follower__attach(struct follower *follower, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **attachment,
		     struct error *err);

/* Logs why a file is not attached: once, where it is tried again and again. */
void follower__complain(struct follower *follower, const struct steptrace_file *file, int code,
			const struct error *err);

/* Detaches and frees. `wait`: returns when no handler of its probes runs any more. */
void follower__detach(struct follower *follower, struct attachment *attachment, bool wait);

/* Refreshes attachments whose files changed; detaches those whose probes or build id changed. */
void follower__refresh_changed(struct follower *follower);

/* Reports an attachment that was not reported yet; `pids` are the processes that run it. */
void follower__notify(struct follower *follower, struct attachment *attachment,
		      const uint32_t *pids, size_t pids_count);

/* Whether the error of follower__attach() may pass, so that the file is tried again. */
bool follower__postpones(int code);

/* Whether attaching the file failed a moment ago, and it is too early to try it again. */
bool follower__is_postponed(const struct follower *follower, const struct steptrace_file *file);

/* -ENOTUNIQ with a sentence: a process has the file mapped in a way that forbids to attach, see
 * copies.h. */
int follower__check_copies(struct follower *follower, const struct binary *binary,
			   const struct steptrace_file *file, struct error *err);

/* Logs, once, that a process loaded an attached file a second time. `mappings` are the executable
 * mappings of the file, sorted by process and address. */
void follower__warn_second_load(struct attachment *attachment,
				const struct steptrace_mapping *mappings, size_t count);

/* ---- all files */

/* By file, process and address. */
void follower__sort(struct steptrace_mapping *mappings, size_t count);

/* Attaches to what the executable mappings show. Returns the count of `*mappings`, sorted by file
 * and process, which the caller frees; or negative errno. */
int follower__scan(struct follower *follower, struct steptrace_mapping **mappings);

#endif
