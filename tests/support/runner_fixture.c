// SPDX-License-Identifier: BSD-2-Clause
#include "runner_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/value/foreign_text.h"

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	perror(what);
	abort();
}

void fixture__open(struct fixture *fixture)
{
	*fixture = (struct fixture){.directory = "/tmp/steprun-test-XXXXXX"};
	must(mkdtemp(fixture->directory) != NULL, "mkdtemp");
	must(store__open(":memory:", &fixture->store, &fixture->err) == 0, fixture->err.text);
	id_source__fix_now(&fixture->ids, "2025-03-01T08:30:00Z", NULL);
	id_source__seed(&fixture->ids, 7);
	fixture->settings = (struct execution_settings){
		.store = fixture->store,
		.ids = &fixture->ids,
		.user_id = "tester",
		.request_source = "test",
	};
}

static void forget_run(struct fixture *fixture)
{
	if (fixture->has_run)
		execution__free(&fixture->execution);
	fixture->has_run = false;
	pack__free(fixture->pack);
	fixture->pack = NULL;
	cJSON_Delete(fixture->input);
	fixture->input = NULL;
}

void fixture__close(struct fixture *fixture)
{
	char command[128];

	forget_run(fixture);
	store__close(fixture->store);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->directory);
	must(system(command) == 0, "rm");
}

void fixture__write(const struct fixture *fixture, const char *name, const char *text)
{
	char path[256];
	char *slash;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
	for (slash = path + strlen(fixture->directory) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "w");
	must(file && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

int fixture__run(struct fixture *fixture, const char *steps, const char *json)
{
	char yaml[16384];
	int err;

	forget_run(fixture);
	snprintf(yaml, sizeof(yaml), "name: Probe\nslug: probe\nversion: 1.0.0\nsteps:\n%s\n",
		 steps);
	fixture__write(fixture, "command.yaml", yaml);
	fixture->err.text[0] = 0;
	err = pack__load(fixture->directory, NULL, &fixture->pack, &fixture->err);
	if (err)
		return err;
	fixture->input = json ? foreign_json__whole(json) : NULL;
	must(!json || fixture->input, "the test's own input");
	fixture->has_run = true;
	err = execution__run(&fixture->execution, &fixture->settings, fixture->pack,
			     fixture->input);
	fixture->err = fixture->execution.err;
	return err;
}

const cJSON *fixture__step(const struct fixture *fixture, const char *path)
{
	const cJSON *at = fixture->execution.context.steps;
	char copy[256], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", path);
	while (at && (word = strsep(&rest, ".")))
		at = cJSON_IsArray(at) ? cJSON_GetArrayItem(at, atoi(word))
				       : cJSON_GetObjectItemCaseSensitive(at, word);
	return at;
}

const char *fixture__step_text(const struct fixture *fixture, const char *path)
{
	const char *text = cJSON_GetStringValue(fixture__step(fixture, path));

	return text ? text : "(no text there)";
}

double fixture__step_number(const struct fixture *fixture, const char *path)
{
	const cJSON *number = fixture__step(fixture, path);

	return cJSON_IsNumber(number) ? number->valuedouble : -1;
}
