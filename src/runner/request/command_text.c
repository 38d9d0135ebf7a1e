// SPDX-License-Identifier: BSD-2-Clause
#include "runner/request/command_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "runner/value/value.h"

static const char blanks[] = " \t\r\n";

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-";

const char *command_text__name(const char *text, char name[COMMAND_NAME_BYTES])
{
	size_t length;

	text += strspn(text, blanks);
	text += *text == '/';
	length = strcspn(text, blanks);
	name[0] = 0;
	if (length >= COMMAND_NAME_BYTES)
		return NULL;
	memcpy(name, text, length);
	name[length] = 0;
	text += length;
	return text + strspn(text, blanks);
}

/* ------------------------------------------------------------------ tokens */

/* The byte behind the closing quote; NULL: there is none. `text` begins with a quote. */
static const char *quote_end(const char *text)
{
	for (text++; *text && *text != '"'; text++)
		if (*text == '\\' && text[1])
			text++;
	return *text ? text + 1 : NULL;
}

/* Where the value of a pair begins; NULL: `text` does not begin with a pair. */
static const char *value_of(const char *text)
{
	size_t length = strspn(text, letters) ? strspn(text, name_bytes) : 0;
	const char *value = text + length + 1;

	if (!length || length >= COMMAND_KEY_BYTES || text[length] != ':')
		return NULL;
	if (!*value || strchr(blanks, *value) || strncmp(value, "//", 2) == 0)
		return NULL;
	return value;
}

/* The byte behind a token. A token that contains a quoted part at its start, or behind the colon,
 * ends with that part. An unclosed quote is a plain character. */
static const char *token_end(const char *text, const char *value)
{
	const char *quoted = value ? value : text;
	const char *end = *quoted == '"' ? quote_end(quoted) : NULL;

	if (end && (!*end || strchr(blanks, *end)))
		return end;
	return text + strcspn(text, blanks);
}

/* Without its quotes, and with its escapes resolved. */
static char *unquoted(const char *value, const char *end)
{
	char *text = strndup(value, (size_t)(end - value)), *to = text;

	if (!text || *value != '"' || quote_end(value) != end)
		return text;
	for (const char *at = value + 1; at < end - 1; at++) {
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\') && at + 1 < end - 1)
			at++;
		*to++ = *at;
	}
	*to = 0;
	return text;
}

/* ------------------------------------------------------------------ the arguments */

struct reader {
	cJSON *arguments;
	struct strbuf body;
	const char *gap; /* where the blanks before the current token begin */
	bool gap_is_cut; /* there was a pair in between */
	size_t key_count;
	struct error *err;
};

static int no_memory(const struct reader *reader)
{
	return error__set(reader->err, -ENOMEM, "out of memory");
}

/* Blanks between two pieces of text stay as they were typed. */
static int add_text(struct reader *reader, const char *begin, const char *text, size_t length)
{
	if (reader->body.length && reader->gap_is_cut)
		strbuf__char(&reader->body, ' ');
	else if (reader->body.length)
		strbuf__bytes(&reader->body, reader->gap, (size_t)(begin - reader->gap));
	reader->gap_is_cut = false;
	return strbuf__bytes(&reader->body, text, length) ? no_memory(reader) : 0;
}

static int set_key(struct reader *reader, const char *key, char *text)
{
	cJSON *value = value__from_text(text);

	if (!value)
		return no_memory(reader);
	if (cJSON_GetObjectItemCaseSensitive(reader->arguments, key))
		cJSON_DeleteItemFromObjectCaseSensitive(reader->arguments, key);
	else if (++reader->key_count > COMMAND_KEYS_MAX) {
		cJSON_Delete(value);
		return error__set(reader->err, -E2BIG, "the command has more than %d arguments",
				  COMMAND_KEYS_MAX);
	}
	if (cJSON_AddItemToObject(reader->arguments, key, value))
		return 0;
	cJSON_Delete(value);
	return no_memory(reader);
}

static int add_pair(struct reader *reader, const char *token, const char *value, const char *end)
{
	char key[COMMAND_KEY_BYTES] = "", *text = unquoted(value, end);
	int err;

	if (!text)
		return no_memory(reader);
	memcpy(key, token, (size_t)(value - 1 - token));
	if (strcmp(key, "body") == 0) {
		err = add_text(reader, token, text, strlen(text));
		free(text);
		return err;
	}
	reader->gap_is_cut = true;
	return set_key(reader, key, text);
}

static int read_tokens(struct reader *reader, const char *text)
{
	int err = 0;

	for (reader->gap = text; !err; reader->gap = text) {
		const char *token = text + strspn(text, blanks), *value;

		if (!*token)
			break;
		value = value_of(token);
		text = token_end(token, value);
		if (value)
			err = add_pair(reader, token, value, text);
		else
			err = add_text(reader, token, token, (size_t)(text - token));
	}
	return err;
}

int command_text__arguments(const char *text, cJSON **arguments, struct error *err)
{
	struct reader reader = {.arguments = cJSON_CreateObject(), .err = err};
	int code;

	*arguments = NULL;
	if (!reader.arguments)
		return no_memory(&reader);
	strbuf__init(&reader.body, SIZE_MAX);
	code = read_tokens(&reader, text);
	if (!code && reader.body.length &&
	    !cJSON_AddStringToObject(reader.arguments, "body", reader.body.text))
		code = no_memory(&reader);
	strbuf__free(&reader.body);
	if (code) {
		cJSON_Delete(reader.arguments);
		return code;
	}
	*arguments = reader.arguments;
	return 0;
}
