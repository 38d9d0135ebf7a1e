// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/pseudonym.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/event.h"

enum { DIGITS = 32 };

struct pseudonyms {
	unsigned int mask;
	unsigned char key[crypto_generichash_KEYBYTES];
};

const char *const pseudonym_fields[] = {
	[PSEUDONYM_USER_ID] = "user_id",
	[PSEUDONYM_CORRELATION_ID] = "correlation_id",
	[PSEUDONYM_COMMAND_SLUG] = "command_slug",
	[PSEUDONYM_REQUEST_SOURCE] = "request_source",
	[PSEUDONYM_STEP_NAME] = "step_name",
	[PSEUDONYM_TOOL_SLUG] = "tool_slug",
	[PSEUDONYM_COMM] = "comm",
	[PSEUDONYM_HOST] = "host",
};

_Static_assert(sizeof(pseudonym_fields) / sizeof(pseudonym_fields[0]) == PSEUDONYM_FIELDS_COUNT,
	       "a field has no name");

int pseudonym__parse(const char *list, unsigned int *mask, struct error *err)
{
	size_t bytes = strcspn(list, ",");

	for (int field = 0; field < PSEUDONYM_FIELDS_COUNT; field++) {
		const char *name = pseudonym_fields[field];

		if (strlen(name) != bytes || memcmp(name, list, bytes) != 0)
			continue;
		*mask |= 1u << field;
		return list[bytes] ? pseudonym__parse(list + bytes + 1, mask, err) : 0;
	}
	return error__set(err, -EINVAL,
			  "--pseudonymize cannot replace '%.*s'; it can: user_id, correlation_id, "
			  "command_slug, request_source, step_name, tool_slug, comm, host",
			  (int)bytes, list);
}

int pseudonyms__new(unsigned int mask, const void *key, size_t key_bytes, struct pseudonyms **out,
		    struct error *err)
{
	struct pseudonyms *pseudonyms;

	if (sodium_init() < 0)
		return error__set(err, -EIO, "cannot set up libsodium, which --pseudonymize needs");
	pseudonyms = calloc(1, sizeof(*pseudonyms));
	if (!pseudonyms)
		return error__set(err, -ENOMEM, "out of memory");
	pseudonyms->mask = mask;
	if (key_bytes)
		crypto_generichash(pseudonyms->key, sizeof(pseudonyms->key), key, key_bytes, NULL,
				   0);
	else
		randombytes_buf(pseudonyms->key, sizeof(pseudonyms->key));
	*out = pseudonyms;
	return 0;
}

void pseudonyms__free(struct pseudonyms *pseudonyms)
{
	if (!pseudonyms)
		return;
	sodium_memzero(pseudonyms, sizeof(*pseudonyms));
	free(pseudonyms);
}

unsigned int pseudonyms__mask(const struct pseudonyms *pseudonyms)
{
	return pseudonyms ? pseudonyms->mask : 0;
}

/* ---- text */

static void hash(const struct pseudonyms *pseudonyms, enum pseudonym_field field, const char *text,
		 size_t bytes, unsigned char digest[DIGITS / 2])
{
	crypto_generichash_state state;
	unsigned char name = (unsigned char)field;

	crypto_generichash_init(&state, pseudonyms->key, sizeof(pseudonyms->key), DIGITS / 2);
	crypto_generichash_update(&state, &name, 1);
	crypto_generichash_update(&state, (const unsigned char *)text, bytes);
	crypto_generichash_final(&state, digest, DIGITS / 2);
}

void pseudonyms__replace(const struct pseudonyms *pseudonyms, enum pseudonym_field field,
			 char *text, size_t bytes)
{
	unsigned char digest[DIGITS / 2];
	char digits[2 + DIGITS + 1] = "p:";
	size_t length = strnlen(text, bytes), room;

	if (!pseudonyms || !(pseudonyms->mask & 1u << field) || length == 0)
		return;
	hash(pseudonyms, field, text, length, digest);
	sodium_bin2hex(digits + 2, DIGITS + 1, digest, sizeof(digest));
	room = bytes - 1 < sizeof(digits) - 1 ? bytes - 1 : sizeof(digits) - 1;
	memset(text, 0, bytes);
	memcpy(text, digits, room);
}

/*
 * ---- records. The ring buffer is read-only: a span is copied into `decoded` before it is changed,
 * unless decode__record() copied it already.
 */

#define REPLACE(pseudonyms, field, text) pseudonyms__replace(pseudonyms, field, text, sizeof(text))

static const struct command_span *pseudonymize_command(const struct pseudonyms *pseudonyms,
						       const struct command_span *command,
						       struct command_span *room)
{
	if (command != room)
		*room = *command;
	REPLACE(pseudonyms, PSEUDONYM_USER_ID, room->user_id);
	REPLACE(pseudonyms, PSEUDONYM_CORRELATION_ID, room->correlation_id);
	REPLACE(pseudonyms, PSEUDONYM_COMMAND_SLUG, room->slug);
	REPLACE(pseudonyms, PSEUDONYM_REQUEST_SOURCE, room->request_source);
	return room;
}

static void pseudonymize_rejected(const struct pseudonyms *pseudonyms, struct decoded *decoded)
{
	struct rejected_span *room = &decoded->span_room.rejected;

	if (decoded->rejected != room)
		*room = *decoded->rejected;
	REPLACE(pseudonyms, PSEUDONYM_USER_ID, room->user_id);
	REPLACE(pseudonyms, PSEUDONYM_CORRELATION_ID, room->correlation_id);
	REPLACE(pseudonyms, PSEUDONYM_COMMAND_SLUG, room->slug);
	REPLACE(pseudonyms, PSEUDONYM_REQUEST_SOURCE, room->request_source);
	decoded->rejected = room;
}

static void pseudonymize_step(const struct pseudonyms *pseudonyms, struct decoded *decoded)
{
	struct step_span *room = &decoded->span_room.step;

	if (decoded->step != room)
		*room = *decoded->step;
	REPLACE(pseudonyms, PSEUDONYM_STEP_NAME, room->name);
	decoded->step = room;
}

static void pseudonymize_tool(const struct pseudonyms *pseudonyms, struct decoded *decoded)
{
	struct tool_span *room = &decoded->span_room.tool;

	if (decoded->tool != room)
		*room = *decoded->tool;
	REPLACE(pseudonyms, PSEUDONYM_TOOL_SLUG, room->slug);
	decoded->tool = room;
}

static void pseudonymize_span(const struct pseudonyms *pseudonyms, struct decoded *decoded)
{
	switch (probes[decoded->record->probe].span) {
	case SPAN_COMMAND:
		decoded->command = pseudonymize_command(pseudonyms, decoded->command,
							&decoded->span_room.command);
		break;
	case SPAN_REJECTED: pseudonymize_rejected(pseudonyms, decoded); break;
	case SPAN_STEP: pseudonymize_step(pseudonyms, decoded); break;
	case SPAN_TOOL: pseudonymize_tool(pseudonyms, decoded); break;
	case SPAN_FRAGMENT: break;
	}
}

void pseudonyms__apply(void *context, struct decoded *decoded)
{
	const struct pseudonyms *pseudonyms = context;
	bool is_own_context = decoded->context == decoded->command;

	pseudonymize_span(pseudonyms, decoded);
	if (is_own_context)
		decoded->context = decoded->command;
	else if (decoded->context)
		decoded->context =
			pseudonymize_command(pseudonyms, decoded->context, &decoded->context_room);
	if (decoded->process) {
		if (decoded->process != &decoded->process_room)
			decoded->process_room = *decoded->process;
		REPLACE(pseudonyms, PSEUDONYM_COMM, decoded->process_room.comm);
		decoded->process = &decoded->process_room;
	}
}
