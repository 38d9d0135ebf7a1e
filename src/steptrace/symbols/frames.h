/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames: places in modules, each with a number, and with a name once it was looked up. Names are
 * looked up module by module, many places in one question.
 */
#ifndef STEPTRACE_SYMBOLS_FRAMES_H
#define STEPTRACE_SYMBOLS_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "steptrace/symbols/helper.h"
#include "steptrace/symbols/kernel_symbols.h"
#include "steptrace/symbols/modules.h"
#include "steptrace/symbols/place_map.h"
#include "steptrace/symbols/symbol_name.h"
#include "steptrace/symbols/troubles.h"

struct frame {
	uint64_t offset; /* in the module */
	uint32_t module;
	const struct symbol_name *name; /* NULL: not looked up yet, or there was no memory */
};

/* Zeroed, there is no frame. Numbers begin with 1. */
struct frames {
	struct frame *items; /* owned; the first one is not used */
	size_t count, room;  /* the count includes the unused one */
	size_t named;        /* the frames below this number have been looked up */
	struct place_map by_place;
};

/* What names come from. */
struct frame_sources {
	struct modules *modules;
	struct helper *helper;
	const struct kernel_symbols *kernel;
	struct symbol_names *names;
	struct symbols_troubles *troubles;
};

/* 0: there is no memory, or there are too many frames. */
uint32_t frames__number(struct frames *frames, uint32_t module, uint64_t offset);

/* Looks up the names of all frames that have not been looked up. */
void frames__resolve(struct frames *frames, const struct frame_sources *sources);

/* NULL: the frame has no name. */
const struct symbol_name *frames__name(const struct frames *frames, uint32_t number);

void frames__free(struct frames *frames);

#endif
