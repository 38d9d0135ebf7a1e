/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How to get from a function to its caller, at one instruction: what .eh_frame or .debug_frame say
 * about it, reduced to what compilers write.
 *
 *	CFA = rsp + 24; return address at CFA - 8; rbx at CFA - 16; rbp unchanged
 *
 * The CFA is the value of the stack pointer before the call. Registers have the DWARF numbers of
 * the architecture, see struct stack_registers. DWARF also has expressions, a small language. Two
 * places use it: the table of calls to shared libraries (UNWIND_PLT), and frames of signals, whose
 * expressions are a register, an offset and perhaps one read. Other expressions are UNWIND_UNKNOWN.
 */
#ifndef STEPTRACE_UNWIND_RULE_H
#define STEPTRACE_UNWIND_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/stack_record.h"

enum unwind_how {
	UNWIND_SAME,        /* not changed by the function */
	UNWIND_UNKNOWN,     /* lost. Of the return address: nobody called the function */
	UNWIND_AT_CFA,      /* in memory, at the CFA + offset */
	UNWIND_IS_CFA,      /* the CFA + offset */
	UNWIND_AT_REGISTER, /* in memory, at a register + offset */
	UNWIND_IS_REGISTER, /* a register + offset */
	/* Only of the CFA, on x86-64: rsp + offset, and 8 more from the instruction on whose
	 * address modulo 16 is `base`. */
	UNWIND_PLT,
	UNWIND_HOWS_COUNT,
};

struct unwind_place {
	uint8_t how; /* enum unwind_how */
	uint8_t base;
	uint16_t reserved;
	int32_t offset;
};

struct unwind_rule {
	uint8_t is_there;  /* 0: nothing is known about this instruction */
	uint8_t is_signal; /* the caller was interrupted: its address is exact */
	uint8_t reserved[6];
	struct unwind_place cfa;
	struct unwind_place return_address;
	struct unwind_place registers[STACK_REGISTERS_MAX];
};

#if defined(__x86_64__)
enum { UNWIND_REGISTERS = 16, UNWIND_FRAME_POINTER = 6, UNWIND_STACK_POINTER = 7 };
#elif defined(__aarch64__)
enum {
	UNWIND_REGISTERS = 32,
	UNWIND_FRAME_POINTER = 29,
	UNWIND_LINK = 30,
	UNWIND_STACK_POINTER = 31
};
#else
#error "steptrace does not know the registers of this architecture"
#endif

/* For rules that another process sent. */
bool unwind_rule__is_valid(const struct unwind_rule *rule);

#endif
