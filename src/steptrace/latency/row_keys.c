// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/row_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/stream/executions.h"

const struct row_key_names row_keys[ROW_KEYS_COUNT] = {
	[KEY_COMMAND] = {"command", "COMMAND", "command_slug", false},
	[KEY_STEP] = {"step", "STEP", "step_type", false},
	[KEY_NAME] = {"name", "NAME", "step_name", false},
	[KEY_OUTCOME] = {"outcome", "OUTCOME", "outcome", false},
	[KEY_USER] = {"user", "USER", "user_id", false},
	[KEY_SOURCE] = {"source", "SOURCE", "request_source", false},
	[KEY_UID] = {"uid", "UID", "uid", true},
	[KEY_EXE] = {"exe", "EXE", "exe", false},
	[KEY_PID] = {"pid", "PID", "pid", true},
};

/* ---- the list of keys */

static int find(const char *name, size_t bytes)
{
	for (int key = 0; key < ROW_KEYS_COUNT; key++)
		if (strlen(row_keys[key].option) == bytes &&
		    memcmp(row_keys[key].option, name, bytes) == 0)
			return key;
	return -1;
}

static bool has(const struct row_keys *keys, enum row_key key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->items[i] == key)
			return true;
	return false;
}

int row_keys__parse(const char *text, struct row_keys *keys, struct error *err)
{
	*keys = (struct row_keys){.count = 0};
	for (const char *at = text;; at++) {
		size_t bytes = strcspn(at, ",");
		int key = find(at, bytes);

		if (key < 0)
			return error__set(
				err, -EINVAL,
				"--by does not know '%.*s': it takes command, step, name, "
				"outcome, user, source, uid, exe and pid, with commas "
				"between them",
				(int)(bytes < 64 ? bytes : 64), at);
		if (has(keys, (enum row_key)key))
			return error__set(err, -EINVAL, "--by has '%s' twice",
					  row_keys[key].option);
		keys->items[keys->count++] = (enum row_key)key;
		at += bytes;
		if (!*at)
			break;
	}
	keys->of_steps = has(keys, KEY_STEP) || has(keys, KEY_NAME);
	return 0;
}

/* ---- the values of an event */

struct value {
	const char *text; /* not terminated; NULL: there is none */
	size_t bytes;
	char number[24];
};

static void set_bytes(struct value *value, const char *text, size_t bytes)
{
	value->text = text;
	value->bytes = text ? strnlen(text, bytes) : 0;
}

/* A text of a span may fill its member, without a zero behind it. */
#define SET_MEMBER(value, member) set_bytes(value, member, sizeof(member))

static void set_number(struct value *value, uint64_t number)
{
	snprintf(value->number, sizeof(value->number), "%llu", (unsigned long long)number);
	SET_MEMBER(value, value->number);
}

static const char *outcome_of(const struct event *event)
{
	unsigned int outcome =
		event->kind == EVENT_STEP_EXECUTED ? event->step->outcome : event->command->outcome;

	return outcome__name(event->termination ? OUTCOME_ABORTED : outcome);
}

static const char *program_of(uint32_t pid, const struct row_key_source *source)
{
	return source && source->program ? source->program(source->context, pid) : NULL;
}

static void set_step_value(struct value *value, const struct event *event, enum row_key key)
{
	if (event->kind != EVENT_STEP_EXECUTED)
		set_bytes(value, NULL, 0);
	else if (key == KEY_STEP)
		SET_MEMBER(value, event->step->type);
	else
		SET_MEMBER(value, event->step->name);
}

static void set_value(struct value *value, const struct event *event, enum row_key key,
		      const struct row_key_source *source)
{
	const struct execution *execution = event->execution;

	switch (key) {
	case KEY_COMMAND: SET_MEMBER(value, execution->command.slug); break;
	case KEY_STEP:
	case KEY_NAME: set_step_value(value, event, key); break;
	case KEY_OUTCOME: set_bytes(value, outcome_of(event), ROW_KEY_BYTES); break;
	case KEY_USER: SET_MEMBER(value, execution->command.user_id); break;
	case KEY_SOURCE: SET_MEMBER(value, execution->command.request_source); break;
	case KEY_UID: set_number(value, execution->process.uid); break;
	case KEY_EXE:
		set_bytes(value, program_of(event->record->pid, source), ROW_KEY_BYTES);
		break;
	case KEY_PID: set_number(value, event->record->pid); break;
	case ROW_KEYS_COUNT: break;
	}
}

/* Appends the value and its zero; `after` more values follow. Returns the new number of bytes. */
static size_t append(char text[ROW_KEY_BYTES], size_t bytes, size_t after,
		     const struct value *value)
{
	size_t left = ROW_KEY_BYTES - bytes - after - 1;
	size_t length = value->bytes < left ? value->bytes : left;

	memcpy(text + bytes, value->text ? value->text : "", length);
	bytes += length;
	text[bytes++] = 0;
	return bytes;
}

size_t row_keys__of_event(const struct row_keys *keys, const struct event *event,
			  const struct row_key_source *source, char text[ROW_KEY_BYTES])
{
	enum event_kind wanted = keys->of_steps ? EVENT_STEP_EXECUTED : EVENT_COMMAND_COMPLETED;
	struct value value = {.text = NULL};
	size_t bytes = 0;

	if (event->kind != wanted)
		return 0;
	for (size_t i = 0; i < keys->count; i++) {
		set_value(&value, event, keys->items[i], source);
		bytes = append(text, bytes, keys->count - 1 - i, &value);
	}
	return bytes;
}

/* ---- the values of what is open */

static void set_open_value(struct value *value, const struct open_item *item, enum row_key key,
			   const struct row_key_source *source)
{
	switch (key) {
	case KEY_COMMAND: SET_MEMBER(value, item->slug); break;
	case KEY_STEP: SET_MEMBER(value, item->step_type); break;
	case KEY_NAME: SET_MEMBER(value, item->step_name); break;
	case KEY_USER: SET_MEMBER(value, item->user_id); break;
	case KEY_SOURCE: SET_MEMBER(value, item->request_source); break;
	case KEY_UID: set_number(value, item->uid); break;
	case KEY_EXE: set_bytes(value, program_of(item->pid, source), ROW_KEY_BYTES); break;
	case KEY_PID: set_number(value, item->pid); break;
	case KEY_OUTCOME:
	case ROW_KEYS_COUNT: set_bytes(value, NULL, 0); break;
	}
}

size_t row_keys__of_open(const struct row_keys *keys, const struct open_item *item,
			 const struct row_key_source *source, char text[ROW_KEY_BYTES])
{
	struct value value = {.text = NULL};
	size_t bytes = 0;

	if (item->is_step != keys->of_steps)
		return 0;
	for (size_t i = 0; i < keys->count; i++) {
		set_open_value(&value, item, keys->items[i], source);
		bytes = append(text, bytes, keys->count - 1 - i, &value);
	}
	return bytes;
}
