// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/elf_rule.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdlib.h>

#define UNKNOWN ((struct unwind_place){.how = UNWIND_UNKNOWN})

static struct unwind_place place(enum unwind_how how, uint64_t base, int64_t offset)
{
	if (base >= UNWIND_REGISTERS || offset != (int32_t)offset)
		return UNKNOWN;
	return (struct unwind_place){
		.how = (uint8_t)how, .base = (uint8_t)base, .offset = (int32_t)offset};
}

/* A register and an offset. */
static bool is_register(const Dwarf_Op *op, uint64_t *base, int64_t *offset)
{
	if (op->atom == DW_OP_bregx) {
		*base = op->number;
		*offset = (int64_t)op->number2;
		return true;
	}
	if (op->atom < DW_OP_breg0 || op->atom > DW_OP_breg31)
		return false;
	*base = op->atom - DW_OP_breg0;
	*offset = (int64_t)op->number;
	return true;
}

/* rsp + 8 + ((((rip & 15) >= 11) ? 1 : 0) << 3), as linkers write it for each table of calls. */
static bool is_plt(const Dwarf_Op *ops, size_t count, struct unwind_place *cfa)
{
#ifdef __x86_64__
	static const uint8_t atoms[] = {DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0,
					DW_OP_ge,    DW_OP_lit3,   DW_OP_shl,   DW_OP_plus};

	if (count != sizeof(atoms) || ops[4].atom < DW_OP_lit0 || ops[4].atom > DW_OP_lit15)
		return false;
	for (size_t i = 0; i < count; i++)
		if (i != 4 && ops[i].atom != atoms[i])
			return false;
	*cfa = place(UNWIND_PLT, ops[4].atom - DW_OP_lit0, (int64_t)ops[0].number);
	return true;
#else
	(void)ops, (void)count, (void)cfa;
	return false;
#endif
}

static struct unwind_place cfa_of(Dwarf_Frame *frame)
{
	struct unwind_place cfa = UNKNOWN;
	uint64_t base;
	int64_t offset;
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_frame_cfa(frame, &ops, &count) || count == 0)
		return UNKNOWN;
	if (is_plt(ops, count, &cfa) || !is_register(&ops[0], &base, &offset))
		return cfa;
	if (count == 1)
		return place(UNWIND_IS_REGISTER, base, offset);
	if (count == 2 && ops[1].atom == DW_OP_deref)
		return place(UNWIND_AT_REGISTER, base, offset);
	return UNKNOWN;
}

/* What follows DW_OP_call_frame_cfa: an offset or none, and DW_OP_stack_value for a value. */
static struct unwind_place at_cfa(const Dwarf_Op *ops, size_t count)
{
	int64_t offset = 0;
	size_t at = 0;

	if (at < count && ops[at].atom == DW_OP_plus_uconst)
		offset = (int64_t)ops[at++].number;
	if (at < count && ops[at].atom == DW_OP_stack_value)
		return at + 1 == count ? place(UNWIND_IS_CFA, 0, offset) : UNKNOWN;
	return at == count ? place(UNWIND_AT_CFA, 0, offset) : UNKNOWN;
}

/*
 * On aarch64, an instruction that signs the return address is marked by a code (0x2d) that SPARC
 * uses for its register windows. libdw before 0.192 takes it for that: then registers 8 to 15 come
 * from 24 to 31, and 16 to 31 are at the CFA and above, where no function saves any register.
 */
static bool is_misread(int number, const struct unwind_place *found)
{
#ifdef __aarch64__
	if (number >= 8 && number < 16)
		return found->how == UNWIND_IS_REGISTER && found->base == number + 16;
	return number >= 16 && found->how == UNWIND_AT_CFA && found->offset >= 0;
#else
	(void)number, (void)found;
	return false;
#endif
}

static struct unwind_place place_of(Dwarf_Frame *frame, int number)
{
	Dwarf_Op memory[3], *ops = NULL;
	struct unwind_place found = UNKNOWN;
	uint64_t base;
	int64_t offset;
	size_t count;

	if (dwarf_frame_register(frame, number, memory, &ops, &count))
		return UNKNOWN;
	if (count == 0)
		return ops ? UNKNOWN : (struct unwind_place){.how = UNWIND_SAME};
	if (!ops) /* libdw does not set it for another register */
		ops = memory;
	if (ops[0].atom == DW_OP_call_frame_cfa && count > 1 &&
	    is_register(&ops[1], &base, &offset)) { /* an expression: it may use the CFA */
		ops++;
		count--;
	}
	if (ops[0].atom == DW_OP_call_frame_cfa)
		found = at_cfa(ops + 1, count - 1);
	else if (ops[0].atom == DW_OP_regx && count == 1)
		found = place(UNWIND_IS_REGISTER, ops[0].number, 0);
	else if (is_register(&ops[0], &base, &offset) && count == 1)
		found = place(UNWIND_AT_REGISTER, base, offset);
	else if (is_register(&ops[0], &base, &offset) && count == 2 &&
		 ops[1].atom == DW_OP_stack_value)
		found = place(UNWIND_IS_REGISTER, base, offset);
	if (is_misread(number, &found))
		return (struct unwind_place){.how = UNWIND_SAME};
	return found;
}

bool elf_rule__read(struct Dwarf_CFI_s *table, uint64_t address, struct unwind_rule *rule)
{
	bool is_signal = false;
	Dwarf_Frame *frame;
	int column;

	*rule = (struct unwind_rule){.is_there = 0};
	if (dwarf_cfi_addrframe(table, address, &frame))
		return false;
	column = dwarf_frame_info(frame, NULL, NULL, &is_signal);
	rule->cfa = cfa_of(frame);
	rule->return_address = column >= 0 ? place_of(frame, column) : UNKNOWN;
	for (int i = 0; i < UNWIND_REGISTERS; i++)
		rule->registers[i] = place_of(frame, i);
	rule->is_signal = is_signal;
	rule->is_there = rule->cfa.how != UNWIND_UNKNOWN && column >= 0;
	free(frame);
	return rule->is_there;
}
