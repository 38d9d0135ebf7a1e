// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/json_out.h"

#include <errno.h>

enum { WRITTEN_BYTES = 1 << 16 };

void json_out__init(struct json_out *out, FILE *file)
{
	*out = (struct json_out){.file = file};
}

/* '<' is in strings only: JSON itself has none. */
static void write_buffer(struct json_out *out)
{
	const char *at = out->json.base, *end = out->json.at;

	while (at < end) {
		const char *less = memchr(at, '<', (size_t)(end - at));
		size_t bytes = (size_t)((less ? less : end) - at);

		fwrite(at, 1, bytes, out->file);
		if (less)
			fputs("\\u003c", out->file);
		at += bytes + (less != NULL);
	}
	out->json.at = out->json.base;
}

struct json *json_out__room(struct json_out *out, size_t bytes)
{
	if (json__length(&out->json) >= WRITTEN_BYTES)
		write_buffer(out);
	if (!out->has_failed && json__reserve(&out->json, bytes))
		out->has_failed = true;
	return out->has_failed ? NULL : &out->json;
}

void json_out__word(struct json_out *out, const char *word)
{
	struct json *json = json_out__room(out, strlen(word));

	if (json)
		json__word(json, word);
}

void json_out__number(struct json_out *out, const char *before, uint64_t number)
{
	struct json *json = json_out__room(out, strlen(before) + JSON_U64_BYTES);

	if (json) {
		json__word(json, before);
		json__u64(json, number);
	}
}

void json_out__text(struct json_out *out, const char *before, const char *text)
{
	size_t bytes = strlen(text);
	struct json *json = json_out__room(out, strlen(before) + JSON_TEXT_BYTES(bytes));

	if (json) {
		json__word(json, before);
		json__text(json, text, bytes);
	}
}

int json_out__end(struct json_out *out)
{
	write_buffer(out);
	json__free(&out->json);
	return out->has_failed ? -ENOMEM : 0;
}
