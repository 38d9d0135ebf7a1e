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

/* A place for a number as text. */
struct number_text {
	char bytes[24];
};

static const char *number(struct number_text *text, uint64_t number)
{
	snprintf(text->bytes, sizeof(text->bytes), "%llu", (unsigned long long)number);
	return text->bytes;
}

static const char *outcome_of(const struct event *event)
{
	unsigned int outcome =
		event->kind == EVENT_STEP_EXECUTED ? event->step->outcome : event->command->outcome;

	return outcome__name(event->termination ? OUTCOME_ABORTED : outcome);
}

static const char *program_of(const struct event *event, const struct row_key_source *source)
{
	return source && source->program ? source->program(source->context, event->record->pid)
					 : NULL;
}

/* NULL: there is none. */
static const char *value_of(const struct event *event, enum row_key key,
			    const struct row_key_source *source, struct number_text *text)
{
	const struct execution *execution = event->execution;
	bool is_step = event->kind == EVENT_STEP_EXECUTED;

	switch (key) {
	case KEY_COMMAND: return execution->command.slug;
	case KEY_STEP: return is_step ? event->step->type : NULL;
	case KEY_NAME: return is_step ? event->step->name : NULL;
	case KEY_OUTCOME: return outcome_of(event);
	case KEY_USER: return execution->command.user_id;
	case KEY_SOURCE: return execution->command.request_source;
	case KEY_UID: return number(text, execution->process.uid);
	case KEY_EXE: return program_of(event, source);
	case KEY_PID: return number(text, event->record->pid);
	case ROW_KEYS_COUNT: break;
	}
	return NULL;
}

size_t row_keys__of_event(const struct row_keys *keys, const struct event *event,
			  const struct row_key_source *source, char text[ROW_KEY_BYTES])
{
	enum event_kind wanted = keys->of_steps ? EVENT_STEP_EXECUTED : EVENT_COMMAND_COMPLETED;
	struct number_text as_text;
	size_t bytes = 0;

	if (event->kind != wanted)
		return 0;
	for (size_t i = 0; i < keys->count; i++) {
		const char *value = value_of(event, keys->items[i], source, &as_text);
		size_t length = value ? strlen(value) : 0;
		size_t left = ROW_KEY_BYTES - bytes - (keys->count - i);

		length = length < left ? length : left;
		memcpy(text + bytes, value ? value : "", length);
		bytes += length;
		text[bytes++] = 0;
	}
	return bytes;
}
