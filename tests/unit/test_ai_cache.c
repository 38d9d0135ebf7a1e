// SPDX-License-Identifier: BSD-2-Clause
/* The cache of model answers: which entries are found, replaced and deleted, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "runner/ai/ai_cache.h"
#include "runner/store/store_query.h"

static struct store *store;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	return store__open(":memory:", &store, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store__close(store);
	return 0;
}

static void keep(const char *key, int64_t now_s, int64_t ttl_s, char *text)
{
	const struct ai_answer given = {text, 5, 6};

	if (ai_cache__keep(store, key, now_s, ttl_s, &given, &err))
		fail_msg("%s: %s", key, err.text);
}

/* `text` is NULL where no answer may be found. */
static void expect(const char *key, int64_t now_s, const char *text)
{
	struct ai_answer found;
	int code = ai_cache__find(store, key, now_s, &found, &err);

	assert_int_equal(code, text ? 0 : -ENOENT);
	if (!text)
		return;
	assert_string_equal(found.text, text);
	assert_int_equal(found.prompt_tokens, 5);
	assert_int_equal(found.completion_tokens, 6);
	free(found.text);
}

static int64_t count_entries(void)
{
	struct store_query query;
	int64_t count = -1;

	store_query__init(&query, store__table(store, "ai_cache"));
	assert_int_equal(store__count(store, &query, &count, &err), 0);
	store_query__free(&query);
	return count;
}

static void answers_are_found_until_they_expire(void **state)
{
	(void)state;
	expect("key", 100, NULL);
	keep("key", 100, 10, "answer");
	expect("key", 100, "answer");
	expect("key", 109, "answer");
	expect("other", 109, NULL);
	expect("key", 110, NULL);
	keep("key", 200, 10, "answer");
	expect("key", 205, "answer");
}

/* While the old answer is still valid, and after it has expired. */
static void a_newer_answer_replaces_the_older_one(void **state)
{
	(void)state;
	keep("key", 100, 10, "first");
	keep("key", 105, 10, "second");
	expect("key", 106, "second");
	expect("key", 114, "second");
	assert_int_equal(count_entries(), 1);
	keep("key", 200, 10, "third");
	expect("key", 201, "third");
	assert_int_equal(count_entries(), 1);
}

/* Every new answer deletes those that have expired, and no others. */
static void expired_answers_are_deleted(void **state)
{
	(void)state;
	keep("short", 100, 10, "a");
	keep("shorter", 100, 5, "b");
	keep("long", 100, 1000, "c");
	keep("new", 109, 10, "d");
	assert_int_equal(count_entries(), 3);
	keep("newer", 110, 10, "e");
	assert_int_equal(count_entries(), 3);
	expect("long", 110, "c");
	expect("new", 110, "d");
	expect("newer", 110, "e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_are_found_until_they_expire, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_newer_answer_replaces_the_older_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(expired_answers_are_deleted, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
