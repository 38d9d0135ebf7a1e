/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Patterns of names ("db.*,note"), matched in the kernel without backtracking.
 *
 * A compiled pattern is an automaton of at most 64 positions, each of which is a bit of one number:
 *
 *	"db.*,note"	 0 d 1 b 2 . 3*	4 n 5 o 6 t 7 e 8
 *			 start: bits 0 and 4	final: bits 3 and 8	loops: bit 3
 *
 * Bit i is set if the text so far matches everything in front of position i. For each character of
 * the text, a bit moves to the next position if the element there accepts the character. A bit at a
 * star also stays. This takes the same few instructions for every pattern.
 *
 * A pattern with '!' excludes. The last pattern that matches decides, and its final position is the
 * highest bit of those that were reached:
 *
 *	"db.*,!db.x"	 0 d 1 b 2 . 3*	4 d 5 b 6 . 7 x 8
 *			 final: bits 3 and 8	excluded: bit 8
 *	text "db.x"	 reached: bits 3 and 8	8 is the highest: the text does not match
 *
 * src/steptrace/capture/glob_compile.c compiles patterns.
 */
#ifndef STEPTRACE_GLOB_H
#define STEPTRACE_GLOB_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

enum { GLOB_POSITIONS = 64 };

struct glob {
	__u64 accepts[256]; /* by character: the positions whose element accepts it */
	__u64 loops;        /* positions with a star */
	__u64 start, final;
	__u64 excluded; /* the final positions of patterns with '!' */
};

/* Not 0 if the last pattern that matches the whole text does not exclude it. `text` ends at a NUL
 * or after `size` bytes. */
static inline __attribute__((always_inline)) int glob__matches(const volatile struct glob *glob,
							       const char *text, __u32 size)
{
	__u64 at = glob->start, excluded;

	for (__u32 i = 0; i < size && text[i]; i++)
		at = (at & glob->accepts[(__u8)text[i]]) << 1 | (at & glob->loops);
	at &= glob->final;
	excluded = at & glob->excluded;
	return (at ^ excluded) > excluded; /* the number with the highest bit is the larger one */
}

#endif
