// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/attach/mapped_file.h"

enum {
	SCAN_SHARE =
		200, /* looking around takes one part in so many of a processor, but at most: */
	SCAN_INTERVAL_MAX_NS = 2000000000,
	PIDS_TOLD_MAX = 256,
};

/* ---- one file */

static bool is_named(const struct targets *targets, const struct binary *binary)
{
	struct stat status;

	for (size_t i = 0; i < targets->exes_count; i++)
		if (stat(targets->exes[i], &status) == 0 && status.st_dev == binary->device &&
		    status.st_ino == binary->inode)
			return true;
	return targets->exes_count == 0;
}

static void retire(struct follower *follower, struct attachment *attachment, bool wait)
{
	follower->events.detached(follower->events.context, attachment);
	capture__forget_file(follower->capture, &attachment->file);
	attachments__remove(follower->attachments, attachment, wait);
}

/*
 * Its file changed. Another name or mode, and the probes stay as they are: to attach them a second
 * time would be to count twice. Another content, and they must be gone before anybody runs it: they
 * lie in the middle of other instructions now. Returns whether it is still attached.
 */
static bool renew(struct follower *follower, struct attachment *attachment)
{
	struct steptrace_file file;

	if (binary__is_rewritten(attachment->binary) ||
	    capture__identify(follower->capture, attachment->binary->fd, &file)) {
		retire(follower, attachment, true);
		return false;
	}
	capture__forget_file(follower->capture, &attachment->file);
	capture__know_file(follower->capture, &file, FILE_ATTACHED);
	attachment->file = file;
	return true;
}

static void renew_changed(struct follower *follower)
{
	struct attachments *set = follower->attachments;

	for (size_t i = set->count; i-- > 0;)
		if (binary__is_changed(set->items[i]->binary))
			renew(follower, set->items[i]);
}

static struct attachment *find(struct follower *follower, const struct steptrace_file *file)
{
	struct attachment *attachment = attachments__find(follower->attachments, file);

	if (attachment && attachment->file.changed_ns != file->changed_ns &&
	    !renew(follower, attachment))
		return NULL;
	return attachment;
}

static int attach_new(struct follower *follower, struct binary *binary,
		      const struct steptrace_file *file, struct attachment **attachment,
		      struct error *err)
{
	int code;

	capture__disarm(follower->capture); /* not every probe yet: nothing goes without context */
	code = attachments__add(follower->attachments, binary, file, attachment, err);
	if (follower->is_started)
		capture__armed(follower->capture);
	if (code)
		return code;
	(*attachment)->is_new = true;
	(*attachment)->is_kept = follower->targets->exes_count > 0;
	return 0;
}

/* Takes `binary` over. 0 and NULL where there is nothing to attach. */
static int attach(struct follower *follower, struct binary *binary,
		  const struct steptrace_file *file, struct attachment **attachment,
		  struct error *err)
{
	bool is_meant = binary__probes_count(binary) > 0 && is_named(follower->targets, binary);
	int code = 0;

	*attachment = find(follower, file);
	if (*attachment || !is_meant)
		binary__close(binary);
	else
		code = attach_new(follower, binary, file, attachment, err);
	if (code)
		binary__close(binary);
	capture__know_file(follower->capture, file,
			   *attachment ? FILE_ATTACHED : FILE_WITHOUT_PROBES);
	if (*attachment)
		(*attachment)->used_ns = clock__now_ns();
	return code;
}

/* Once it is known who runs it. */
static void tell(struct follower *follower, struct attachment *attachment, const uint32_t *pids,
		 size_t pids_count)
{
	if (!attachment->is_new)
		return;
	attachment->is_new = false;
	follower->events.attached(follower->events.context, attachment, pids, pids_count);
}

/* What cannot be used is said once: the file is remembered. */
static void complain(const struct error *err)
{
	log__error("%s", err->text);
}

/* ---- all mappings */

static int compare_mappings(const void *left, const void *right)
{
	const struct steptrace_mapping *a = left, *b = right;
	int files = memcmp(&a->file, &b->file, sizeof(a->file));

	return files ? files : (a->pid > b->pid) - (a->pid < b->pid);
}

/* A file that nobody looked at, through the first process of these that lets us. */
static struct attachment *look_at(struct follower *follower,
				  const struct steptrace_mapping *mappings, size_t count)
{
	struct binary *binary = NULL;
	struct error err = {0};
	struct attachment *attachment = NULL;

	if (follower->targets->exes_count) { /* those are opened by their names */
		capture__know_file(follower->capture, &mappings[0].file, FILE_WITHOUT_PROBES);
		return NULL;
	}
	for (size_t i = 0; i < count && !binary; i++) {
		int code = mapped_file__open(follower->capture, &mappings[i], &binary, &err);

		if (code == -EBADMSG || code == -ENOEXEC) { /* read, and of no use */
			capture__know_file(follower->capture, &mappings[i].file,
					   FILE_WITHOUT_PROBES);
			if (code == -EBADMSG)
				complain(&err);
			return NULL;
		}
	}
	if (!binary)
		return NULL;
	if (attach(follower, binary, &mappings[0].file, &attachment, &err))
		complain(&err);
	return attachment;
}

static size_t take_pids(const struct steptrace_mapping *mappings, size_t count,
			uint32_t pids[PIDS_TOLD_MAX])
{
	size_t taken = 0;

	for (size_t i = 0; i < count && taken < PIDS_TOLD_MAX; i++)
		if (taken == 0 || pids[taken - 1] != mappings[i].pid)
			pids[taken++] = mappings[i].pid;
	return taken;
}

/* All mappings of one file. */
static void look_at_file(struct follower *follower, const struct steptrace_mapping *mappings,
			 size_t count)
{
	struct attachment *attachment = find(follower, &mappings->file);
	uint32_t pids[PIDS_TOLD_MAX];

	if (!attachment)
		attachment = look_at(follower, mappings, count);
	if (!attachment)
		return;
	attachment->used_ns = clock__now_ns();
	tell(follower, attachment, pids, take_pids(mappings, count, pids));
}

static int look_around(struct follower *follower, struct steptrace_mapping **mappings)
{
	ssize_t count = capture__mappings(follower->capture, mappings);

	if (count <= 0)
		return (int)count;
	qsort(*mappings, (size_t)count, sizeof(**mappings), compare_mappings);
	for (ssize_t at = 0, next; at < count; at = next) {
		const struct steptrace_mapping *first = &(*mappings)[at];

		next = at + 1;
		while (next < count &&
		       memcmp(&(*mappings)[next].file, &first->file, sizeof(first->file)) == 0)
			next++;
		look_at_file(follower, first, (size_t)(next - at));
	}
	return (int)count;
}

/* ---- the beginning */

static int attach_exe(struct follower *follower, const char *path, struct error *err)
{
	struct steptrace_file file;
	struct attachment *attachment;
	struct binary *binary;
	int code = binary__open(path, path, &binary, err);

	if (code)
		return code;
	if (binary__probes_count(binary) == 0) {
		binary__close(binary);
		return error__set(err, -ENOENT,
				  "there are no steptrace probes in '%s' (usdt/README.md says how "
				  "to add them)",
				  path);
	}
	code = capture__identify(follower->capture, binary->fd, &file);
	if (code) {
		binary__close(binary);
		return error__set(err, code, "cannot map '%s': %s", path, strerror(-code));
	}
	return attach(follower, binary, &file, &attachment, err);
}

static bool runs_something(const struct follower *follower, uint32_t pid,
			   const struct steptrace_mapping *mappings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (mappings[i].pid == pid &&
		    attachments__find(follower->attachments, &mappings[i].file))
			return true;
	return false;
}

static int check_pids(struct follower *follower, const struct steptrace_mapping *mappings,
		      size_t count, struct error *err)
{
	const struct targets *targets = follower->targets;

	for (size_t i = 0; i < targets->pids_count; i++)
		if (!runs_something(follower, (uint32_t)targets->pids[i], mappings, count))
			return error__set(err, -ENOENT,
					  "process %d runs nothing with steptrace probes "
					  "(steptrace list shows what does; usdt/README.md says "
					  "how to add them)",
					  targets->pids[i]);
	return 0;
}

static void tell_all(struct follower *follower)
{
	for (size_t i = 0; i < follower->attachments->count; i++)
		tell(follower, follower->attachments->items[i], NULL, 0);
}

int follower__start(struct follower *follower, const char *command_path, struct error *err)
{
	const struct targets *targets = follower->targets;
	struct steptrace_mapping *mappings = NULL;
	struct error ignored = {0};
	int code = 0, count;

	for (size_t i = 0; i < targets->exes_count && !code; i++)
		code = attach_exe(follower, targets->exes[i], err);
	if (code)
		return code;
	if (command_path) /* a shell will do: what it runs is followed */
		attach_exe(follower, command_path, &ignored);
	count = look_around(follower, &mappings);
	if (count < 0)
		code = error__set(err, count, "cannot look at the mappings of processes: %s",
				  strerror(-count));
	else
		code = check_pids(follower, mappings, (size_t)count, err);
	free(mappings);
	if (code)
		return code;
	tell_all(follower);
	capture__armed(follower->capture);
	follower->is_started = true;
	return 0;
}

/* ---- later */

/* Whether the process still runs what the kernel saw it execute: it may have gone on to another
 * program. The inode is the same behind an overlay, too, where all else is not. */
static bool still_runs(const struct process_exec *exec)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/exe", exec->record.pid);
	return stat(path, &status) == 0 && status.st_ino == exec->file.inode;
}

void follower__execed(struct follower *follower, const struct process_exec *exec)
{
	uint32_t pid = exec->record.pid;
	struct attachment *attachment = NULL;
	struct steptrace_file file;
	struct error err = {0};
	struct binary *binary;
	int code = mapped_file__open_program(follower->capture, exec, &binary, &file, &err);

	if (code && code != -EBADMSG && code != -ENOEXEC)
		return; /* it has ended already, or we may not look */
	if (!code)
		code = attach(follower, binary, &file, &attachment, &err);
	if (attachment)
		tell(follower, attachment, &pid, 1);
	else if (still_runs(exec)) /* by this name, too: an overlay gives a file two */
		capture__know_file(follower->capture, &exec->file, FILE_WITHOUT_PROBES);
	if (code && code != -ENOEXEC)
		complain(&err);
}

/* What a name stands for may have been replaced. */
static void look_at_exes(struct follower *follower)
{
	const struct targets *targets = follower->targets;
	struct error err = {0};

	for (size_t i = 0; i < targets->exes_count; i++) {
		struct stat status;
		bool known = stat(targets->exes[i], &status) != 0;

		for (size_t j = 0; j < follower->attachments->count && !known; j++) {
			const struct binary *binary = follower->attachments->items[j]->binary;

			known = binary->device == status.st_dev && binary->inode == status.st_ino &&
				binary->changed_ns == binary__changed_ns(&status);
		}
		if (!known && attach_exe(follower, targets->exes[i], &err) == 0)
			tell_all(follower);
	}
}

/* Short-lived processes are seldom met when looking around; the kernel notes their execs. */
static bool is_used(struct follower *follower, struct attachment *attachment, uint64_t now_ns)
{
	if (capture__was_execed(follower->capture, &attachment->file))
		attachment->used_ns = now_ns;
	return attachment->used_ns >= now_ns;
}

static void retire_unused(struct follower *follower, uint64_t now_ns)
{
	struct attachments *set = follower->attachments;

	for (size_t i = set->count; i-- > 0;) {
		struct attachment *attachment = set->items[i];
		bool deleted = binary__is_deleted(attachment->binary);

		if (is_used(follower, attachment, now_ns) || (attachment->is_kept && !deleted))
			continue;
		if (deleted || now_ns - attachment->used_ns >= follower->linger_ns)
			retire(follower, attachment, false);
	}
}

static uint64_t scan_interval_ns(uint64_t used_ns)
{
	uint64_t interval_ns = used_ns * SCAN_SHARE;

	if (interval_ns < FOLLOWER_SCAN_NS)
		return FOLLOWER_SCAN_NS;
	return interval_ns < SCAN_INTERVAL_MAX_NS ? interval_ns : SCAN_INTERVAL_MAX_NS;
}

void follower__tick(struct follower *follower, uint64_t now_ns)
{
	struct steptrace_mapping *mappings = NULL;
	uint64_t used_ns;

	renew_changed(follower);
	if (now_ns < follower->next_scan_ns)
		return;
	used_ns = clock__thread_cpu_ns();
	look_at_exes(follower);
	if (look_around(follower, &mappings) >= 0)
		retire_unused(follower, now_ns);
	free(mappings);
	follower->next_scan_ns = now_ns + scan_interval_ns(clock__thread_cpu_ns() - used_ns);
}
