// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/attach/mapped_file.h"

/* ---- an exec that was reported: the process runs already */

/* Whether the process still runs the file of the exec, and not another program since. Only the
 * inode is compared: on an overlay the rest differs between stat() and the kernel's view. */
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
	struct attachment *attachment;
	struct steptrace_file file;
	struct error err = {0};
	struct binary *binary;
	int code;

	if (follower__has_to_wait(follower, &exec->file))
		return;
	code = mapped_file__open_program(follower->capture, exec, &binary, &file, &err);
	if (code && code != -EBADMSG && code != -ENOEXEC)
		return; /* the process has ended, or its file may not be opened */
	attachment = code ? NULL : follower__try_to_attach(follower, binary, &file, 1);
	if (attachment) {
		follower__note_late(attachment, exec->record.time_ns);
		follower__notify(follower, attachment, &pid, 1);
	} else if (!follower__has_to_wait(follower, &file) && still_runs(exec)) {
		/* On an overlay exec->file and `file` differ: remember both. */
		capture__know_file(follower->capture, &exec->file, FILE_WITHOUT_PROBES);
	}
	if (code && code != -ENOEXEC)
		follower__complain(follower, &exec->file, code, &err);
}

/* ---- an exec that waits in the kernel: the process does not run yet */

/* `fd` belongs to the binary from then on, also on failure. */
static int attach_descriptor(struct follower *follower, int fd, struct attachment **attachment,
			     struct error *err)
{
	struct steptrace_file file;
	char link[64], name[PATH_MAX];
	struct binary *binary;
	int code;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	binary__link_text(link, name);
	code = binary__take(fd, name, &binary, err);
	if (code)
		return code;
	code = capture__identify(follower->capture, binary->fd, &file);
	if (code) {
		binary__close(binary);
		return error__set(err, code, "cannot map '%s': %s", name, strerror(-code));
	}
	if (!follower__has_to_wait(follower, &file))
		*attachment = follower__try_to_attach(follower, binary, &file, 1);
	else
		binary__close(binary);
	return 0;
}

void follower__held(struct follower *follower, struct exec_hold *hold, const struct held_exec *exec)
{
	struct attachment *attachment = NULL;
	uint32_t pid = (uint32_t)exec->pid;
	struct error err = {0};
	int code = attach_descriptor(follower, exec->file_fd, &attachment, &err);

	exec_hold__let_go(hold, exec);
	if (attachment) {
		follower__note_late(attachment, exec->until_ns);
		follower__notify(follower, attachment, &pid, 1);
	}
	if (code && code != -ENOEXEC)
		log__error("%s", err.text);
}
