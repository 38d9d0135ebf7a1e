/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds a small ELF file in memory: one segment with code, one with data, one section with notes.
 *
 *	offset	address
 *	0x000			ELF header, two program headers
 *	0x200	0x400200	code (r-x): eight probe functions of 32 bytes
 *	0x300	0x600300	data (rw-): the semaphore
 *	0x380			.stapsdt.base (address 0x400380)
 *	0x400			notes, section names, section headers
 */
#ifndef TESTS_ELF_IMAGE_H
#define TESTS_ELF_IMAGE_H

#include <elf.h>
#include <stdint.h>
#include <string.h>

enum {
	IMAGE_CODE_AT = 0x200,
	IMAGE_CODE_BYTES = 0x100,
	IMAGE_DATA_AT = 0x300,
	IMAGE_DATA_BYTES = 0x40,
	IMAGE_BASE_AT = 0x380,
	IMAGE_NOTES_AT = 0x400,
	IMAGE_CODE = 0x400200, /* addresses */
	IMAGE_DATA = 0x600300,
	IMAGE_BASE = 0x400380,
};

struct elf_image {
	_Alignas(16) uint8_t bytes[65536];
	size_t notes_end;
	size_t size_bytes;   /* set by elf_image__close */
	Elf64_Shdr *headers; /* set by elf_image__close: null, notes, .stapsdt.base, .shstrtab */
};

struct stap_desc {
	uint64_t site, base, semaphore;
	const char *provider, *name, *arguments;
};

#if defined(__x86_64__)
static const char elf_image_argument[] = "8@%rdi";
enum { IMAGE_MACHINE = EM_X86_64, IMAGE_OTHER_MACHINE = EM_AARCH64 };
#else
static const char elf_image_argument[] = "8@x0";
enum { IMAGE_MACHINE = EM_AARCH64, IMAGE_OTHER_MACHINE = EM_X86_64 };
#endif

static inline void elf_image__put_sites(uint8_t *at)
{
#if defined(__x86_64__)
	static const uint8_t bytes[] = {0x90, 0x0f, 0x1f, 0x44, 0, 0, 0x66, 0x2e, 0x0f,
					0x1f, 0x84, 0,    0,    0, 0, 0,    0xc3};
#else
	static const uint8_t bytes[] = {0x1f, 0x20, 0x03, 0xd5, 0xc0, 0x03, 0x5f, 0xd6};
#endif

	memcpy(at, bytes, sizeof(bytes));
}

static inline void elf_image__open(struct elf_image *image)
{
	memset(image, 0, sizeof(*image));
	for (int i = 0; i < 8; i++)
		elf_image__put_sites(&image->bytes[IMAGE_CODE_AT + 32 * i]);
	image->notes_end = IMAGE_NOTES_AT;
}

static inline void elf_image__append(struct elf_image *image, const void *bytes, size_t count)
{
	memcpy(image->bytes + image->notes_end, bytes, count);
	image->notes_end += (count + 3) / 4 * 4;
}

/* Adds a note whose header claims sizes that differ from the real ones. */
static inline void elf_image__note_claiming(struct elf_image *image, uint32_t name_bytes,
					    uint32_t desc_bytes, uint32_t type, const char *owner,
					    const void *desc, size_t bytes)
{
	const Elf64_Nhdr header = {name_bytes, desc_bytes, type};

	elf_image__append(image, &header, sizeof(header));
	elf_image__append(image, owner, strlen(owner) + 1);
	elf_image__append(image, desc, bytes);
}

static inline void elf_image__note(struct elf_image *image, const char *owner, uint32_t type,
				   const void *desc, size_t bytes)
{
	elf_image__note_claiming(image, (uint32_t)strlen(owner) + 1, (uint32_t)bytes, type, owner,
				 desc, bytes);
}

/* Writes the description of a SystemTap note into `room` (256 bytes); returns its length. */
static inline size_t elf_image__desc(const struct stap_desc *stap, char *room)
{
	const char *const texts[] = {stap->provider, stap->name, stap->arguments};
	char *at = room + 24;

	memcpy(room, stap, 24);
	for (int i = 0; i < 3; i++) {
		strcpy(at, texts[i]);
		at += strlen(texts[i]) + 1;
	}
	return (size_t)(at - room);
}

static inline void elf_image__stap(struct elf_image *image, const struct stap_desc *stap)
{
	char room[256];

	elf_image__note(image, "stapsdt", 3, room, elf_image__desc(stap, room));
}

/* The description that usdt/steptrace.h makes for function number `n` with the name `name`. */
static inline struct stap_desc elf_image__probe(int n, const char *name)
{
	return (struct stap_desc){
		.site = IMAGE_CODE + 32u * (unsigned int)n,
		.base = IMAGE_BASE,
		.semaphore = IMAGE_DATA,
		.provider = "steptrace",
		.name = name,
		.arguments = elf_image_argument,
	};
}

static inline void elf_image__put_headers(struct elf_image *image, size_t sections_at)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)image->bytes;
	Elf64_Phdr *segments = (Elf64_Phdr *)(void *)(image->bytes + sizeof(*header));

	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_ident[EI_VERSION] = EV_CURRENT;
	header->e_type = ET_EXEC;
	header->e_machine = IMAGE_MACHINE;
	header->e_version = EV_CURRENT;
	header->e_phoff = sizeof(*header);
	header->e_shoff = sections_at;
	header->e_ehsize = sizeof(*header);
	header->e_phentsize = sizeof(Elf64_Phdr);
	header->e_phnum = 2;
	header->e_shentsize = sizeof(Elf64_Shdr);
	header->e_shnum = 4;
	header->e_shstrndx = 3;
	segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				   .p_flags = PF_R | PF_X,
				   .p_offset = IMAGE_CODE_AT,
				   .p_vaddr = IMAGE_CODE,
				   .p_filesz = IMAGE_CODE_BYTES,
				   .p_memsz = IMAGE_CODE_BYTES};
	segments[1] = (Elf64_Phdr){.p_type = PT_LOAD,
				   .p_flags = PF_R | PF_W,
				   .p_offset = IMAGE_DATA_AT,
				   .p_vaddr = IMAGE_DATA,
				   .p_filesz = IMAGE_DATA_BYTES,
				   .p_memsz = IMAGE_DATA_BYTES * 2};
}

static inline void elf_image__close(struct elf_image *image)
{
	static const char names[] = "\0.note.stapsdt\0.stapsdt.base\0.shstrtab";
	size_t names_at = image->notes_end;
	size_t sections_at = (names_at + sizeof(names) + 15) / 16 * 16;
	Elf64_Shdr *sections = (Elf64_Shdr *)(void *)(image->bytes + sections_at);

	memcpy(image->bytes + names_at, names, sizeof(names));
	sections[1] = (Elf64_Shdr){.sh_name = 1,
				   .sh_type = SHT_NOTE,
				   .sh_offset = IMAGE_NOTES_AT,
				   .sh_size = image->notes_end - IMAGE_NOTES_AT,
				   .sh_addralign = 4};
	sections[2] = (Elf64_Shdr){.sh_name = 15,
				   .sh_type = SHT_PROGBITS,
				   .sh_addr = IMAGE_BASE,
				   .sh_offset = IMAGE_BASE_AT,
				   .sh_size = 1,
				   .sh_addralign = 1};
	sections[3] = (Elf64_Shdr){.sh_name = 29,
				   .sh_type = SHT_STRTAB,
				   .sh_offset = names_at,
				   .sh_size = sizeof(names),
				   .sh_addralign = 1};
	image->headers = sections;
	image->size_bytes = sections_at + 4 * sizeof(*sections);
	elf_image__put_headers(image, sections_at);
}

#endif
