/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a process has a binary mapped: once, several times, or without its code.
 *
 * The kernel puts a breakpoint into every mapping that shows the probe: also into a second load of
 * a library (dlmopen, a copy of the loader), and into a mapping that is only read. For each of them
 * it raises the semaphore, but always in the first private writable mapping of the file that it
 * finds. So with two loads or with a private writable mapping of the file:
 *
 *	- the semaphore of one load is raised too often, and that of the other is never raised: its
 *	  probes are never reached;
 *	- bytes of the process change that are no semaphore;
 *	- after detaching, semaphores stay raised, where mappings came or went meanwhile.
 *
 * A program may also copy its code to anonymous memory, for example to get huge pages, and map that
 * over the code. Breakpoints are copied with it. The kernel does not know them there: a process
 * that reaches one is killed by SIGTRAP. Before that, no probe of such a program can be attached:
 * no mapping shows it any more.
 *
 * So such a file is not attached while such a process runs. A mapping that is only read is
 * accepted: no semaphore is raised in it, although the process can read the breakpoints there.
 */
#ifndef STEPTRACE_COPIES_H
#define STEPTRACE_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/attach/elf_notes.h"

/* A mapping of the binary. */
struct mapped_part {
	uint64_t offset, bytes; /* which part of the file */
	bool writable, executable, shared;
};

/* How many mappings show each probe and each semaphore of a binary, in one process. */
struct copies {
	uint16_t code[PROBE_NOTES_MAX];       /* executable */
	uint16_t semaphores[PROBE_NOTES_MAX]; /* writable and private */
	bool has_data_segment;                /* not only a mapping of the whole file */
};

/* `copies` is zeroed at first. */
void copies__add(struct copies *copies, const struct probe_notes *notes,
		 const struct mapped_part *part);

enum loading {
	LOADED_ONCE,  /* or not at all */
	LOADED_TWICE, /* or more often, or mapped once more to be written to */
	LOADED_MOVED, /* its data is mapped, but its code is not, or is writable */
};

enum loading copies__judge(const struct copies *copies, const struct probe_notes *notes);

/* For a process of which only the executable mappings are known: whether these are too many. */
bool copies__is_code_twice(const struct copies *copies, const struct probe_notes *notes);

/* Ends a sentence that begins with "process N "; NULL for LOADED_ONCE. */
const char *loading__text(enum loading loading);

#endif
