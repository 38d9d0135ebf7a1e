// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/doctor/findings.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"
#include "common/wrap.h"

static const struct {
	const char *word, *json, *colour;
} verdicts[] = {
	[VERDICT_OK] = {"ok", "ok", "\033[32m"},
	[VERDICT_WARN] = {"warn", "warn", "\033[33m"},
	[VERDICT_FAIL] = {"FAIL", "fail", "\033[31m"},
};

static struct finding *new_finding(struct findings *findings)
{
	struct finding *items;

	items = realloc(findings->items, (findings->count + 1) * sizeof(*items));
	if (!items)
		return NULL;
	findings->items = items;
	return &items[findings->count];
}

/* The text of a finding, owned by the caller. NULL: no memory. */
static char *make_text(const char *format, va_list arguments)
{
	char *raw, *shown;

	if (vasprintf(&raw, format, arguments) < 0)
		return NULL;
	shown = printable__duplicate(raw);
	free(raw);
	return shown;
}

void findings__add(struct findings *findings, const char *section, const char *name,
		   enum verdict verdict, const char *advice, const char *format, ...)
{
	struct finding *finding = new_finding(findings);
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = finding ? make_text(format, arguments) : NULL;
	va_end(arguments);
	if (!text) {
		findings->incomplete = true;
		return;
	}
	*finding = (struct finding){.verdict = verdict, .advice = advice, .text = text};
	printable__to(finding->section, section);
	snprintf(finding->name, sizeof(finding->name), "%s", name);
	findings->count++;
}

void findings__free(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->items[i].text);
	free(findings->items);
	*findings = (struct findings){0};
}

enum verdict findings__verdict(const struct findings *findings)
{
	enum verdict worst = findings->incomplete ? VERDICT_FAIL : VERDICT_OK;

	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].verdict > worst)
			worst = findings->items[i].verdict;
	return worst;
}

enum { TEXT_COLUMN = 32 };

static void print_finding(const struct finding *finding, FILE *out, bool colour)
{
	const char *word = verdicts[finding->verdict].word;

	fprintf(out, "  %s%-4s%s  %-22s  ", colour ? verdicts[finding->verdict].colour : "", word,
		colour ? "\033[0m" : "", finding->name);
	wrap__print(out, finding->text, TEXT_COLUMN, TEXT_COLUMN);
	if (!finding->advice)
		return;
	fprintf(out, "%*s-> ", TEXT_COLUMN, "");
	wrap__print(out, finding->advice, TEXT_COLUMN + 3, TEXT_COLUMN + 3);
}

void findings__print(const struct findings *findings, FILE *out, bool colour)
{
	const char *section = "";

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (strcmp(section, finding->section) != 0)
			fprintf(out, "%s%s\n", i ? "\n" : "", finding->section);
		section = finding->section;
		print_finding(finding, out, colour);
	}
}

static bool add_json(cJSON *list, const struct finding *finding)
{
	cJSON *item = cJSON_CreateObject();

	if (!cJSON_AddItemToArray(list, item))
		return false;
	return cJSON_AddStringToObject(item, "section", finding->section) &&
	       cJSON_AddStringToObject(item, "name", finding->name) &&
	       cJSON_AddStringToObject(item, "verdict", verdicts[finding->verdict].json) &&
	       cJSON_AddStringToObject(item, "text", finding->text) &&
	       (finding->advice ? cJSON_AddStringToObject(item, "advice", finding->advice)
				: cJSON_AddNullToObject(item, "advice"));
}

int findings__print_json(const struct findings *findings, FILE *out)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *list = root ? cJSON_AddArrayToObject(root, "findings") : NULL;
	bool done = list && cJSON_AddStringToObject(root, "verdict",
						    verdicts[findings__verdict(findings)].json);
	char *text;

	for (size_t i = 0; i < findings->count && done; i++)
		done = add_json(list, &findings->items[i]);
	text = done ? cJSON_Print(root) : NULL;
	if (text)
		fprintf(out, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(root);
	return text ? 0 : -ENOMEM;
}
