// SPDX-License-Identifier: BSD-2-Clause
#include "runner/value/foreign_text.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "common/utf8.h"
#include "runner/value/integer.h"

int foreign_text__check(const char *text, size_t bytes, const char *what, struct error *err)
{
	const uint8_t *start = (const uint8_t *)text, *end = start + bytes;

	for (const uint8_t *at = start; at < end;) {
		int size = *at < 0x80 ? 1 : utf8__sequence_bytes(at, end);

		if (size == 0)
			return error__set(err, -EINVAL, "%s is not valid UTF-8 (byte %zu)", what,
					  (size_t)(at - start) + 1);
		if (*at == 0)
			return error__set(err, -EINVAL, "%s contains a NUL character (byte %zu)",
					  what, (size_t)(at - start) + 1);
		at += size;
	}
	return 0;
}

bool foreign_text__is_valid(const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + bytes;

	while (at < end) {
		int size = 1;

		if (*at == 0 || *at >= 0x80)
			size = *at ? utf8__sequence_bytes(at, end) : 0;
		if (!size)
			return false;
		at += size;
	}
	return true;
}

static char *copy_of(const char *text, size_t bytes)
{
	char *copy = malloc(bytes + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, bytes);
	copy[bytes] = 0;
	return copy;
}

char *foreign_text__repaired(const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + bytes;
	struct strbuf out;

	if (foreign_text__is_valid(text, bytes))
		return copy_of(text, bytes);
	strbuf__init(&out, SIZE_MAX);
	while (at < end) {
		int size = *at > 0 && *at < 0x80 ? 1 : utf8__sequence_bytes(at, end);

		if (*at && size)
			strbuf__bytes(&out, (const char *)at, (size_t)size);
		else
			strbuf__text(&out, "\xef\xbf\xbd");
		at += *at && size ? size : 1;
	}
	return strbuf__take(&out);
}

/* Each backslash in JSON is the first character of an escape. */
static bool has_escaped_nul(const char *text, const char *end)
{
	while ((text = memchr(text, '\\', (size_t)(end - text)))) {
		if (end - text >= 6 && memcmp(text, "\\u0000", 6) == 0)
			return true;
		if (end - text <= 2)
			return false;
		text += 2;
	}
	return false;
}

cJSON *foreign_json__first(const char *text, const char **end)
{
	cJSON *value;

	*end = text;
	value = cJSON_ParseWithOpts(text, end, 0);
	if (value && (has_escaped_nul(text, *end) || integer__make_exact(value, text, *end))) {
		cJSON_Delete(value);
		return NULL;
	}
	return value;
}

cJSON *foreign_json__whole(const char *text)
{
	const char *end;
	cJSON *value = foreign_json__first(text, &end);

	if (!value || !end[strspn(end, " \t\r\n")])
		return value;
	cJSON_Delete(value);
	return NULL;
}

int foreign_json__parse(const char *text, size_t bytes, const char *what, cJSON **value,
			struct error *err)
{
	const char *end = text;
	int code = foreign_text__check(text, bytes, what, err);

	*value = code ? NULL : cJSON_ParseWithLengthOpts(text, bytes, &end, 0);
	if (code)
		return code;
	while (*value && end < text + bytes && strchr(" \t\r\n", *end))
		end++;
	if (!*value || end < text + bytes)
		code = error__set(err, -EINVAL, "%s is not JSON (byte %zu)", what,
				  (size_t)(end - text) + 1);
	else if (has_escaped_nul(text, end))
		code = error__set(err, -EINVAL, "%s contains a NUL character (\\u0000)", what);
	else if ((code = integer__make_exact(*value, text, end)) == -ERANGE)
		code = error__set(err, -EINVAL,
				  "%s contains a number that is too large: a whole number has at "
				  "most 64 bits",
				  what);
	else if (code)
		error__set(err, code, "out of memory");
	if (!code)
		return 0;
	cJSON_Delete(*value);
	*value = NULL;
	return code;
}
