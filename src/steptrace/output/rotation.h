/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes room at a path by moving what is there aside, the newest first:
 *
 *	events.ndjson -> events.ndjson.1 -> events.ndjson.2 ...
 *	events.ndjson.gz -> events.ndjson.1.gz -> events.ndjson.2.gz ...
 */
#ifndef STEPTRACE_ROTATION_H
#define STEPTRACE_ROTATION_H

#include <stdbool.h>

/* The name of the Nth (from 1) of those that were moved; false: it is too long. */
bool rotation__name(char name[4096], const char *path, unsigned int number);

/* Moves; of those that were moved `keep` stay (0: all). 0 or negative errno: nothing is lost, and what
 * is at the path may still be there. */
int rotation__move(const char *path, unsigned int keep);

#endif
