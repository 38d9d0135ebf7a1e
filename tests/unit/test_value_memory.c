// SPDX-License-Identifier: BSD-2-Clause
/* Which freed blocks a thread keeps and uses again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/value_memory.h"

enum { LARGEST = 264 };

static void *new_filled(size_t bytes)
{
	void *block = value_memory__new(bytes);

	assert_non_null(block);
	memset(block, 0xaa, bytes);
	return block;
}

/* AddressSanitizer finds a block that is smaller than asked for. */
static void test_a_block_is_used_again_where_it_is_large_enough(void **state)
{
	(void)state;
	for (size_t bytes = 9; bytes <= LARGEST; bytes++) {
		void *block = new_filled(bytes), *larger;

		value_memory__free(block);
		assert_ptr_equal(new_filled(bytes), block);
		value_memory__free(block);
		larger = new_filled(bytes + 16);
		assert_ptr_not_equal(larger, block);
		value_memory__free(larger);
	}
}

static void test_a_large_block_is_not_kept(void **state)
{
	void *kept;

	(void)state;
	value_memory__free(new_filled(LARGEST));
	kept = new_filled(LARGEST);
	value_memory__free(new_filled(LARGEST + 1));
	value_memory__free(kept);
	assert_ptr_equal(new_filled(LARGEST), kept);
	free(kept);
}

/* The last block that was kept comes first. */
static void test_a_thread_keeps_only_so_many_blocks_of_a_size(void **state)
{
	void *blocks[VALUE_MEMORY_KEPT + 1];

	(void)state;
	for (size_t i = 0; i <= VALUE_MEMORY_KEPT; i++)
		blocks[i] = new_filled(200);
	for (size_t i = 0; i <= VALUE_MEMORY_KEPT; i++)
		value_memory__free(blocks[i]);
	for (size_t i = VALUE_MEMORY_KEPT; i > 0; i--)
		assert_ptr_equal(value_memory__new(200), blocks[i - 1]);
	for (size_t i = 0; i < VALUE_MEMORY_KEPT; i++)
		value_memory__free(blocks[i]);
}

static void test_malloc_and_free_make_and_end_such_blocks(void **state)
{
	char *text = strdup("a text that becomes part of a tree");

	(void)state;
	value_memory__free(text);
	free(value_memory__new(strlen(text) + 1));
	value_memory__free(NULL);
}

static void *use_and_end(void *taken)
{
	void **block = taken;

	*block = new_filled(100);
	value_memory__free(new_filled(50));
	return NULL;
}

/* AddressSanitizer would report the block of 50 bytes as lost. */
static void test_the_end_of_a_thread_frees_its_blocks(void **state)
{
	pthread_t thread;
	void *block;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, use_and_end, &block), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	value_memory__free(block); /* by another thread than the one that made it */
	assert_ptr_equal(new_filled(100), block);
	value_memory__free(block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_block_is_used_again_where_it_is_large_enough),
		cmocka_unit_test(test_a_large_block_is_not_kept),
		cmocka_unit_test(test_a_thread_keeps_only_so_many_blocks_of_a_size),
		cmocka_unit_test(test_malloc_and_free_make_and_end_such_blocks),
		cmocka_unit_test(test_the_end_of_a_thread_frees_its_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
