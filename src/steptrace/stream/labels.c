// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/labels.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

static const char key_characters[] = "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789-_./";

static size_t key_bytes(const char *text)
{
	return strcspn(text, "=");
}

static bool has_key(const struct labels *labels, const char *text)
{
	size_t bytes = key_bytes(text);

	for (size_t i = 0; i < labels->count; i++)
		if (key_bytes(labels->texts[i]) == bytes &&
		    memcmp(labels->texts[i], text, bytes) == 0)
			return true;
	return false;
}

static bool is_utf8(const char *text)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);

	while (at < end) {
		int bytes = *at < 0x80 ? 1 : utf8__sequence_bytes(at, end);

		if (bytes == 0)
			return false;
		at += bytes;
	}
	return true;
}

int labels__add(struct labels *labels, const char *text, struct error *err)
{
	size_t bytes = key_bytes(text);

	if (!text[bytes] || bytes == 0 || bytes > LABEL_KEY_BYTES ||
	    strspn(text, key_characters) != bytes)
		return error__set(err, -EINVAL,
				  "--label cannot be '%s': give KEY=VALUE (for example: env=prod); "
				  "a key has up to %d letters, digits and - _ . /",
				  text, LABEL_KEY_BYTES);
	if (strlen(text + bytes + 1) > LABEL_VALUE_BYTES || !is_utf8(text + bytes + 1))
		return error__set(
			err, -EINVAL,
			"the value of --label '%s' must be UTF-8 text of at most %d bytes", text,
			LABEL_VALUE_BYTES);
	if (has_key(labels, text))
		return error__set(err, -EINVAL, "the label '%.*s' is given twice", (int)bytes,
				  text);
	if (labels->count == LABELS_MAX)
		return error__set(err, -EINVAL, "--label can be given up to %d times", LABELS_MAX);
	labels->texts[labels->count++] = text;
	return 0;
}

enum { LABEL_BYTES = LABEL_KEY_BYTES + JSON_TEXT_BYTES(LABEL_VALUE_BYTES) + 8 };

int labels__put(const struct labels *labels, struct json *json)
{
	if (labels->count == 0)
		return 0;
	if (json__reserve(json, 32 + labels->count * LABEL_BYTES))
		return -ENOMEM;
	json__raw(json, ",\"labels\":{");
	for (size_t i = 0; i < labels->count; i++) {
		const char *text = labels->texts[i];
		size_t bytes = key_bytes(text);

		if (i > 0)
			json__raw(json, ",");
		json__raw(json, "\"");
		json__bytes(json, text, bytes);
		json__raw(json, "\":");
		json__text(json, text + bytes + 1, strlen(text + bytes + 1));
	}
	json__raw(json, "}");
	return 0;
}

int labels__put_everywhere(const struct labels *labels, struct json *json)
{
	int code = 0;

	if (!labels->is_everywhere)
		return 0;
	json->at -= strlen("}\n");
	code = labels__put(labels, json);
	json__raw(json, "}\n");
	return code;
}
