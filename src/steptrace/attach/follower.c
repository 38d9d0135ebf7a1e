// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/attach/follower_private.h"
#include "steptrace/attach/mapped_file.h"

enum {
	SCAN_SHARE =
		200, /* looking around takes one part in so many of a processor, but at most: */
	SCAN_INTERVAL_MAX_NS = 2000000000,
};

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
	return follower__attach(follower, binary, &file, &attachment, err);
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

static void notify_all(struct follower *follower)
{
	for (size_t i = 0; i < follower->attachments->count; i++)
		follower__notify(follower, follower->attachments->items[i], NULL, 0);
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
	count = follower__scan(follower, &mappings);
	if (count < 0)
		code = error__set(err, count, "cannot look at the mappings of processes: %s",
				  strerror(-count));
	else
		code = check_pids(follower, mappings, (size_t)count, err);
	free(mappings);
	if (code)
		return code;
	notify_all(follower);
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
		code = follower__attach(follower, binary, &file, &attachment, &err);
	if (attachment)
		follower__notify(follower, attachment, &pid, 1);
	else if (still_runs(exec)) /* by this name, too: an overlay gives a file two */
		capture__know_file(follower->capture, &exec->file, FILE_WITHOUT_PROBES);
	if (code && code != -ENOEXEC)
		log__error("%s", err.text);
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
			notify_all(follower);
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
			follower__detach(follower, attachment, false);
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

	follower__refresh_changed(follower);
	if (now_ns < follower->next_scan_ns)
		return;
	used_ns = clock__thread_cpu_ns();
	look_at_exes(follower);
	if (follower__scan(follower, &mappings) >= 0)
		retire_unused(follower, now_ns);
	free(mappings);
	follower->next_scan_ns = now_ns + scan_interval_ns(clock__thread_cpu_ns() - used_ns);
}
