// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/untraced.h"

#include <errno.h>

#define PAUSE_MIN_NS 1000000000ull
#define PAUSE_MAX_NS 60000000000ull

static const struct untraced_file *find(const struct untraced *untraced,
					const struct steptrace_file *file)
{
	for (size_t i = 0; i < untraced->count; i++) {
		const struct untraced_file *at = &untraced->files[i];

		if (at->file.inode == file->inode && at->file.file_system == file->file_system)
			return at;
	}
	return NULL;
}

enum untraced_reason untraced__reason(int code)
{
	switch (-code) {
	case EMFILE:
	case ENFILE: return UNTRACED_OPEN_FILES;
	case ENOMEM: return UNTRACED_MEMORY;
	default: return UNTRACED_REFUSED;
	}
}

bool untraced__failed(struct untraced *untraced, const struct steptrace_file *file, int code,
		      uint32_t processes, uint64_t now_ns)
{
	struct untraced_file *at = (struct untraced_file *)find(untraced, file);
	bool is_first = !at;

	if (is_first && untraced->count == UNTRACED_FILES_MAX)
		return true;
	if (is_first) {
		at = &untraced->files[untraced->count++];
		*at = (struct untraced_file){.file = *file, .pause_ns = PAUSE_MIN_NS / 2};
	}
	at->reason = untraced__reason(code);
	at->pause_ns = 2 * at->pause_ns < PAUSE_MAX_NS ? 2 * at->pause_ns : PAUSE_MAX_NS;
	at->next_try_ns = now_ns + at->pause_ns;
	untraced__seen(untraced, file, processes);
	return is_first;
}

bool untraced__has(const struct untraced *untraced, const struct steptrace_file *file)
{
	return find(untraced, file) != NULL;
}

bool untraced__has_to_wait(const struct untraced *untraced, const struct steptrace_file *file,
			   uint64_t now_ns)
{
	const struct untraced_file *at = find(untraced, file);

	return at && now_ns < at->next_try_ns;
}

void untraced__seen(struct untraced *untraced, const struct steptrace_file *file,
		    uint32_t processes)
{
	struct untraced_file *at = (struct untraced_file *)find(untraced, file);

	if (at && at->processes < processes)
		at->processes = processes;
}

void untraced__remove(struct untraced *untraced, const struct steptrace_file *file)
{
	struct untraced_file *at = (struct untraced_file *)find(untraced, file);

	if (at)
		*at = untraced->files[--untraced->count];
}

void untraced__retry(struct untraced *untraced)
{
	for (size_t i = 0; i < untraced->count; i++)
		untraced->files[i].next_try_ns = 0;
}

void untraced__add_up(const struct untraced *untraced, uint64_t counts[UNTRACED_REASONS_COUNT])
{
	for (size_t i = 0; i < untraced->count; i++)
		counts[untraced->files[i].reason] += untraced->files[i].processes;
}
