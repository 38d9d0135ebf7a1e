// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/postponed.h"

/* The time of the last change is not compared: it moves while a program writes to the file. */
static size_t find(const struct postponed *postponed, const struct steptrace_file *file)
{
	size_t at = 0;

	while (at < POSTPONED_MAX && (postponed->files[at].reason == 0 ||
				      postponed->files[at].file.inode != file->inode ||
				      postponed->files[at].file.file_system != file->file_system))
		at++;
	return at;
}

bool postponed__add(struct postponed *postponed, const struct steptrace_file *file, int reason,
		    uint64_t until_ns)
{
	size_t at = find(postponed, file);
	bool is_new;

	if (at == POSTPONED_MAX) {
		at = postponed->count++ % POSTPONED_MAX;
		postponed->files[at].reason = 0;
	}
	is_new = postponed->files[at].reason != reason;
	postponed->files[at].file = *file;
	postponed->files[at].reason = reason;
	postponed->files[at].until_ns = until_ns;
	return is_new;
}

void postponed__remove(struct postponed *postponed, const struct steptrace_file *file)
{
	size_t at = find(postponed, file);

	if (at < POSTPONED_MAX)
		postponed->files[at].reason = 0;
}

bool postponed__contains(const struct postponed *postponed, const struct steptrace_file *file,
			 uint64_t now_ns)
{
	size_t at = find(postponed, file);

	return at < POSTPONED_MAX && now_ns < postponed->files[at].until_ns;
}
