// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower_private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"

#define RETRY_NS 5000000000ull

static bool is_same(const struct named_file *named, const struct stat *status)
{
	return named->device == status->st_dev && named->inode == status->st_ino &&
	       named->changed_ns == binary__changed_ns(status);
}

static void remember(struct named_file *named, const struct stat *status)
{
	named->device = status->st_dev;
	named->inode = status->st_ino;
	named->changed_ns = binary__changed_ns(status);
}

static int attach_path(struct follower *follower, const char *path, struct steptrace_file *file,
		       struct error *err)
{
	struct attachment *attachment;
	struct binary *binary;
	int code = binary__open_named(path, &binary, err);

	if (code)
		return code;
	if (binary__probes_count(binary) == 0) {
		binary__close(binary);
		return error__set(err, -ENOENT,
				  "there are no steptrace probes in '%s' (usdt/README.md says how "
				  "to add them)",
				  path);
	}
	code = capture__identify(follower->capture, binary->fd, file);
	if (code) {
		binary__close(binary);
		return error__set(err, code, "cannot map '%s': %s", path, strerror(-code));
	}
	if (follower->is_started && follower__has_to_wait(follower, file)) {
		binary__close(binary);
		return -EAGAIN;
	}
	code = follower__attach(follower, binary, file, &attachment, err);
	if (follower->is_started && follower__postpones(code))
		follower__complain(follower, file, code, err);
	return code;
}

int follower__attach_path(struct follower *follower, const char *path, struct error *err)
{
	struct steptrace_file unused;

	return attach_path(follower, path, &unused, err);
}

int follower__attach_named(struct follower *follower, size_t at, struct error *err)
{
	const char *path = follower->targets->exes[at];
	struct named_file *named = &follower->named[at];
	struct stat status;

	if (stat(path, &status) == 0)
		remember(named, &status); /* before the file is read: it may be replaced then */
	named->code = attach_path(follower, path, &named->file, err);
	return named->code;
}

static bool is_attached(const struct follower *follower, const struct stat *status)
{
	for (size_t i = 0; i < follower->attachments->count; i++) {
		const struct attachment *attachment = follower->attachments->items[i];
		const struct binary *binary = attachment->binary;

		if (!attachment->is_leaving && binary->device == status->st_dev &&
		    binary->inode == status->st_ino &&
		    binary->changed_ns == binary__changed_ns(status))
			return true;
	}
	return false;
}

/* What cannot change while the file stays as it is. */
static bool is_final(int code)
{
	return code == -ENOENT || code == -ENOEXEC || code == -EBADMSG;
}

/* A file that was looked at is not looked at again: it has no probes, or it was attached and then
 * detached because no process runs it. */
static bool is_done(const struct named_file *named, const struct stat *status, uint64_t now_ns)
{
	return is_same(named, status) &&
	       (named->code == 0 || is_final(named->code) || now_ns < named->next_try_ns);
}

static void look_at(struct follower *follower, size_t at, uint64_t now_ns)
{
	const char *path = follower->targets->exes[at];
	struct named_file *named = &follower->named[at];
	struct error err = {0};
	struct stat status;
	bool is_new;

	if (stat(path, &status))
		return;
	if (is_attached(follower, &status)) {
		remember(named, &status);
		named->code = 0;
		return;
	}
	if (is_done(named, &status, now_ns))
		return;
	is_new = !is_same(named, &status);
	if (follower__attach_named(follower, at, &err) == 0)
		follower__notify_all(follower);
	else if (named->code == -EAGAIN || follower__postpones(named->code))
		return; /* the next tick tries again, where it is time to */
	else if (is_new)
		log__error("the file at '%s' was replaced, and the new one is not traced: %s", path,
			   err.text);
	named->next_try_ns = now_ns + RETRY_NS;
}

void follower__look_at_named(struct follower *follower, uint64_t now_ns)
{
	for (size_t i = 0; i < follower->targets->exes_count; i++)
		look_at(follower, i, now_ns);
}

bool follower__is_named(const struct follower *follower, const struct binary *binary)
{
	const struct targets *targets = follower->targets;
	struct stat status;

	for (size_t i = 0; i < targets->exes_count; i++)
		if (stat(targets->exes[i], &status) == 0 && status.st_dev == binary->device &&
		    status.st_ino == binary->inode)
			return true;
	return false;
}

static bool is_file(const struct named_file *named, const struct steptrace_file *file)
{
	return named->file.inode == file->inode && named->file.file_system == file->file_system;
}

struct attachment *follower__attach_used(struct follower *follower,
					 const struct steptrace_file *file)
{
	struct error err = {0};

	for (size_t i = 0; i < follower->targets->exes_count; i++)
		if (is_file(&follower->named[i], file) && follower->named[i].code == 0 &&
		    follower__attach_named(follower, i, &err))
			log__error("%s", err.text);
	return attachments__find(follower->attachments, file);
}

void follower__forget_named(struct follower *follower, const struct steptrace_file *file)
{
	for (size_t i = 0; i < follower->targets->exes_count; i++)
		if (is_file(&follower->named[i], file))
			follower->named[i] = (struct named_file){0};
}
