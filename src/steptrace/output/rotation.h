/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Renames the file at a path, and the files that were renamed before, so that the path is free:
 *
 *	events.ndjson -> events.ndjson.1 -> events.ndjson.2 ...
 *	events.ndjson.gz -> events.ndjson.1.gz -> events.ndjson.2.gz ...
 */
#ifndef STEPTRACE_ROTATION_H
#define STEPTRACE_ROTATION_H

#include <stdbool.h>

/* The name of the former file with this number; 1 is the newest. False: the name is too long. */
bool rotation__name(char name[4096], const char *path, unsigned int number);

/* Renames. The newest `keep` former files stay (0: all), an older one is overwritten. 0 or negative
 * errno: then no file is lost, and the file may still be at the path. */
int rotation__move(const char *path, unsigned int keep);

#endif
