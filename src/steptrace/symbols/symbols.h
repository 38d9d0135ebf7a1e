/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for addresses of traced processes and of the kernel, and the unwinding of copied stacks.
 *
 *	symbols__open		reads the symbols of the kernel, starts the child; with privileges
 *	symbols__look_at	reads the mappings of a process while it lives
 *	symbols__mapped		notes a mapping that the kernel reported
 *	symbols__unwind		a copied stack becomes addresses
 *	symbols__frame		an address becomes a frame: a number that stays valid
 *	symbols__name		at the end: the function of a frame
 *	symbols__close
 *
 * The files of a traced process are foreign. A child process without any privilege reads them; it
 * gets descriptors, and gives back numbers and text (helper.h). A child that crashes or does not
 * answer is ended, and another one is started without the file that was being read. The copied
 * stack is foreign too: it is read here, word by word, with rules that the child has read from the
 * files (unwind.h).
 *
 * Files of traced processes are opened by the caller's process, which needs the capabilities for
 * memory (privilege.h: only_memory), and under the filter of seccomp.h no others than the usual
 * system calls. What the user of a traced process could not read is not read (owner.h).
 *
 * All functions are for one thread.
 */
#ifndef STEPTRACE_SYMBOLS_H
#define STEPTRACE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "common/process_maps.h"
#include "steptrace/stack_record.h"
#include "steptrace/symbols/symbol_name.h"
#include "steptrace/symbols/troubles.h"

struct symbols;

/* To be called before privileges are dropped, while there is one thread, and early: the child has a
 * copy of the memory that the process has then. 0 and *symbols, or negative errno with a
 * sentence. */
int symbols__open(struct symbols **symbols, struct error *err);
void symbols__close(struct symbols *symbols); /* also NULL; ends the child */

/* The child, for privilege_needs.ends_child. It ends by itself when symbols__close() closes its
 * socket; the signal is only for a child that was stopped. */
pid_t symbols__child(const struct symbols *symbols);

/* Reads the mappings of the process, and opens the files that are new. Call it when a process is
 * first seen: what has ended cannot be read. */
void symbols__look_at(struct symbols *symbols, pid_t pid);
/* The kernel has reported an executable mapping of a process, traced or not. Where the process ends
 * before its mappings can be read, the reported ones are used. */
void symbols__mapped(struct symbols *symbols, pid_t pid, const struct process_mapping *mapping);
/* The pid may be used again: the process ended or executed another program. Frames stay valid. */
void symbols__forget(struct symbols *symbols, pid_t pid);

/*
 * Unwinds a copied stack; the bytes follow the struct, which the caller has checked to be complete.
 * Writes up to `room` addresses, and at most STACK_FRAMES_MAX, the innermost first, and returns
 * their number. *is_cut: frames are missing at the outer end. The first address is where the
 * thread is, the others are return addresses for symbols__frame(). The address of a function that a
 * signal interrupted is made to look like one.
 */
size_t symbols__unwind(struct symbols *symbols, pid_t pid, const struct stack_copy *copy,
		       uint64_t *addresses, size_t room, bool *is_cut);

/*
 * The frame of an address. A return address belongs to the call in front of it. Equal functions may
 * have several frames. FRAME_UNKNOWN where no mapping has the address, there is no memory, or there
 * are a million frames. An unknown pid is looked at.
 */
enum { FRAME_UNKNOWN = 0 };
uint32_t symbols__frame(struct symbols *symbols, pid_t pid, uint64_t address, bool is_return);
uint32_t symbols__kernel_frame(struct symbols *symbols, uint64_t address, bool is_return);

/* The highest number of a frame so far. */
uint32_t symbols__frames_count(const struct symbols *symbols);

/* Looks up the names of all frames so far that have none yet, in one go. */
void symbols__resolve(struct symbols *symbols);
/* Call symbols__resolve() before. Never NULL, and valid until symbols__close(). Equal functions
 * have equal pointers. A frame that has no name is "[unknown]". */
const struct symbol_name *symbols__name(struct symbols *symbols, uint32_t frame);

/* What could not be read so far. */
void symbols__troubles(const struct symbols *symbols, struct symbols_troubles *troubles);

#endif
