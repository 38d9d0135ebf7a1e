/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all workers of a process share, and only read: the options, the packs and the tools.
 */
#ifndef STEPTRACE_RUNNER_RUNTIME_H
#define STEPTRACE_RUNNER_RUNTIME_H

#include "runner/pack/catalogue.h"
#include "runner/tools/tool_list.h"
#include "runner/work/runner_options.h"

struct runtime {
	const struct runner_options *options; /* borrowed */
	struct catalogue catalogue;
	struct tool_list tools;
};

/* Loads packs and tools. Warns of each pack that cannot be loaded. Returns 0 or a negative errno
 * with a sentence. The caller closes the runtime in any case. */
int runtime__open(struct runtime *runtime, const struct runner_options *options, struct error *err);
void runtime__close(struct runtime *runtime);

#endif
