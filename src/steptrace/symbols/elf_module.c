// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/elf_module.h"

#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/symbols/elf_rule.h"
#include "steptrace/symbols/function_table.h"

enum { SEGMENTS_MAX = 16 };

struct segment {
	uint64_t file_offset, bytes, address;
};

struct elf_module {
	Dwfl *dwfl;
	Dwfl_Module *module; /* of `dwfl` */
	int debug_fd;        /* -1: none, or libdwfl has taken it over */
	struct elf_identity identity;
	struct segment segments[SEGMENTS_MAX];
	size_t segments_count;
	struct function_table functions;
	bool has_functions;
	bool is_native; /* of this processor architecture: can be unwound */
};

/* ---- what libdwfl asks for */

static int find_no_elf(Dwfl_Module *module, void **context, const char *name, Dwarf_Addr base,
		       char **path, Elf **elf)
{
	(void)module, (void)context, (void)name, (void)base, (void)path, (void)elf;
	return -1;
}

static int find_debuginfo(Dwfl_Module *of, void **context, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *debuglink, GElf_Word crc, char **path)
{
	struct elf_module *module = *context;
	int fd = module->debug_fd;

	(void)of, (void)name, (void)base, (void)file_name, (void)debuglink, (void)crc, (void)path;
	module->debug_fd = -1;
	return fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_no_elf,
	.find_debuginfo = find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* ---- what the file says about itself */

static void read_build_id(Elf *elf, struct elf_identity *identity)
{
	const void *bits;
	ssize_t bytes = dwelf_elf_gnu_build_id(elf, &bits);

	if (bytes <= 0 || bytes > ELF_BUILD_ID_MAX)
		return;
	identity->build_id_bytes = (uint32_t)bytes;
	memcpy(identity->build_id, bits, (size_t)bytes);
}

static void read_debuglink(Elf *elf, struct elf_identity *identity)
{
	GElf_Word crc;
	const char *name = dwelf_elf_gnu_debuglink(elf, &crc);
	size_t bytes = name ? strlen(name) : 0;

	if (bytes == 0 || bytes >= ELF_DEBUGLINK_MAX || strchr(name, '/') || name[0] == '.')
		return;
	memcpy(identity->debuglink, name, bytes + 1);
	identity->debuglink_crc = crc;
}

static bool has_section(Elf *elf, GElf_Word type)
{
	GElf_Shdr header;
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == type)
			return true;
	return false;
}

static void read_segments(struct elf_module *module, Elf *elf)
{
	GElf_Phdr header;
	size_t count = 0;

	if (elf_getphdrnum(elf, &count))
		return;
	for (size_t i = 0; i < count && module->segments_count < SEGMENTS_MAX; i++)
		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    header.p_flags & PF_X)
			module->segments[module->segments_count++] =
				(struct segment){header.p_offset, header.p_filesz, header.p_vaddr};
}

static bool is_native(Elf *elf)
{
	GElf_Ehdr header;

	if (!gelf_getehdr(elf, &header) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
#ifdef __x86_64__
	return header.e_machine == EM_X86_64;
#else
	return header.e_machine == EM_AARCH64;
#endif
}

/* Neither an archive nor an object file that is not linked yet. */
static bool is_linked(int fd)
{
	unsigned char start[EI_NIDENT + 2];
	unsigned int type;

	if (pread(fd, start, sizeof(start), 0) != (ssize_t)sizeof(start) ||
	    memcmp(start, ELFMAG, SELFMAG) != 0)
		return false;
	type = start[EI_DATA] == ELFDATA2MSB ? start[EI_NIDENT] << 8 | start[EI_NIDENT + 1]
					     : start[EI_NIDENT] | start[EI_NIDENT + 1] << 8;
	return type == ET_EXEC || type == ET_DYN;
}

/* ---- opening */

/* libdwfl takes `fd` over when it succeeds. */
static int report(struct elf_module *module, int fd)
{
	void **context = NULL;
	GElf_Addr bias;
	Elf *elf;

	module->dwfl = dwfl_begin(&callbacks);
	if (!module->dwfl)
		return -ENOMEM;
	dwfl_report_begin(module->dwfl);
	module->module = dwfl_report_elf(module->dwfl, "module", "module", fd, 0, true);
	dwfl_report_end(module->dwfl, NULL, NULL);
	if (!module->module)
		return -ENOEXEC;
	dwfl_module_info(module->module, &context, NULL, NULL, NULL, NULL, NULL, NULL);
	*context = module;
	elf = dwfl_module_getelf(module->module, &bias);
	if (!elf)
		return 0;
	module->is_native = is_native(elf);
	read_segments(module, elf);
	read_build_id(elf, &module->identity);
	read_debuglink(elf, &module->identity);
	module->identity.has_symtab = has_section(elf, SHT_SYMTAB);
	return 0;
}

int elf_module__open(int fd, struct elf_module **out, struct elf_identity *identity)
{
	struct elf_module *module = is_linked(fd) ? calloc(1, sizeof(*module)) : NULL;
	int code = module ? 0 : -ENOEXEC;

	elf_version(EV_CURRENT);
	if (module) {
		module->debug_fd = -1;
		code = report(module, fd);
	}
	if (!module || !module->module)
		close(fd);
	if (!code && module->segments_count == 0)
		code = -ENOEXEC;
	if (code) {
		elf_module__close(module);
		return code;
	}
	*identity = module->identity;
	*out = module;
	return 0;
}

void elf_module__close(struct elf_module *module)
{
	if (!module)
		return;
	if (module->dwfl)
		dwfl_end(module->dwfl);
	if (module->debug_fd >= 0)
		close(module->debug_fd);
	function_table__free(&module->functions);
	free(module);
}

/* ---- a separate debug file */

/* CRC-32 of IEEE 802.3, which .gnu_debuglink has. */
static void fill_crc_table(uint32_t table[256])
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		table[byte] = byte;
		for (int bit = 0; bit < 8; bit++)
			table[byte] = table[byte] >> 1 ^ (table[byte] & 1 ? 0xedb88320u : 0);
	}
}

static uint32_t crc_of(int fd)
{
	uint8_t bytes[1 << 14];
	uint32_t table[256], crc = ~0u;
	off_t at = 0;
	ssize_t count;

	fill_crc_table(table);
	while ((count = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		for (ssize_t i = 0; i < count; i++)
			crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xff];
		at += count;
	}
	return ~crc;
}

static bool has_same_build_id(int fd, const struct elf_identity *wanted)
{
	struct elf_identity found = {0};
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);

	if (elf)
		read_build_id(elf, &found);
	elf_end(elf);
	return found.build_id_bytes == wanted->build_id_bytes &&
	       memcmp(found.build_id, wanted->build_id, found.build_id_bytes) == 0;
}

int elf_module__add_debug(struct elf_module *module, int fd)
{
	const struct elf_identity *identity = &module->identity;
	bool belongs = false;

	if (identity->build_id_bytes)
		belongs = has_same_build_id(fd, identity);
	else if (identity->debuglink[0])
		belongs = crc_of(fd) == identity->debuglink_crc;
	if (!belongs || module->debug_fd >= 0 || module->has_functions) {
		close(fd);
		return belongs ? -EEXIST : -ENOEXEC;
	}
	module->debug_fd = fd;
	return 0;
}

/* ---- functions */

static bool is_in_code(Elf *elf, GElf_Word index)
{
	GElf_Shdr header;

	return elf && gelf_getshdr(elf_getscn(elf, index), &header) &&
	       header.sh_flags & SHF_EXECINSTR;
}

/* Functions of assembly language often have no type. A '$' begins marks of the aarch64 assembler,
 * and a dot a local label. 0: it is no function. */
static uint32_t rank_of(const GElf_Sym *symbol, const char *name, Elf *elf, GElf_Word section)
{
	uint32_t rank;

	if (!name[0] || name[0] == '$' || name[0] == '.' || section == SHN_UNDEF)
		return 0;
	switch (GELF_ST_BIND(symbol->st_info)) {
	case STB_GLOBAL: rank = 3; break;
	case STB_WEAK: rank = 2; break;
	default: rank = 1;
	}
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC: return rank + 3;
	case STT_NOTYPE: return is_in_code(elf, section) ? rank : 0;
	default: return 0;
	}
}

static void add_function(struct elf_module *module, int index)
{
	struct function function;
	GElf_Word section = 0;
	GElf_Sym symbol;
	GElf_Addr address;
	Dwarf_Addr bias;
	Elf *elf = NULL;

	function.name = dwfl_module_getsym_info(module->module, index, &symbol, &address, &section,
						&elf, &bias);
	if (!function.name)
		return;
	function.rank = rank_of(&symbol, function.name, elf, section);
	if (!function.rank)
		return;
	function.start = address;
	function.end = address + symbol.st_size < address ? address : address + symbol.st_size;
	function_table__add(&module->functions, &function);
}

static void read_functions(struct elf_module *module)
{
	int count = dwfl_module_getsymtab(module->module);

	module->has_functions = true;
	for (int i = 1; i < count; i++)
		add_function(module, i);
	function_table__sort(&module->functions);
}

bool elf_module__address(const struct elf_module *module, uint64_t file_offset, uint64_t *address)
{
	for (size_t i = 0; i < module->segments_count; i++) {
		const struct segment *segment = &module->segments[i];

		if (file_offset < segment->file_offset ||
		    file_offset - segment->file_offset >= segment->bytes)
			continue;
		*address = segment->address + (file_offset - segment->file_offset);
		return true;
	}
	return false;
}

const char *elf_module__function(struct elf_module *module, uint64_t file_offset)
{
	const struct function *function;
	uint64_t address;

	if (!elf_module__address(module, file_offset, &address))
		return NULL;
	if (!module->has_functions)
		read_functions(module);
	function = function_table__find(&module->functions, address);
	return function ? function->name : NULL;
}

/* ---- rules */

void elf_module__rule(struct elf_module *module, uint64_t file_offset, struct unwind_rule *rule)
{
	Dwarf_CFI *table;
	uint64_t address;
	Dwarf_Addr bias;

	*rule = (struct unwind_rule){.is_there = 0};
	if (!module->is_native || !elf_module__address(module, file_offset, &address))
		return;
	table = dwfl_module_eh_cfi(module->module, &bias);
	if (table && elf_rule__read(table, address - bias, rule))
		return;
	table = dwfl_module_dwarf_cfi(module->module, &bias);
	if (table)
		elf_rule__read(table, address - bias, rule);
}
