/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `steptrace record` for tail sampling: --whole and --hold. */
#ifndef STEPTRACE_WHOLE_OPTIONS_H
#define STEPTRACE_WHOLE_OPTIONS_H

#include "common/error.h"
#include "common/option_groups.h"
#include "steptrace/stream/whole.h"
#include "steptrace/watch/watch_options.h"

/* The rows store their values in `whole`, which may be NULL for the help. */
struct option_group whole_options__group(struct whole *whole);

/* After all options were parsed: takes --sample from the filters of the kernel, and sets what was
 * not given. 0 or -EINVAL with a sentence. */
int whole_options__finish(struct whole *whole, struct watch_options *watch, struct error *err);

#endif
