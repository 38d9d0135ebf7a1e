// SPDX-License-Identifier: BSD-2-Clause
/*
 * validate: checks values by `rules`. A broken rule fails the step, and so the command.
 *
 *	values: {title: "{{ ctx.title }}"}	default: the input of the command
 *	rules:
 *	  title: required|string|min:3|max:80	rules that are joined by "|"
 *	  kind: {in: [note, task]}		the same as a map
 *	  due: [required, {length: 10}]		the same as a list
 *	  count: "{{ ctx.count > 2 }}"		an expression: broken if it is false
 *	messages: {title: "Give a title."}	in place of the usual sentences
 *
 *	required		not null, not empty
 *	string, numeric		the type; text that is a number is numeric
 *	min, max		of a number, else of the length
 *	length			exactly
 *	in			one of these
 *	not_starts_with		not one of these at the start
 *
 * All rules but `required` hold for null and for empty text. With `numeric`, text that is a number
 * is measured as a number. The result: {"valid": true,
 * "errors": {}}.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/value/value.h"

static const char *const keys[] = {"rules", "messages", "values", NULL};

/* A rule is looked at for a value: `argument` is what stands behind the colon. Returns why it is
 * broken: the end of the sentence "'title' ..."; "": it holds. */
struct rule {
	const char *name;
	void (*check)(const cJSON *value, const cJSON *argument, struct error *why);
	bool needs_argument, needs_number;
};

static bool is_empty(const cJSON *value)
{
	return !value || cJSON_IsNull(value) || (cJSON_IsString(value) && !*value->valuestring) ||
	       ((cJSON_IsArray(value) || cJSON_IsObject(value)) && !value->child);
}

/* What only `required` objects to. */
static bool is_blank(const cJSON *value)
{
	return !value || cJSON_IsNull(value) || (cJSON_IsString(value) && !*value->valuestring);
}

static void check_required(const cJSON *value, const cJSON *argument, struct error *why)
{
	(void)argument;
	if (is_empty(value))
		error__set(why, 0, "is missing");
}

static void check_string(const cJSON *value, const cJSON *argument, struct error *why)
{
	(void)argument;
	if (!cJSON_IsString(value))
		error__set(why, 0, "must be text");
}

static void check_numeric(const cJSON *value, const cJSON *argument, struct error *why)
{
	double number;

	(void)argument;
	if (cJSON_IsBool(value) || !value__number(value, &number))
		error__set(why, 0, "must be a number");
}

/* Of a number its value, of anything else its length. */
static double size_of(const cJSON *value)
{
	return cJSON_IsNumber(value) ? value->valuedouble : (double)value__length(value);
}

static void check_min(const cJSON *value, const cJSON *argument, struct error *why)
{
	double limit = value__leading_number(argument);

	if (size_of(value) < limit)
		error__set(why, 0,
			   cJSON_IsNumber(value) ? "must be at least %g"
						 : "must have a length of at least %g",
			   limit);
}

static void check_max(const cJSON *value, const cJSON *argument, struct error *why)
{
	double limit = value__leading_number(argument);

	if (size_of(value) > limit)
		error__set(why, 0,
			   cJSON_IsNumber(value) ? "must be at most %g"
						 : "must have a length of at most %g",
			   limit);
}

static void check_length(const cJSON *value, const cJSON *argument, struct error *why)
{
	double length = value__leading_number(argument);

	if ((double)value__length(value) != length)
		error__set(why, 0, "must have the length %g", length);
}

/* The argument is a list, or text with commas. */
static bool each_choice(const cJSON *argument, const cJSON *value,
			bool (*matches)(const cJSON *value, const char *choice))
{
	const cJSON *each;
	char *copy, *rest, *choice;
	bool found = false;

	if (cJSON_IsArray(argument)) {
		cJSON_ArrayForEach (each, argument) {
			char *text = value__text(each);

			found = found || (text && matches(value, text));
			free(text);
		}
		return found;
	}
	copy = rest = value__text(argument);
	while (rest && (choice = strsep(&rest, ",")))
		found = found || matches(value, choice);
	free(copy);
	return found;
}

static bool is_choice(const cJSON *value, const char *choice)
{
	char *text = value__text(value);
	bool is_same = text && strcmp(text, choice) == 0;

	free(text);
	return is_same;
}

static bool has_start(const cJSON *value, const char *start)
{
	char *text = value__text(value);
	bool starts = text && *start && strncmp(text, start, strlen(start)) == 0;

	free(text);
	return starts;
}

static void check_in(const cJSON *value, const cJSON *argument, struct error *why)
{
	if (!each_choice(argument, value, is_choice))
		error__set(why, 0, "is not one of the permitted values");
}

static void check_not_starts_with(const cJSON *value, const cJSON *argument, struct error *why)
{
	if (each_choice(argument, value, has_start))
		error__set(why, 0, "begins with what is not permitted");
}

static const struct rule rules[] = {
	{"required", check_required, false, false},
	{"string", check_string, false, false},
	{"numeric", check_numeric, false, false},
	{"min", check_min, true, true},
	{"max", check_max, true, true},
	{"length", check_length, true, true},
	{"in", check_in, true, false},
	{"not_starts_with", check_not_starts_with, true, false},
};

/* ---- one value */

struct checking {
	struct step_run *run;
	const char *field;
	const cJSON *value;
	struct error why; /* the first broken rule; "": none */
};

static int apply(struct checking *checking, const char *name, const cJSON *argument)
{
	double number;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].name, name) != 0)
			continue;
		if (rules[i].needs_argument && (!argument || cJSON_IsNull(argument)))
			return error__set(checking->run->err, -EINVAL,
					  "the rule '%s' of '%.64s' needs a value: write %s:VALUE",
					  name, checking->field, name);
		if (rules[i].needs_number && !value__number(argument, &number))
			return error__set(checking->run->err, -EINVAL,
					  "the value of the rule '%s' of '%.64s' is no number",
					  name, checking->field);
		if (!checking->why.text[0] &&
		    (rules[i].check == check_required || !is_blank(checking->value)))
			rules[i].check(checking->value, argument, &checking->why);
		return 0;
	}
	return error__set(checking->run->err, -EINVAL, "unknown rule '%.32s' for '%.64s'", name,
			  checking->field);
}

/* "min:3" */
static int apply_text(struct checking *checking, char *text)
{
	char *colon = strchr(text, ':');
	cJSON argument = {.type = cJSON_String};

	if (!colon)
		return apply(checking, text, NULL);
	*colon = 0;
	argument.valuestring = colon + 1;
	return apply(checking, text, &argument);
}

static int apply_texts(struct checking *checking, const char *texts)
{
	char *copy = strdup(texts), *rest = copy, *text;
	int err = copy ? 0 : error__set(checking->run->err, -ENOMEM, "out of memory");

	while (!err && rest && (text = strsep(&rest, "|")))
		if (*text)
			err = apply_text(checking, text);
	free(copy);
	return err;
}

static int apply_all(struct checking *checking, const cJSON *given);

static int apply_map(struct checking *checking, const cJSON *map)
{
	const cJSON *each;
	int err = 0;

	cJSON_ArrayForEach (each, map) {
		if (!err)
			err = apply(checking, each->string, each);
	}
	return err;
}

static int apply_list(struct checking *checking, const cJSON *list)
{
	const cJSON *each;
	int err = 0;

	cJSON_ArrayForEach (each, list) {
		if (!err)
			err = apply_all(checking, each);
	}
	return err;
}

/* What an expression gave is a truth. */
static int apply_all(struct checking *checking, const cJSON *given)
{
	if (cJSON_IsArray(given))
		return apply_list(checking, given);
	if (cJSON_IsObject(given))
		return apply_map(checking, given);
	if (cJSON_IsString(given))
		return apply_texts(checking, given->valuestring);
	if (!value__is_true(given) && !checking->why.text[0])
		error__set(&checking->why, 0, "is not valid");
	return 0;
}

/* ---- all values */

static int add_error(struct step_run *run, cJSON *errors, const struct checking *checking,
		     const cJSON *messages)
{
	const char *message =
		cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(messages, checking->field));
	struct error sentence;

	error__set(&sentence, 0, "'%.64s' %s", checking->field, checking->why.text);
	if (cJSON_AddStringToObject(errors, checking->field, message ? message : sentence.text))
		return 0;
	return error__set(run->err, -ENOMEM, "out of memory");
}

/* Whether one of the rules has that name. */
static bool mentions(const cJSON *given, const char *name)
{
	const cJSON *each;

	if (cJSON_IsString(given))
		return strstr(given->valuestring, name) != NULL;
	if (cJSON_GetObjectItemCaseSensitive(given, name))
		return true;
	cJSON_ArrayForEach (each, given) {
		if (cJSON_IsArray(given) && mentions(each, name))
			return true;
	}
	return false;
}

static int check_values(struct step_run *run, const cJSON *given, const cJSON *values,
			const cJSON *messages, cJSON *errors)
{
	const cJSON *each;
	int err = 0;

	cJSON_ArrayForEach (each, given) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(values, each->string);
		cJSON number = {.type = cJSON_Number};
		struct checking checking = {.run = run, .field = each->string, .value = value};

		if (cJSON_IsString(value) && mentions(each, "numeric") &&
		    value__number(value, &number.valuedouble))
			checking.value = &number;

		if (!err)
			err = apply_all(&checking, each);
		if (!err && checking.why.text[0])
			err = add_error(run, errors, &checking, messages);
	}
	return err;
}

static int answer(struct step_run *run, cJSON *errors)
{
	const cJSON *first = errors->child;

	if (first)
		return error__set(run->err, -EINVAL, "%s", first->valuestring);
	run->output = cJSON_CreateObject();
	if (run->output && cJSON_AddTrueToObject(run->output, "valid") &&
	    cJSON_AddObjectToObject(run->output, "errors"))
		return 0;
	return error__set(run->err, -ENOMEM, "out of memory");
}

static int run(struct step_run *run)
{
	cJSON *given = NULL, *values = NULL, *messages = NULL, *errors = cJSON_CreateObject();
	int err = step_run__map(run, "rules", &given);

	if (!err && !given)
		err = error__set(run->err, -EINVAL, "'rules' is missing");
	if (!err)
		err = step_run__map(run, "messages", &messages);
	if (!err)
		err = step_run__map(run, "values", &values);
	if (!err && !errors)
		err = error__set(run->err, -ENOMEM, "out of memory");
	if (!err)
		err = check_values(run, given,
				   values ? values
					  : cJSON_GetObjectItemCaseSensitive(
						    run->execution->context.root, "ctx"),
				   messages, errors);
	if (!err)
		err = answer(run, errors);
	cJSON_Delete(given);
	cJSON_Delete(values);
	cJSON_Delete(messages);
	cJSON_Delete(errors);
	return err;
}

const struct step_type step_validate = {
	.name = "validate",
	.event_name = "ValidateStep",
	.keys = keys,
	.run = run,
};
