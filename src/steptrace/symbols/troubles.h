/* SPDX-License-Identifier: BSD-2-Clause */
/* What could not be read, for the user. */
#ifndef STEPTRACE_SYMBOLS_TROUBLES_H
#define STEPTRACE_SYMBOLS_TROUBLES_H

#include <stdbool.h>
#include <stdint.h>

struct symbols_troubles {
	uint64_t children_lost;   /* crashed, or did not answer */
	uint64_t files_slow;      /* took longer than MODULE_TIME_NS */
	uint64_t files_unread;    /* could not be opened or are broken */
	uint64_t files_forbidden; /* the user of the process may not read them */
	uint64_t maps_refused;    /* perf maps of others, too large, or too many */
	bool time_used_up;        /* files were not read, because of MODULES_TIME_NS */
	bool kernel_hidden;       /* /proc/kallsyms shows no addresses */
};

#endif
