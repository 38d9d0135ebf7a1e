/* SPDX-License-Identifier: BSD-2-Clause */
/* One rule of .eh_frame or .debug_frame, as libdw reads it, in the form of unwind_rule.h. */
#ifndef STEPTRACE_ELF_RULE_H
#define STEPTRACE_ELF_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/symbols/unwind_rule.h"

struct Dwarf_CFI_s;

/* False: nothing is known about the address, or it cannot be expressed. */
bool elf_rule__read(struct Dwarf_CFI_s *table, uint64_t address, struct unwind_rule *rule);

#endif
