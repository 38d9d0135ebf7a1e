// SPDX-License-Identifier: BSD-2-Clause
/* Files with probes: whether another content of the file is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "elf_image.h"
#include "steptrace/attach/binary.h"

static char path[] = "/tmp/steptrace-binary-XXXXXX";
static struct elf_image image;
static struct error err;

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

/* What a test changes in the file. */
struct content {
	const char *build_id;
	const char *probes[3];
	uint64_t site_moved, semaphore_moved;
	int code_byte; /* of the first probe's function, which is changed; -1: none */
};

static const struct content ordinary = {
	.build_id = "one build", .probes = {"step__done", "command__done"}, .code_byte = -1};

static void write_file(const struct content *content)
{
	FILE *file = fopen(path, "r+");

	elf_image__open(&image);
	if (content->build_id)
		elf_image__note(&image, "GNU", 3, content->build_id, strlen(content->build_id));
	for (int i = 0; i < 3 && content->probes[i]; i++) {
		struct stap_desc stap = elf_image__probe(i, content->probes[i]);

		stap.site += content->site_moved;
		stap.semaphore += content->semaphore_moved;
		elf_image__stap(&image, &stap);
	}
	if (content->code_byte >= 0)
		image.bytes[IMAGE_CODE_AT + content->code_byte] = 0xcc;
	elf_image__close(&image);
	assert_non_null(file);
	assert_int_equal(fwrite(image.bytes, image.size_bytes, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(truncate(path, (off_t)image.size_bytes), 0);
}

static struct binary *open_file(void)
{
	struct binary *binary;

	if (binary__open(path, "test", &binary, &err))
		fail_msg("%s", err.text);
	return binary;
}

static const struct {
	const char *what;
	struct content content;
} changes[] = {
	{"another build id", {"two build", {"step__done", "command__done"}, 0, 0, -1}},
	{"its last byte", {"one builD", {"step__done", "command__done"}, 0, 0, -1}},
	{"a longer build id", {"one build more", {"step__done", "command__done"}, 0, 0, -1}},
	{"a shorter build id", {"one", {"step__done", "command__done"}, 0, 0, -1}},
	{"no build id", {NULL, {"step__done", "command__done"}, 0, 0, -1}},
	{"another probe", {"one build", {"step__done", "command__start"}, 0, 0, -1}},
	{"one more", {"one build", {"step__done", "command__done", "tool__done"}, 0, 0, -1}},
	{"one less", {"one build", {"step__done"}, 0, 0, -1}},
	{"none", {"one build", {NULL}, 0, 0, -1}},
	{"functions moved", {"one build", {"step__done", "command__done"}, 32, 0, -1}},
	{"semaphore moved", {"one build", {"step__done", "command__done"}, 0, 2, -1}},
#if defined(__x86_64__)
	{"a site gone", {"one build", {"step__done", "command__done"}, 0, 0, 1}},
#endif
};

static void another_content_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct binary *binary;

		write_file(&ordinary);
		binary = open_file();
		assert_false(binary__is_rewritten(binary));
		write_file(&changes[i].content);
		if (!binary__is_rewritten(binary))
			fail_msg("not noticed: %s", changes[i].what);
		binary__close(binary);
	}
}

/* The same content, or another byte that is neither a probe nor the build id. */
static void the_same_probes_are_the_same(void **state)
{
	struct content same = ordinary;
	struct binary *binary;

	(void)state;
	write_file(&ordinary);
	binary = open_file();
	write_file(&ordinary);
	assert_false(binary__is_rewritten(binary));
	same.code_byte = 7 * 32; /* a function that no note names */
	write_file(&same);
	assert_false(binary__is_rewritten(binary));
	binary__close(binary);
}

static void the_build_id_is_that_of_the_file(void **state)
{
	static const struct content content = {.build_id = "\x01\xab\xff", .code_byte = -1};
	char text[BUILD_ID_TEXT_BYTES];
	struct binary *binary;

	(void)state;
	write_file(&content);
	binary = open_file();
	binary__build_id(binary, text);
	assert_string_equal(text, "01abff");
	binary__close(binary);
}

static void a_deleted_file_has_no_name(void **state)
{
	struct binary *binary;

	write_file(&ordinary);
	binary = open_file();
	assert_false(binary__is_deleted(binary));
	unlink(path);
	assert_true(binary__is_deleted(binary));
	binary__close(binary);
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	make_file(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_content_is_noticed),
		cmocka_unit_test(the_same_probes_are_the_same),
		cmocka_unit_test(the_build_id_is_that_of_the_file),
		cmocka_unit_test(a_deleted_file_has_no_name),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
