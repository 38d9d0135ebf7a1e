// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/elf_limits.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#else
enum { OUR_MACHINE = EM_AARCH64 };
#endif

static bool read_at(const struct elf_source *source, void *to, size_t count, uint64_t at)
{
	if (source->fd >= 0)
		return at <= INT64_MAX && pread(source->fd, to, count, (off_t)at) == (ssize_t)count;
	if (at > source->size_bytes || source->size_bytes - at < count)
		return false;
	memcpy(to, (const char *)source->bytes + at, count);
	return true;
}

/* Zeros where there is no such header: then libelf has none, either. */
static Elf64_Shdr first_section(const struct elf_source *source, const Elf64_Ehdr *header)
{
	Elf64_Shdr section;

	if (header->e_shoff && read_at(source, &section, sizeof(section), header->e_shoff))
		return section;
	return (Elf64_Shdr){0};
}

/* A number that does not fit into the header is in the first section. */
static int check_numbers(const Elf64_Ehdr *header, const Elf64_Shdr *first, struct error *err)
{
	uint64_t sections = header->e_shnum ? header->e_shnum : first->sh_size;
	uint64_t segments = header->e_phnum == PN_XNUM ? first->sh_info : header->e_phnum;

	if (sections > ELF_SECTIONS_MAX)
		return error__set(err, -EBADMSG, "more than %d sections", ELF_SECTIONS_MAX);
	if (segments > ELF_SEGMENTS_MAX)
		return error__set(err, -EBADMSG, "more than %d segments", ELF_SEGMENTS_MAX);
	return 0;
}

int elf_limits__check(const struct elf_source *source, struct error *err)
{
	Elf64_Shdr first;
	Elf64_Ehdr header;

	if (!read_at(source, &header, sizeof(header), 0) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return error__set(err, -ENOEXEC, "not an ELF file");
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != OUR_MACHINE ||
	    header.e_ident[EI_DATA] != ELFDATA2LSB)
		return error__set(err, -ENOEXEC, "an ELF file for another machine");
	first = first_section(source, &header);
	return check_numbers(&header, &first, err);
}
