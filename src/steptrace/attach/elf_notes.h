/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of our probes a binary carries, and where: the SystemTap notes in its ELF file.
 *
 *	stapsdt   Provider: steptrace   Name: step__done
 *	          Location: 0x12e0   Base: 0x20a1   Semaphore: 0x4038   Arguments: 8@%rdi
 *
 * The file is foreign: every size, offset and string is checked before it is used, and what a
 * note claims is compared with what lies there. Results are file offsets, as uprobes want them.
 */
#ifndef STEPTRACE_ELF_NOTES_H
#define STEPTRACE_ELF_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/site.h"
#include "steptrace/record.h"

enum { PROBE_NOTES_MAX = 256, BUILD_ID_MAX_BYTES = 32 };

struct probe_note {
	enum steptrace_probe probe;
	uint64_t offset;           /* of the site the note points to, in the file */
	uint64_t semaphore_offset; /* in the file; 0: the probe has none */
	unsigned int sites;        /* bit set of enum site_kind: which lie there */
};

struct probe_notes {
	struct probe_note notes[PROBE_NOTES_MAX];
	size_t count;
	size_t unknown_count; /* steptrace notes with a name of a newer header */
	uint8_t build_id[BUILD_ID_MAX_BYTES];
	size_t build_id_bytes;
};

/*
 * `name` is only for messages. Returns 0 (count may be 0: no probes of ours),
 * -ENOEXEC: not an ELF file for this machine, -EBADMSG: its notes are malformed.
 * A note section that is cut off counts up to there.
 */
int elf_notes__read(int fd, const char *name, struct probe_notes *notes, struct error *err);

/* The same for a file that lies in memory; `bytes` is not changed. */
int elf_notes__read_memory(const void *bytes, size_t size_bytes, struct probe_notes *notes,
			   struct error *err);

#endif
