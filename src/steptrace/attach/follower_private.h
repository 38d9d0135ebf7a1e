/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the follower; other files include follower.h.
 *
 *	follower.c		start, and the timer
 *	follower_exec.c		an exec: reported, or held
 *	follower_mapped.c	a new mapping
 *	follower_scan.c		the scan of all executable mappings
 *	follower_file.c		one file: attach, refresh, detach, notify
 *	follower_copies.c	how the processes have one file mapped
 *	follower_named.c	the files of -x, which are opened by their paths
 */
#ifndef STEPTRACE_FOLLOWER_PRIVATE_H
#define STEPTRACE_FOLLOWER_PRIVATE_H

#include "steptrace/attach/follower.h"

/* ---- one file */

/* The attachment of a file, refreshed if the file changed; NULL for none. Waits for an attachment
 * that is leaving: until the kernel has let go of it, its boundaries would be counted twice. */
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

/* The same where failures are no error of the caller: reports the first failure of a file, and
 * notes that `processes` processes are not traced because of it. Returns NULL for none. */
struct attachment *follower__try_to_attach(struct follower *follower, struct binary *binary,
					   const struct steptrace_file *file, uint32_t processes);

/* Detaches and frees. `wait`: returns when no handler of its probes runs any more. Otherwise
 * follower__finish_detached() frees it later. */
void follower__detach(struct follower *follower, struct attachment *attachment, bool wait);
void follower__finish_detached(struct follower *follower);

/* Refreshes attachments whose files changed; detaches those whose probes or build id changed. */
void follower__refresh_changed(struct follower *follower);

/* A process runs the file of the attachment since `since_ns`: if the probes are new, what it did
 * before was not captured. */
void follower__note_late(struct attachment *attachment, uint64_t since_ns);

/* Reports an attachment that was not reported yet; `pids` are the processes that run it. */
void follower__notify(struct follower *follower, struct attachment *attachment,
		      const uint32_t *pids, size_t pids_count);
void follower__notify_all(struct follower *follower);

/* ---- the files of -x */

/* Attaches to the file at that path, or to the path with that number of follower.targets. 0 or
 * negative errno with a sentence. */
int follower__attach_path(struct follower *follower, const char *path, struct error *err);
int follower__attach_named(struct follower *follower, size_t at, struct error *err);

/* Attaches to the files that the paths lead to now, if they were replaced. */
void follower__look_at_named(struct follower *follower, uint64_t now_ns);

/* Whether a path leads to the binary. */
bool follower__is_named(const struct follower *follower, const struct binary *binary);

/* Attaches again to a file that was detached because no process ran it. NULL: it is none. */
struct attachment *follower__attach_used(struct follower *follower,
					 const struct steptrace_file *file);

/* The file is looked at again at the next tick. */
void follower__forget_named(struct follower *follower, const struct steptrace_file *file);

/* Whether the error of follower__attach() may pass, so that the file is tried again. */
bool follower__postpones(int code);

/* Whether attaching the file failed, and it is too early to try it again. */
bool follower__has_to_wait(const struct follower *follower, const struct steptrace_file *file);

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
