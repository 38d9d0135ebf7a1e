/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of the running kernel and of its modules, as /proc/kallsyms lists them.
 *
 *	ffffffff81400f60 T do_sys_openat2
 *	ffffffffc0a3b010 t nft_do_chain	[nf_tables]
 *
 * To a process without the rights, the kernel shows each address as 0.
 */
#ifndef STEPTRACE_KERNEL_SYMBOLS_H
#define STEPTRACE_KERNEL_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct kernel_symbol {
	uint64_t address;
	uint32_t name;   /* where it begins in `texts` */
	uint32_t module; /* the same; 0: the kernel itself */
};

/* Starts zeroed. */
struct kernel_symbols {
	struct kernel_symbol *items; /* owned; by address */
	size_t count, room;
	char *texts; /* owned; each ends with a NUL */
	size_t texts_bytes, texts_room;
	bool is_hidden; /* there were symbols, but no addresses */
};

/* Reads a list. 0 or negative errno. Call kernel_symbols__free() in any case. */
int kernel_symbols__read(struct kernel_symbols *symbols, FILE *list);
void kernel_symbols__free(struct kernel_symbols *symbols);

/* The function that contains the address: the last one that begins at it or before it. NULL: there
 * is none. */
const struct kernel_symbol *kernel_symbols__find(const struct kernel_symbols *symbols,
						 uint64_t address);
const char *kernel_symbols__name(const struct kernel_symbols *symbols,
				 const struct kernel_symbol *symbol);
/* "[kernel]", or "[nf_tables]" */
const char *kernel_symbols__module(const struct kernel_symbols *symbols,
				   const struct kernel_symbol *symbol);

#endif
