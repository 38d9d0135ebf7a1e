// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/attach/mapped_file.h"

enum { PIDS_TOLD_MAX = 256 };

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
				log__error("%s", err.text);
			return NULL;
		}
	}
	if (!binary)
		return NULL;
	if (follower__attach(follower, binary, &mappings[0].file, &attachment, &err))
		log__error("%s", err.text);
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
	struct attachment *attachment = follower__find(follower, &mappings->file);
	uint32_t pids[PIDS_TOLD_MAX];

	if (!attachment)
		attachment = look_at(follower, mappings, count);
	if (!attachment)
		return;
	attachment->used_ns = clock__now_ns();
	follower__notify(follower, attachment, pids, take_pids(mappings, count, pids));
}

int follower__scan(struct follower *follower, struct steptrace_mapping **mappings)
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
