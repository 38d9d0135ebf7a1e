/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules for unwinding that were needed so far. Each is asked for once, and there are few
 * different ones: a large program has some thousand. A stack of known functions needs no question.
 */
#ifndef STEPTRACE_SYMBOLS_RULES_H
#define STEPTRACE_SYMBOLS_RULES_H

#include "steptrace/symbols/helper.h"
#include "steptrace/symbols/modules.h"
#include "steptrace/symbols/place_map.h"
#include "steptrace/symbols/troubles.h"
#include "steptrace/symbols/unwind_rule.h"

/* Zeroed, none is known. */
struct rules {
	struct unwind_rule *items; /* owned */
	size_t count, room;
	struct place_map by_place; /* the number + 1 */
	struct place_map by_hash;  /* the number + 1 */
};

/* Valid until the next call. */
const struct unwind_rule *rules__find(struct rules *rules, uint32_t module, uint64_t offset,
				      struct modules *modules, struct helper *helper,
				      struct symbols_troubles *troubles);
void rules__free(struct rules *rules);

#endif
