// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/attach/mapped_file.h"

enum { PIDS_REPORTED_MAX = 256 };

static int compare_mappings(const void *left, const void *right)
{
	const struct steptrace_mapping *a = left, *b = right;
	int files = memcmp(&a->file, &b->file, sizeof(a->file));

	if (files)
		return files;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

void follower__sort(struct steptrace_mapping *mappings, size_t count)
{
	qsort(mappings, count, sizeof(*mappings), compare_mappings);
}

/* A file that cannot be opened because something ran out may have probes. */
static bool is_shortage(int code)
{
	return code == -EMFILE || code == -ENFILE || code == -ENOMEM;
}

static void note_failure(struct follower *follower, const struct steptrace_file *file, int code,
			 uint32_t processes, const struct error *err)
{
	if (untraced__failed(&follower->untraced, file, code, processes, clock__now_ns()))
		log__error("%s; steptrace tries again until it succeeds", err->text);
}

/* Opens an unknown file through the first process that permits it. NULL: it cannot be opened, or it
 * has no use for us and is remembered as such. */
static struct binary *open_mapped(struct follower *follower,
				  const struct steptrace_mapping *mappings, size_t count,
				  uint32_t processes)
{
	struct binary *binary = NULL;
	struct error err = {0};

	for (size_t i = 0; i < count && !binary; i++) {
		int code = mapped_file__open(follower->capture, &mappings[i], &binary, &err);

		if (is_shortage(code)) {
			note_failure(follower, &mappings[i].file, code, processes, &err);
			return NULL;
		}
		if (code != -EBADMSG && code != -ENOEXEC)
			continue;
		capture__know_file(follower->capture, &mappings[i].file, FILE_WITHOUT_PROBES);
		if (code == -EBADMSG)
			log__error("%s", err.text);
		return NULL;
	}
	return binary;
}

static struct attachment *attach_unknown(struct follower *follower,
					 const struct steptrace_mapping *mappings, size_t count,
					 uint32_t processes)
{
	const struct steptrace_file *file = &mappings[0].file;
	struct attachment *attachment;
	struct binary *binary;

	if (follower->targets->exes_count) { /* the files of -x are opened by their paths */
		attachment = follower__attach_used(follower, file);
		if (!attachment)
			capture__know_file(follower->capture, file, FILE_WITHOUT_PROBES);
		return attachment;
	}
	if (follower__has_to_wait(follower, file)) {
		untraced__seen(&follower->untraced, file, processes);
		return NULL;
	}
	binary = open_mapped(follower, mappings, count, processes);
	return binary ? follower__try_to_attach(follower, binary, file, processes) : NULL;
}

/* The processes of the mappings, each once; the mappings are sorted by process. */
static size_t list_pids(const struct steptrace_mapping *mappings, size_t count,
			uint32_t pids[PIDS_REPORTED_MAX])
{
	size_t taken = 0;

	for (size_t i = 0; i < count && taken < PIDS_REPORTED_MAX; i++)
		if (taken == 0 || pids[taken - 1] != mappings[i].pid)
			pids[taken++] = mappings[i].pid;
	return taken;
}

/* `mappings` are all mappings of one file. */
static void scan_file(struct follower *follower, const struct steptrace_mapping *mappings,
		      size_t count)
{
	struct attachment *attachment = follower__find(follower, &mappings->file);
	uint32_t pids[PIDS_REPORTED_MAX];
	size_t pids_count = list_pids(mappings, count, pids);

	if (!attachment)
		attachment = attach_unknown(follower, mappings, count, (uint32_t)pids_count);
	if (!attachment)
		return;
	attachment->used_ns = clock__now_ns();
	follower__warn_second_load(attachment, mappings, count);
	follower__notify(follower, attachment, pids, pids_count);
}

int follower__scan(struct follower *follower, struct steptrace_mapping **mappings)
{
	ssize_t count = capture__mappings(follower->capture, mappings);

	if (count <= 0)
		return (int)count;
	follower__sort(*mappings, (size_t)count);
	for (ssize_t at = 0, next; at < count; at = next) {
		const struct steptrace_mapping *first = &(*mappings)[at];

		next = at + 1;
		while (next < count &&
		       memcmp(&(*mappings)[next].file, &first->file, sizeof(first->file)) == 0)
			next++;
		scan_file(follower, first, (size_t)(next - at));
	}
	return (int)count;
}
