/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refused_memory.h - for tests that ask for more memory than there is
 *
 * Included once in a program, before its tests. AddressSanitizer then answers such a request with
 * NULL, as malloc() does, instead of ending the program.
 */
#ifndef TESTS_REFUSED_MEMORY_H
#define TESTS_REFUSED_MEMORY_H

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

#endif
