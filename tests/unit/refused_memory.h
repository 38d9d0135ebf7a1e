/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refused_memory.h - for tests that allocate more memory than the machine has
 *
 * Include it once in a program. It makes AddressSanitizer return NULL for such an allocation, as
 * malloc() does, instead of ending the program.
 */
#ifndef TESTS_REFUSED_MEMORY_H
#define TESTS_REFUSED_MEMORY_H

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

#endif
