/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program or library file, read by libdwfl: its functions, and how to unwind through them.
 *
 *	elf_module__open	takes a descriptor over; what the file says about itself
 *	elf_module__add_debug	a separate file with symbols, if it belongs to this one
 *	elf_module__function	the function at an offset in the file
 *	elf_module__rule	how to unwind there
 *
 * The file is foreign. libdwfl checks what it reads, but it was written for files of compilers; and
 * a file that another process makes shorter ends the process that has it mapped (SIGBUS). So these
 * functions run in a child that may crash (helper_child.c).
 *
 * Functions come from .symtab; or from the one of the debug file; or from .dynsym together with
 * .gnu_debugdata, the small table that some distributions compress into stripped files.
 */
#ifndef STEPTRACE_ELF_MODULE_H
#define STEPTRACE_ELF_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/symbols/unwind_rule.h"

enum { ELF_BUILD_ID_MAX = 32, ELF_DEBUGLINK_MAX = 256 };

struct elf_module;

/* What tells a separate debug file from others. */
struct elf_identity {
	uint32_t build_id_bytes; /* 0: none */
	uint8_t build_id[ELF_BUILD_ID_MAX];
	uint32_t debuglink_crc;
	char debuglink[ELF_DEBUGLINK_MAX]; /* a file name without '/'; "": none */
	uint8_t has_symtab;
};

/* 0, -ENOEXEC: not a program or library, or broken; or -ENOMEM. `fd` is closed when it fails and by
 * elf_module__close(). */
int elf_module__open(int fd, struct elf_module **module, struct elf_identity *identity);
void elf_module__close(struct elf_module *module);

/* To be called before the first question. 0, or negative errno: the file belongs to another program
 * or is broken. `fd` is taken over in any case. */
int elf_module__add_debug(struct elf_module *module, int fd);

/* The name as it is in the file, valid as long as the module. NULL: in no function. */
const char *elf_module__function(struct elf_module *module, uint64_t file_offset);

/* The address that the linker gave to this place of the file. False: it is in no segment. */
bool elf_module__address(const struct elf_module *module, uint64_t file_offset, uint64_t *address);

/* `rule->is_there` is 0 where the file says nothing. */
void elf_module__rule(struct elf_module *module, uint64_t file_offset, struct unwind_rule *rule);

#endif
