// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/output/otlp_address.h"
#include "steptrace/output/otlp_headers.h"

static void check(const char *where, bool is_tls, const char *peer, const char *base)
{
	struct otlp_address address;
	struct error err = {""};

	assert_int_equal(otlp_address__parse(where, &address, &err), 0);
	assert_int_equal(address.is_tls, is_tls);
	assert_string_equal(address.peer, peer);
	assert_string_equal(address.base, base);
}

static void addresses(void **state)
{
	(void)state;
	check("otlp:http://collector:4318", false, "otlp:collector:4318", "http://collector:4318");
	check("otlp:https://collector:4318/", true, "otlp:collector:4318",
	      "https://collector:4318");
	check("otlp:https://collector/a/b//", true, "otlp:collector:443", "https://collector/a/b");
	check("otlp:http://10.1.2.3", false, "otlp:10.1.2.3:80", "http://10.1.2.3");
	check("otlp:http://[::1]:4318/x", false, "otlp:[::1]:4318", "http://[::1]:4318/x");
	check("otlp:http://[::1]", false, "otlp:[::1]:80", "http://[::1]");
}

static void wrong_addresses(void **state)
{
	static const char *const texts[] = {
		"otlp:",
		"otlp:collector:4318",
		"otlp:ftp://collector:4318",
		"otlp:http://",
		"otlp:http:///v1",
		"otlp:http://:4318",
		"otlp:http://collector:",
		"otlp:http://collector:otlp",
		"otlp:http://collector:65536",
		"otlp:http://collector:4318?token=secret",
		"otlp:http://collector:4318#x",
		"otlp:http://collector:4318/a b",
		"otlp:http://collector:4318/\r\nX: y",
		"otlp:http://collector\\@x:4318",
		"otlp:http://user:secret@collector:4318",
		"otlp:user:secret@collector:4318",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct otlp_address address;
		struct error err = {""};

		assert_int_equal(otlp_address__parse(texts[i], &address, &err), -EINVAL);
		assert_true(err.text[0]);
		if (strchr(texts[i], '@'))
			assert_null(strstr(err.text, "secret"));
	}
}

/* ---- headers */

static int read_text(const char *text, mode_t mode, struct otlp_headers *headers, struct error *err)
{
	char path[] = "/tmp/steptrace-headers-XXXXXX";
	int fd = mkstemp(path), code;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	*headers = (struct otlp_headers){.count = 0};
	code = otlp_headers__read(path, headers, err);
	unlink(path);
	return code;
}

static void headers_are_read(void **state)
{
	struct otlp_headers headers;
	struct error err;

	(void)state;
	assert_int_equal(read_text("# a token\n\nAuthorization: Bearer s3cret\r\nX-Scope-OrgID: 7",
				   0640, &headers, &err),
			 0);
	assert_int_equal(headers.count, 2);
	assert_string_equal(headers.lines[0], "Authorization: Bearer s3cret");
	assert_string_equal(headers.lines[1], "X-Scope-OrgID: 7");
}

/* The messages name the line, and never what it contains. */
static void wrong_headers(void **state)
{
	static const char *const texts[] = {
		"s3cret",
		"Authorization s3cret: x",
		": s3cret",
		"Authorization:",
		"Authorization:   ",
		"A: s3cret\x01",
		"A: s3cret\rB: x",
		"Host: s3cret",
		"content-length: 7",
		"Content-Encoding: s3cret",
		"# only a comment\n",
		"",
	};
	struct otlp_headers headers;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(read_text(texts[i], 0600, &headers, &err), -EINVAL);
		assert_null(strstr(err.text, "s3cret"));
	}
	assert_int_equal(read_text("A: b", 0644, &headers, &err), -EPERM);
	assert_int_equal(otlp_headers__read("/tmp/steptrace-is-not-there", &headers, &err),
			 -ENOENT);
	assert_int_equal(otlp_headers__read("/dev/null", &headers, &err), -EINVAL);
}

static void the_number_of_headers_is_limited(void **state)
{
	char text[16 * (OTLP_HEADERS_MAX + 1)] = "";
	struct otlp_headers headers;
	struct error err;

	(void)state;
	for (int i = 0; i < OTLP_HEADERS_MAX; i++)
		strcat(text, "A: b\n");
	assert_int_equal(read_text(text, 0600, &headers, &err), 0);
	strcat(text, "A: b\n");
	assert_int_equal(read_text(text, 0600, &headers, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(wrong_addresses),
		cmocka_unit_test(headers_are_read),
		cmocka_unit_test(wrong_headers),
		cmocka_unit_test(the_number_of_headers_is_limited),
	};

	return cmocka_run_group_tests_name("otlp address", tests, NULL, NULL);
}
