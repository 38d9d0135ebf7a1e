// SPDX-License-Identifier: BSD-2-Clause
#include "runner/recur/cron_field.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { SUNDAY = 0, SUNDAY_AGAIN = 7, SHORT_NAME = 3, STEP_MAX = 999 };

struct field {
	const char *name, *expected;
	int min, max;
	const char *const *names; /* the first one is that of `min`; ends with NULL */
	bool is_cron;             /* may have numbers, stars and steps, too */
};

static const char *const months[] = {"january",  "february", "march",  "april",     "may",
				     "june",     "july",     "august", "september", "october",
				     "november", "december", NULL};
static const char *const weekdays[] = {"sunday",   "monday", "tuesday",  "wednesday",
				       "thursday", "friday", "saturday", NULL};
static const char *const no_names[] = {NULL};

static const struct field fields[FIELD_KINDS] = {
	[CRON_MINUTE] = {"the minute", "0 to 59", 0, 59, no_names, true},
	[CRON_HOUR] = {"the hour", "0 to 23", 0, 23, no_names, true},
	[CRON_DAY] = {"the day of the month", "1 to 31", 1, 31, no_names, true},
	[CRON_MONTH] = {"the month", "1 to 12, or jan to dec", 1, 12, months, true},
	[CRON_WEEKDAY] = {"the day of the week", "0 to 7, or sun to sat", 0, SUNDAY_AGAIN, weekdays,
			  true},
	[WEEKLY_DAYS] = {"the day", "names such as mon, friday or mon-fri", 0, SUNDAY_AGAIN,
			 weekdays, false},
};

struct piece piece__cut(struct piece text, char separator, struct piece *rest)
{
	const char *at = memchr(text.at, separator, text.length);
	struct piece first = text;

	*rest = (struct piece){NULL, 0};
	if (!at)
		return first;
	first.length = (size_t)(at - text.at);
	*rest = (struct piece){at + 1, text.length - first.length - 1};
	return first;
}

static bool is_text(struct piece piece, const char *text)
{
	return piece.length == strlen(text) && memcmp(piece.at, text, piece.length) == 0;
}

/* -1: this is no number, or one above `max`. */
static int number_of(struct piece text, int max)
{
	int number = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (!isdigit((unsigned char)text.at[i]))
			return -1;
		number = 10 * number + (text.at[i] - '0');
		if (number > max)
			return -1;
	}
	return text.length ? number : -1;
}

/* -1: there is no such name. */
static int named_value(const struct field *field, struct piece text)
{
	for (int i = 0; field->names[i]; i++) {
		size_t length = strlen(field->names[i]);

		if ((text.length == SHORT_NAME || text.length == length) &&
		    strncasecmp(text.at, field->names[i], text.length) == 0)
			return field->min + i;
	}
	return -1;
}

static int read_value(const struct field *field, struct piece text, int *value, struct error *err)
{
	*value = field->is_cron ? number_of(text, field->max) : -1;
	if (*value < 0)
		*value = named_value(field, text);
	if (*value < field->min)
		return error__set(err, -EINVAL, "%s '%.*s' is wrong; expected: %s", field->name,
				  (int)text.length, text.at, field->expected);
	return 0;
}

/* In "fri-sun", Sunday ends the week. */
static bool ends_week(const struct field *field, struct piece last, int first_value, int last_value)
{
	return field->names == weekdays && isalpha((unsigned char)*last.at) &&
	       last_value == SUNDAY && first_value > SUNDAY;
}

static int read_range(const struct field *field, struct piece text, int *first, int *last,
		      struct error *err)
{
	struct piece to, from = piece__cut(text, '-', &to);
	int code = read_value(field, from, first, err);

	*last = *first;
	if (code || !to.at)
		return code;
	code = read_value(field, to, last, err);
	if (code)
		return code;
	if (ends_week(field, to, *first, *last))
		*last = SUNDAY_AGAIN;
	if (*last < *first)
		return error__set(err, -EINVAL,
				  "%s '%.*s' is a range that ends before it begins; write it as "
				  "two, with a comma",
				  field->name, (int)text.length, text.at);
	return 0;
}

static int read_step(const struct field *field, struct piece item, struct piece text, int *step,
		     struct error *err)
{
	*step = number_of(text, STEP_MAX);
	if (*step < 1)
		return error__set(err, -EINVAL,
				  "%s '%.*s' has a wrong step; expected: 1 to %d behind the slash",
				  field->name, (int)item.length, item.at, STEP_MAX);
	if (item.at[0] != '*' && !memchr(item.at, '-', item.length))
		return error__set(err, -EINVAL,
				  "%s '%.*s' has a step, but neither a range nor * before it",
				  field->name, (int)item.length, item.at);
	return 0;
}

/* "5", "1-10", "1-10/3", "*" or "*" with a step. */
static int read_item(const struct field *field, struct piece item, uint64_t *set, struct error *err)
{
	int first = field->min, last = field->max, step = 1, code = 0;
	struct piece after_slash = {NULL, 0}, values = item;

	if (field->is_cron)
		values = piece__cut(item, '/', &after_slash);
	if (!field->is_cron || !is_text(values, "*"))
		code = read_range(field, values, &first, &last, err);
	if (!code && after_slash.at)
		code = read_step(field, item, after_slash, &step, err);
	for (int value = first; !code && value <= last; value += step)
		*set |= UINT64_C(1) << value;
	return code;
}

int cron_field__parse(enum cron_field which, struct piece text, uint64_t *set, struct error *err)
{
	const struct field *field = &fields[which];
	struct piece rest = text;

	*set = 0;
	while (rest.at) {
		struct piece item = piece__cut(rest, ',', &rest);
		int code = item.length ? read_item(field, item, set, err)
				       : error__set(err, -EINVAL, "%s '%.*s' has an empty item",
						    field->name, (int)text.length, text.at);

		if (code)
			return code;
	}
	if (field->names == weekdays && *set & UINT64_C(1) << SUNDAY_AGAIN)
		*set = (*set | UINT64_C(1) << SUNDAY) & ~(UINT64_C(1) << SUNDAY_AGAIN);
	return 0;
}
