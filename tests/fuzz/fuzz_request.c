// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads any bytes as the body of a request to execute a command. What is refused has a reason, and
 * a message that fits into an answer.
 *
 * links: src/runner/request/[a-z]*.c src/runner/pack/[a-z]*.c TEMPLATE -lcjson -lyaml -lpcre2-8 -lm
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/pack/step_type.h"
#include "runner/request/request.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The only step type. */
const struct step_type *step_type__find(const char *name)
{
	static const char *const keys[] = {NULL};
	static const struct step_type notify = {
		.name = "notify", .event_name = "NotifyStep", .keys = keys};

	return strcmp(name, notify.name) ? NULL : &notify;
}

static void must(bool fine)
{
	if (!fine)
		abort();
}

/* Two commands: `todo` with the trigger `t`, and `broken`. */
static const struct catalogue *open_catalogue(void)
{
	static const char *const manifests[] = {
		"name: T\nslug: todo\nversion: 1.0.0\ntriggers: {slash: /t}\n"
		"steps: [{id: a, type: notify}]\n",
		"name: ["};
	static const char *const slugs[] = {"todo", "broken"};
	static struct catalogue catalogue;
	char folder[] = "/tmp/fuzz-request-XXXXXX", path[128];
	const char *const folders[] = {folder};

	must(mkdtemp(folder) != NULL);
	for (int i = 0; i < 2; i++) {
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", folder, slugs[i]);
		must(!mkdir(path, 0700));
		snprintf(path, sizeof(path), "%s/%s/command.yaml", folder, slugs[i]);
		file = fopen(path, "w");
		must(file && fputs(manifests[i], file) >= 0 && !fclose(file));
	}
	must(!catalogue__open(&catalogue, folders, 1, NULL));
	snprintf(path, sizeof(path), "rm -rf %s", folder);
	must(!system(path));
	return &catalogue;
}

static void check_refusal(const struct request *request, const struct refusal *refusal)
{
	const char *text = refusal->err.text;

	must(refusal->reason && text[0] && !foreign_text__check(text, strlen(text), "", NULL));
	must(!refusal->slug[0] || pack__is_slug(refusal->slug));
	must(!refusal->field || strlen(refusal->field) < 32);
	must(!request->input);
}

static void check_request(const struct request *request)
{
	char *json = value__json(request->input);
	cJSON *again = foreign_json__whole(json);

	must(strcmp(request->pack->slug, "todo") == 0 && cJSON_IsObject(request->input));
	must(again != NULL);
	cJSON_Delete(again);
	free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct catalogue *catalogue;
	char *body = malloc(size ? size : 1); /* no NUL behind it */
	struct refusal refusal;
	struct request request;
	int code;

	if (!catalogue)
		catalogue = open_catalogue();
	memcpy(body, data, size);
	code = request__read(&request, catalogue, body, size, &refusal);
	memset(body, 0, size);
	free(body);
	if (code)
		check_refusal(&request, &refusal);
	else
		check_request(&request);
	request__free(&request);
	return 0;
}
