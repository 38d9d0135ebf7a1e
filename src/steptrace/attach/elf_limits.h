/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which ELF files are given to libelf.
 *
 * Any user can make a file and execute it. For as many sections and segments as the headers claim,
 * libelf takes memory and time: a sparse file of 8 KiB on the disk can claim any
 * number. So the numbers are compared with limits first. They are far above those of programs and
 * libraries; the kernel itself executes no program with more than 64 KiB of program headers.
 */
#ifndef STEPTRACE_ELF_LIMITS_H
#define STEPTRACE_ELF_LIMITS_H

#include <stddef.h>

#include "common/error.h"

/* Each note looks at all segments. */
enum { ELF_SECTIONS_MAX = 65536, ELF_SEGMENTS_MAX = 128 };

/* An ELF file: a descriptor, or (`fd` -1) bytes in memory. */
struct elf_source {
	int fd;
	const void *bytes;
	size_t size_bytes;
};

/* 0, or with a sentence -ENOEXEC: not an ELF file for this machine; -EBADMSG: above a limit. */
int elf_limits__check(const struct elf_source *source, struct error *err);

#endif
