/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raises and lowers the probes' semaphore from within a test, as the kernel does when a tracer
 * attaches and detaches.
 *
 * The kernel counts attached tracers in the same memory. A tracer of the whole machine
 * (steptrace record -a) that attaches to a test program would make a test wrong, and a test that
 * writes the semaphore would make the kernel's count wrong ("ref_ctr going negative" in its log).
 * So the Makefile removes the section .note.stapsdt from every program whose source includes this
 * header. Tracers find probes by these notes: without one, no tracer attaches, and the semaphore
 * belongs to the test.
 * semaphore__is_own() proves that the notes are gone.
 */
#ifndef TESTS_OWN_SEMAPHORE_H
#define TESTS_OWN_SEMAPHORE_H

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <steptrace.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the ELF file has a section of notes for tracers. Offsets are trusted: the linker made
 * this file a moment ago. */
static inline int semaphore__has_notes(const unsigned char *file)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)file;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(file + header->e_shoff);
	const char *names = (const char *)file + sections[header->e_shstrndx].sh_offset;

	for (int i = 0; i < header->e_shnum; i++)
		if (strcmp(names + sections[i].sh_name, ".note.stapsdt") == 0)
			return 1;
	return 0;
}

/* 1 when no tracer can find probes in this program; 0 when it can, or the file cannot be read. */
static inline int semaphore__is_own(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), is_own = 0;
	struct stat status;
	void *file;

	if (fd < 0 || fstat(fd, &status))
		return 0;
	file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (file == MAP_FAILED)
		return 0;
	is_own = !semaphore__has_notes(file);
	munmap(file, (size_t)status.st_size);
	return is_own;
}

static inline void semaphore__set(unsigned short count)
{
	steptrace_semaphore = count;
}

static inline void semaphore__raise(void)
{
	steptrace_semaphore++;
}

static inline void semaphore__lower(void)
{
	steptrace_semaphore--;
}

/* A group setup for cmocka_run_group_tests(): no test runs when a tracer could attach. */
static inline int semaphore__require_own(void **state)
{
	(void)state;
	if (semaphore__is_own())
		return 0;
	fprintf(stderr, "this program has a section .note.stapsdt: tracers may attach to it\n");
	return -1;
}

#endif
