/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries the kinds of sites on probe functions of this program, one for each kind: what a hit costs,
 * what the kernel makes of the site, and whether a forked child survives it.
 *
 *	site_trial__open -> site_trial__place -> uprobe__attach -> site_trial__hit_ns, ...
 *
 * Only one trial at a time: the functions are in the text of the program.
 */
#ifndef STEPTRACE_SITE_TRIAL_H
#define STEPTRACE_SITE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/attach/site.h"
#include "steptrace/capture/uprobe.h"

struct site_trial {
	int file_fd;     /* this program; owned */
	uint64_t offset; /* of the first function in it */
};

/* 0 or negative errno. */
int site_trial__open(struct site_trial *trial);
void site_trial__close(struct site_trial *trial);

/* Where to attach for a kind. Valid while the trial is open. */
struct uprobe_place site_trial__place(const struct site_trial *trial, enum site_kind kind);

/* Hits the site SITE_TRIAL_HITS times with `span` as the argument of the probe. Returns the
 * nanoseconds of one hit, in the fastest round. */
enum { SITE_TRIAL_HITS = 1032 };
double site_trial__hit_ns(enum site_kind kind, const void *span);

/* Whether the kernel replaced the bytes of the attached site, and not by a trap. */
bool site_trial__is_rewritten(enum site_kind kind);

/* Whether a forked child that reaches the attached site dies, or may die. */
bool site_trial__kills_forks(enum site_kind kind);

#endif
