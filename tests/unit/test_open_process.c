// SPDX-License-Identifier: BSD-2-Clause
/* Searches of a whole process, and of what is known of it. The process is this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "own_semaphore.h"
#include "steptrace/inflight/open_process.h"

enum { PAGES = 64 };

static char *memory; /* PAGES pages */
static size_t page_bytes;
static struct tag_pages pages;

static char *page(int index)
{
	return memory + (size_t)index * page_bytes;
}

/* A command begins in the page. Its struct is known to be open by its slug. */
static struct steptrace_command *begin(int index, const char *slug)
{
	struct steptrace_command *command = (struct steptrace_command *)page(index);

	steptrace_command_init(command, slug);
	steptrace_command_begin(command);
	return command;
}

/* A search of this process; returns how many commands with this slug it finds. */
static int found(const char *slug, bool only_pages)
{
	const struct thread_list none = {0};
	const struct search_options options = {
		.limit_bytes = 4ull << 30,
		.list = &none,
		.pages = &pages,
		.only_pages = only_pages,
	};
	struct open_process process;
	struct error err;
	int count = 0;

	if (open_process__read(&process, getpid(), &options, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < process.spans.commands_count; i++)
		count += strcmp(process.spans.commands[i].slug, slug) == 0;
	open_process__close(&process);
	tag_pages__settle(&pages);
	return count;
}

static int set_up(void **state)
{
	(void)state;
	semaphore__set(0);
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, PAGES * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	return memory == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	tag_pages__free(&pages);
	return munmap(memory, PAGES * page_bytes);
}

static void a_known_page_is_enough(void **state)
{
	(void)state;
	begin(3, "one");
	assert_int_equal(found("one", true), 0);
	assert_int_equal(found("one", false), 1);
	assert_int_equal(found("one", true), 1);
	begin(40, "other");
	assert_int_equal(found("other", true), 0);
	assert_int_equal(found("other", false), 1);
	assert_int_equal(found("other", true), 1);
	assert_int_equal(found("one", true), 1);
}

static void another_one_in_the_same_place(void **state)
{
	struct steptrace_command *command = begin(3, "one");

	(void)state;
	assert_int_equal(found("one", false), 1);
	steptrace_command_end(command, STEPTRACE_SUCCESS);
	assert_int_equal(found("one", true), 0);
	begin(3, "other");
	assert_int_equal(found("other", true), 1);
}

static void the_memory_of_a_page_is_gone(void **state)
{
	(void)state;
	begin(3, "one");
	begin(5, "one");
	assert_int_equal(found("one", false), 2);
	assert_int_equal(munmap(page(3), page_bytes), 0);
	assert_int_equal(found("one", true), 1);
	assert_int_equal(mprotect(page(5), page_bytes, PROT_READ), 0);
	assert_int_equal(found("one", true), 0);
	assert_int_equal(mprotect(page(5), page_bytes, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(found("one", true), 1);
}

/* Adjacent pages, each with an area of its own. */
static void a_run_over_several_areas(void **state)
{
	(void)state;
	for (int i = 10; i < 14; i++)
		begin(i, "one");
	assert_int_equal(found("one", false), 4);
	assert_int_equal(mprotect(page(11), page_bytes, PROT_READ), 0);
	assert_int_equal(munmap(page(12), page_bytes), 0);
	assert_int_equal(found("one", true), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_known_page_is_enough, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_one_in_the_same_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_memory_of_a_page_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_run_over_several_areas, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
