/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which steptrace probes a binary has, and where: read from the SystemTap notes in its ELF file.
 *
 *	stapsdt   Provider: steptrace   Name: step__done
 *	          Location: 0x12e0   Base: 0x20a1   Semaphore: 0x4038   Arguments: 8@%rdi
 *
 * The file is not trusted: every size, offset and string is checked before it is used, and the
 * bytes at the place that a note names are compared with those of a site. Results are file
 * offsets, because uprobes need these.
 */
#ifndef STEPTRACE_ELF_NOTES_H
#define STEPTRACE_ELF_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/site.h"
#include "steptrace/record.h"

enum { PROBE_NOTES_MAX = 256, BUILD_ID_MAX_BYTES = 32 };

struct probe_note {
	enum steptrace_probe probe;
	uint64_t offset;           /* in the file, of the first site: the note points to it */
	uint64_t semaphore_offset; /* in the file; 0: the probe has none */
	unsigned int sites;        /* bit set of 1 << enum site_kind: which are there */
};

struct probe_notes {
	struct probe_note notes[PROBE_NOTES_MAX];
	size_t count;
	size_t unknown_count; /* steptrace probes that only a newer header knows */
	/* Begin calls store tags of this version (usdt/steptrace.h, "WHAT IS OPEN NOW"). 0: they
	 * store none. UINT32_MAX: the note has another size, so the version is not known. */
	uint32_t tags_version;
	uint8_t build_id[BUILD_ID_MAX_BYTES];
	size_t build_id_bytes;
};

/* The names of the sites that all probes have: "nop1+nop5" where `separator` is "+". */
enum { SITE_NAMES_BYTES = 64 };
void probe_notes__site_names(const struct probe_notes *notes, const char *separator,
			     char names[SITE_NAMES_BYTES]);

/*
 * `name` is only for messages. Returns 0 (`count` may be 0: no steptrace probes), or with a
 * sentence -ENOEXEC: not an ELF file for this machine, -EBADMSG: its notes are malformed. Of a
 * truncated section the notes before the cut are used.
 */
int elf_notes__read(int fd, const char *name, struct probe_notes *notes, struct error *err);

/* The same for a file in memory; `bytes` is not changed. */
int elf_notes__read_memory(const void *bytes, size_t size_bytes, struct probe_notes *notes,
			   struct error *err);

#endif
