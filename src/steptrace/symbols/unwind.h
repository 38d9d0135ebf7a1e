/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a copied stack to the addresses in it, with the rules of each function (unwind_rule.h).
 *
 * Where a file has no rule, or code is in no file, the frame pointer is followed: just-in-time
 * compilers keep it. The bytes are foreign: nothing outside of them is read, and each frame must
 * have its stack above that of the frame before, unless a signal came between.
 */
#ifndef STEPTRACE_UNWIND_H
#define STEPTRACE_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/symbols/unwind_rule.h"

/* The rule for the instruction at an address. NULL: no code of the process is there. Valid until
 * the next call. */
typedef const struct unwind_rule *unwind_find(void *context, uint64_t address);

/*
 * `bytes` are those from the stack pointer upwards. Writes up to `room` addresses, the innermost
 * first, and returns their number. The first one is where the thread is, the others are return
 * addresses. At a signal they are one byte further, so that the byte in front of each is in the
 * function: that is so for the interrupted function, and for the one that the handler returns to.
 * *is_cut: outer frames are missing.
 */
size_t unwind__walk(const struct stack_registers *registers, const void *bytes, size_t bytes_count,
		    unwind_find *find, void *context, uint64_t *addresses, size_t room,
		    bool *is_cut);

#endif
