// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower_private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/attach/mapped_file.h"

bool follower__may_trace(const struct follower *follower, const struct mmap_record *record)
{
	if (record->pid == 0)
		return false;
	return !targets__are_processes(follower->targets) ||
	       capture__was_wanted(follower->capture, (pid_t)record->pid, record->time_ns);
}

/* Attaches to a file that was opened for this record. */
static int attach_opened(struct follower *follower, struct binary *binary,
			 const struct steptrace_file *file, struct attachment **attachment)
{
	*attachment = follower__try_to_attach(follower, binary, file, 1);
	return *attachment || !follower__has_to_wait(follower, file) ? 0 : -EAGAIN;
}

/* ---- the process still has the mapping */

/* 0 and *attachment (NULL: the file has no probes), or negative errno: it could not be looked
 * at. */
static int look_at_mapping(struct follower *follower, const struct steptrace_mapping *mapping,
			   struct attachment **attachment)
{
	struct error err = {0};
	struct binary *binary;
	int code;

	*attachment = follower__find(follower, &mapping->file);
	if (*attachment ||
	    capture__known_file(follower->capture, &mapping->file) == FILE_WITHOUT_PROBES)
		return 0;
	if (follower->targets->exes_count) { /* the files of -x are opened by their paths */
		*attachment = follower__attach_used(follower, &mapping->file);
		return 0;
	}
	if (follower__has_to_wait(follower, &mapping->file))
		return -EAGAIN;
	code = mapped_file__open(follower->capture, mapping, &binary, &err);
	if (code == 0)
		return attach_opened(follower, binary, &mapping->file, attachment);
	if (code != -ENOEXEC && code != -EBADMSG)
		return code;
	capture__know_file(follower->capture, &mapping->file, FILE_WITHOUT_PROBES);
	if (code == -EBADMSG)
		log__error("%s", err.text);
	return 0;
}

/* ---- the process has ended, or has unmapped the file */

static bool is_file_of(const struct mmap_record *record, const struct binary *binary)
{
	return binary->device == record->device && binary->inode == record->inode;
}

/* The path of the process leads to the file, unless the process had another root directory. */
static int look_at_path(struct follower *follower, const struct mmap_record *record,
			struct attachment **attachment)
{
	const char *path = record->untrusted_path;
	struct error err = {0};
	struct steptrace_file file;
	struct binary *binary;
	int code;

	*attachment = NULL;
	if (path[0] != '/')
		return -ENOENT;
	code = binary__open(path, path, &binary, &err);
	if (code)
		return code;
	code = is_file_of(record, binary) ? 0 : -ESTALE;
	if (!code)
		code = capture__identify(follower->capture, binary->fd, &file);
	if (!code && follower__has_to_wait(follower, &file))
		code = -EAGAIN;
	if (!code)
		return attach_opened(follower, binary, &file, attachment);
	binary__close(binary);
	return code;
}

/* ---- both */

static void look(struct follower *follower, const struct mmap_record *record,
		 const struct seen_key *key)
{
	struct steptrace_mapping mapping = {.pid = record->pid};
	struct attachment *attachment = NULL;
	int code = capture__mapping_at(follower->capture, record->tid, record->start, &mapping);

	if (!code)
		code = look_at_mapping(follower, &mapping, &attachment);
	if (code && code != -EAGAIN)
		code = look_at_path(follower, record, &attachment);
	if (code)
		return;
	seen_files__add(&follower->seen, key, attachment ? &attachment->file : NULL);
	if (!attachment)
		return;
	attachment->used_ns = clock__now_ns();
	follower__note_late(attachment, record->time_ns);
	follower__notify(follower, attachment, &record->pid, 1);
}

/* True: nothing is left to do for this file. */
static bool is_seen(struct follower *follower, const struct mmap_record *record,
		    const struct seen_key *key)
{
	struct seen_file *seen = seen_files__find(&follower->seen, key);
	struct attachment *attachment;

	if (!seen || !seen->is_attached)
		return seen != NULL;
	attachment = attachments__find(follower->attachments, &seen->file);
	if (!attachment)
		return false;
	attachment->used_ns = clock__now_ns();
	follower__notify(follower, attachment, &record->pid, 1);
	return true;
}

void follower__mapped(struct follower *follower, const struct mmap_record *record)
{
	const struct seen_key key = {record->device, record->inode, record->generation};

	if (!follower__may_trace(follower, record))
		return;
	if (!is_seen(follower, record, &key))
		look(follower, record, &key);
}
