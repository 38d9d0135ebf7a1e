/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writers of the formats. Each returns 0 or -ENOMEM; errors of the file are left to
 * flame__write() (ferror).
 */
#ifndef STEPTRACE_FLAME_WRITERS_H
#define STEPTRACE_FLAME_WRITERS_H

#include <stdio.h>

#include "steptrace/flame/rows.h"
#include "steptrace/profile/folded.h"

/*
 * One line per row: the path, the state if it is not on-CPU, and the time in microseconds.
 *
 *	triage;FragmentUpdateStep;main;sqlite3_step 20202
 *	triage;FragmentUpdateStep;main;pthread_mutex_lock;do_futex_[k];[lock] 1200000
 *	triage;FragmentUpdateStep;[cut];std::sort<int*,_Less> 10101
 *
 * Times are rounded to whole microseconds, but not to 0. Microseconds, and not samples: the same
 * file has samples of running threads and measured waits. Frames of the kernel end in _[k], as
 * flamegraph.pl expects it for --color=java and the like. In a name, a blank becomes '_' and a
 * semicolon ':'.
 */
int folded_text__write(FILE *out, const struct flame_rows *rows);

/*
 * https://www.speedscope.app/file-format-schema.json: profiles of the type "sampled", with weights
 * in nanoseconds. First all commands together, then each command, the most time first; each as one
 * profile of what ran and one of what waited. A wait has its kind as the innermost frame, "[lock]".
 */
int flame_speedscope__write(FILE *out, const struct flame_rows *rows);

int svg__write(FILE *out, const struct flame_rows *rows, const struct folded_facts *facts);

/* The facts, the tree as JSON, and what draws it: tree.js, picture.js, page.js. The policy of the
 * page names the hashes of its scripts: no other script is executed, and nothing is loaded. */
int html__write(FILE *out, const struct flame_rows *rows, const struct folded_facts *facts);

#endif
