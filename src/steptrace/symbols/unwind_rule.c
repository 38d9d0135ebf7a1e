// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/unwind_rule.h"

static bool place_is_valid(const struct unwind_place *place, bool is_cfa)
{
	switch (place->how) {
	case UNWIND_SAME:
	case UNWIND_UNKNOWN:
	case UNWIND_AT_CFA:
	case UNWIND_IS_CFA: return !is_cfa;
	case UNWIND_AT_REGISTER:
	case UNWIND_IS_REGISTER: return place->base < UNWIND_REGISTERS;
	case UNWIND_PLT: return is_cfa && place->base < 16;
	default: return false;
	}
}

bool unwind_rule__is_valid(const struct unwind_rule *rule)
{
	if (!rule->is_there)
		return true;
	if (!place_is_valid(&rule->cfa, true) || !place_is_valid(&rule->return_address, false))
		return false;
	for (int i = 0; i < UNWIND_REGISTERS; i++)
		if (!place_is_valid(&rule->registers[i], false))
			return false;
	return true;
}
