// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "steptrace/stream/pseudonym.h"

static const char key[] = "0123456789abcdef";
static const unsigned int all = (1u << PSEUDONYM_FIELDS_COUNT) - 1;

static struct pseudonyms *with_key(unsigned int mask, const char *bytes)
{
	struct pseudonyms *pseudonyms;

	assert_int_equal(pseudonyms__new(mask, bytes, strlen(bytes), &pseudonyms, NULL), 0);
	return pseudonyms;
}

static void expect(const struct pseudonyms *pseudonyms, enum pseudonym_field field,
		   const char *text, const char *pseudonym)
{
	char room[64] = "";

	strncpy(room, text, sizeof(room) - 1);
	pseudonyms__replace(pseudonyms, field, room, sizeof(room));
	assert_string_equal(room, pseudonym);
}

static void names_of_fields(void **state)
{
	unsigned int mask = 0;
	struct error err;

	(void)state;
	assert_int_equal(pseudonym__parse("comm,user_id", &mask, &err), 0);
	assert_int_equal(mask, 1u << PSEUDONYM_COMM | 1u << PSEUDONYM_USER_ID);
	assert_int_equal(pseudonym__parse("user", &mask, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'user'"));
	assert_int_equal(pseudonym__parse("user_id,", &mask, &err), -EINVAL);
	assert_int_equal(pseudonym__parse("", &mask, &err), -EINVAL);
}

/* Users compare recordings of different days by pseudonyms, so these values must not change. They
 * were computed with hashlib.blake2b of Python. */
static void same_text_and_key(void **state)
{
	struct pseudonyms *pseudonyms = with_key(all, key), *other = with_key(all, "another key");

	(void)state;
	expect(pseudonyms, PSEUDONYM_USER_ID, "alice", "p:a44ffb1fbfd4e9733a67b09e380e9874");
	expect(pseudonyms, PSEUDONYM_CORRELATION_ID, "alice", "p:f1a856f8ac76f0bcf19893cfaecab88a");
	expect(other, PSEUDONYM_USER_ID, "alice", "p:df77482485dc3bdeaafe02a13cfdaaeb");
	pseudonyms__free(pseudonyms);
	pseudonyms__free(other);
}

static void random_keys_differ(void **state)
{
	struct pseudonyms *first, *second;
	char a[64] = "alice", b[64] = "alice";

	(void)state;
	assert_int_equal(pseudonyms__new(all, NULL, 0, &first, NULL), 0);
	assert_int_equal(pseudonyms__new(all, NULL, 0, &second, NULL), 0);
	pseudonyms__replace(first, PSEUDONYM_USER_ID, a, sizeof(a));
	pseudonyms__replace(second, PSEUDONYM_USER_ID, b, sizeof(b));
	assert_string_not_equal(a, b);
	pseudonyms__free(first);
	pseudonyms__free(second);
}

static void what_stays(void **state)
{
	struct pseudonyms *pseudonyms = with_key(1u << PSEUDONYM_USER_ID, key);

	(void)state;
	expect(pseudonyms, PSEUDONYM_USER_ID, "", "");
	expect(pseudonyms, PSEUDONYM_HOST, "alpha", "alpha");
	expect(NULL, PSEUDONYM_USER_ID, "alice", "alice");
	assert_int_equal(pseudonyms__mask(pseudonyms), 1u << PSEUDONYM_USER_ID);
	assert_int_equal(pseudonyms__mask(NULL), 0);
	pseudonyms__free(pseudonyms);
}

static void short_field(void **state)
{
	struct pseudonyms *pseudonyms = with_key(all, key);
	char comm[16] = "fifteen letters";

	(void)state;
	comm[15] = 'x'; /* no room for a NUL */
	pseudonyms__replace(pseudonyms, PSEUDONYM_COMM, comm, sizeof(comm));
	assert_int_equal(comm[15], 0);
	assert_int_equal(strlen(comm), 15);
	assert_memory_equal(comm, "p:", 2);
	pseudonyms__free(pseudonyms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_fields),    cmocka_unit_test(same_text_and_key),
		cmocka_unit_test(random_keys_differ), cmocka_unit_test(what_stays),
		cmocka_unit_test(short_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
