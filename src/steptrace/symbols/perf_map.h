/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map of a just-in-time compiler, /tmp/perf-PID.map: where it has put which function.
 *
 *	3ef414c0 398 LazyCompile:*handle server.js:12
 *	START    SIZE (hexadecimal), name to the end of the line
 *
 * The process writes the file while it runs, so the last line may be incomplete. Code that was
 * thrown away is not taken out: of two functions at the same place, the one that was written last
 * is used. A file with a NUL byte is no map.
 */
#ifndef STEPTRACE_PERF_MAP_H
#define STEPTRACE_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "steptrace/symbols/function_table.h"

enum { PERF_MAP_BYTES_MAX = 64 << 20, PERF_MAP_LINES_MAX = 1 << 20 };

/* Starts zeroed. */
struct perf_map {
	char *text; /* owned; the names of the functions are in it */
	struct function_table functions;
};

/* 0; -EFBIG: the file is larger than PERF_MAP_BYTES_MAX; -EINVAL: it is no map; or negative errno.
 * Lines after PERF_MAP_LINES_MAX are left out. */
int perf_map__read(struct perf_map *map, int fd);
/* The same of `bytes` bytes in memory that malloc() returned, which the map takes over. */
int perf_map__parse(struct perf_map *map, char *text, size_t bytes);
void perf_map__free(struct perf_map *map);

#endif
