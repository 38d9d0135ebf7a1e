/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remembers which mapped files were looked at, so that a report of a mapping costs a look-up.
 *
 * A report (mmap_records.h) names a file by device, inode and generation. The probes are attached
 * to a struct steptrace_file. This table leads from one to the other. It has a fixed size: an entry
 * takes the place of an older one. A file that was forgotten is looked at again.
 */
#ifndef STEPTRACE_SEEN_FILES_H
#define STEPTRACE_SEEN_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/record.h"

/* A file as a report names it. */
struct seen_key {
	uint64_t device;
	uint64_t inode; /* 0: an empty entry */
	uint64_t generation;
};

struct seen_file {
	struct seen_key key;
	bool is_attached;           /* false: it has no probes */
	struct steptrace_file file; /* of an attached one */
};

enum { SEEN_FILES_COUNT = 1024 };

struct seen_files {
	struct seen_file entries[SEEN_FILES_COUNT];
};

/* NULL: not seen, or forgotten. */
struct seen_file *seen_files__find(struct seen_files *seen, const struct seen_key *key);

/* `file` NULL: it has no probes. */
void seen_files__add(struct seen_files *seen, const struct seen_key *key,
		     const struct steptrace_file *file);

#endif
