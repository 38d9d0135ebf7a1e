// SPDX-License-Identifier: BSD-2-Clause
/*
 * string.format: fills the places of a text.
 *
 *	format: "{name} has {count} tasks, {0}"		{{ is written as {{ '{' }}
 *	values: {name: "{{ ctx.name }}", count: 3}	or a list: {0} is the first one
 *
 * The result is the text. A place without a value is an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/value/value.h"

enum { RESULT_BYTES = 1 << 20 };

static const cJSON *value_of(const cJSON *values, const char *name)
{
	size_t walked = 0;

	return value__step(values, name, &walked);
}

/* Braces without a name between them are text. */
static size_t name_length(const char *at)
{
	size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_-");

	return at[length] == '}' ? length : 0;
}

static int fill(struct step_run *run, const char *at, const cJSON *values, struct strbuf *out)
{
	while (*at) {
		size_t plain = strcspn(at, "{");
		size_t length = at[plain] ? name_length(at + plain + 1) : 0;
		char name[64];
		const cJSON *value;

		strbuf__bytes(out, at, plain);
		at += plain;
		if (!length || length >= sizeof(name)) {
			if (*at)
				strbuf__char(out, *at++);
			continue;
		}
		memcpy(name, at + 1, length);
		name[length] = 0;
		value = value_of(values, name);
		if (!value)
			return error__set(run->err, -EINVAL, "there is no value for {%s}", name);
		value__write_text(value, out);
		at += length + 2;
	}
	return 0;
}

static int run(struct step_run *run)
{
	struct strbuf out;
	char *format = NULL;
	cJSON *values = NULL;
	int err = step_run__text(run, "format", &format);

	strbuf__init(&out, RESULT_BYTES);
	if (!err && !format)
		err = error__set(run->err, -EINVAL, "'format' is missing");
	if (!err)
		err = step_run__value(run, "values", &values);
	if (values)
		values = step_value__parsed(values);
	if (!err)
		err = fill(run, format, values, &out);
	if (!err && out.err == -E2BIG)
		err = error__set(run->err, -E2BIG, "the text is longer than 1 MiB");
	if (!err) {
		run->output = value__from_text(strbuf__take(&out));
		err = run->output ? 0 : error__set(run->err, -ENOMEM, "out of memory");
	}
	strbuf__free(&out);
	free(format);
	cJSON_Delete(values);
	return err;
}

static const char *const keys[] = {"format", "values", NULL};

const struct step_type step_string_format = {
	.name = "string.format",
	.event_name = "StringFormatStep",
	.keys = keys,
	.run = run,
};
