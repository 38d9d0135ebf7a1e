/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modules that the mappings of a process come from.
 *
 *	/proc/TID/map_files/START-END	the mapped file itself, whatever its name says; needs
 *					CAP_CHECKPOINT_RESTORE
 *	/proc/TID/root + path		otherwise; only if it is the same inode; then the tracer's
 *					own root directory
 *
 * The debug file of a module is searched where gdb searches it, in the root directory of the
 * process and then in that of the tracer:
 *
 *	/usr/lib/debug/.build-id/12/3456….debug		by the build id
 *	FOLDER/NAME, FOLDER/.debug/NAME, /usr/lib/debug/FOLDER/NAME	by .gnu_debuglink
 *
 * The child that reads them checks that the file belongs to the module.
 */
#ifndef STEPTRACE_SYMBOLS_MAPPED_H
#define STEPTRACE_SYMBOLS_MAPPED_H

#include "common/process_maps.h"
#include "steptrace/symbols/helper.h"
#include "steptrace/symbols/modules.h"
#include "steptrace/symbols/owner.h"
#include "steptrace/symbols/troubles.h"

struct mapped {
	struct modules *modules;
	struct helper *helper;
	struct symbols_troubles *troubles;
	uint32_t vdso;       /* the module; 0: there is none */
	uint64_t vdso_bytes; /* of its mapping */
};

/* Copies the vdso of this process, which is that of all processes. Without it nothing is lost but
 * its names. */
void mapped__read_vdso(struct mapped *mapped);

/*
 * The module of an executable mapping. `tid` is a thread that shows the mappings. Returns 0 where
 * the mapping is memory that the process has written itself, and where there is no memory left.
 */
uint32_t mapped__module(struct mapped *mapped, pid_t tid, const struct owner *owner,
			const struct process_mapping *mapping);

/* The perf map of the process: descriptor; -ENOENT: there is none yet; or another negative errno:
 * it must not be read. */
int mapped__open_perf_map(pid_t tid, const struct owner *owner);

#endif
