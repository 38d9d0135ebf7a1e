// SPDX-License-Identifier: BSD-2-Clause
/*
 * A pack from any bytes: the manifest up to the first NUL, and a prompt behind it. If it can be
 * loaded, it is checked as by `steprun check`, and each parameter of each step is rendered. Packs
 * are read from a folder, so one is made in TMPDIR. It is removed at the end, but not after a
 * crash; tests/run-fuzz removes what is in TMPDIR.
 *
 * links: PACK TEMPLATE -lyaml -lcjson -lpcre2-8 -lm
 */
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/check/check.h"
#include "runner/pack/pack.h"
#include "runner/pack/step_type.h"
#include "runner/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* ---- stand-ins for the step types, which would need the store and the model */

static const char *const notify_keys[] = {"message", "level", "response_data", NULL};
static const char *const condition_keys[] = {"condition", NULL};
static const struct step_type types[] = {
	{.name = "notify", .event_name = "NotifyStep", .keys = notify_keys},
	{.name = "condition",
	 .event_name = "ConditionStep",
	 .keys = condition_keys,
	 .expression_key = "condition",
	 .has_branches = true},
};

const struct step_type *step_type__find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

/* ---- the folder of the pack */

static struct {
	char path[PATH_MAX];
	int manifest, prompt; /* file descriptors */
} folder;

static void remove_folder(void)
{
	static const char *const names[] = {"command.yaml", "prompts/ask.md"};
	char path[PATH_MAX + 32];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder.path, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/prompts", folder.path);
	rmdir(path);
	rmdir(folder.path);
}

static int create(const char *name)
{
	char path[PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder.path, name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	require(fd >= 0);
	return fd;
}

static void make_folder(void)
{
	const char *parent = getenv("TMPDIR");
	char path[PATH_MAX + 32];

	snprintf(folder.path, sizeof(folder.path), "%s/steptrace-fuzz-XXXXXX",
		 parent && *parent ? parent : "/tmp");
	require(mkdtemp(folder.path) != NULL);
	require(atexit(remove_folder) == 0);
	snprintf(path, sizeof(path), "%s/prompts", folder.path);
	require(mkdir(path, 0700) == 0);
	folder.manifest = create("command.yaml");
	folder.prompt = create("prompts/ask.md");
}

static void write_file(int fd, const uint8_t *data, size_t size)
{
	require(ftruncate(fd, 0) == 0);
	require(pwrite(fd, data, size, 0) == (ssize_t)size);
}

static void write_pack(const uint8_t *data, size_t size)
{
	size_t manifest = size > 0 ? strnlen((const char *)data, size) : 0;
	size_t prompt = manifest < size ? manifest + 1 : size;

	write_file(folder.manifest, data, manifest);
	write_file(folder.prompt, data + prompt, size - prompt);
}

/* ---- what is done with a pack */

static void render(const struct param *param, const struct scope *scope)
{
	struct error err = {{0}};
	cJSON *value = NULL;
	int code = param__render_trimmed(param, scope, &value, &err);

	require(!code == !!value);
	require(!code == !err.text[0]);
	cJSON_Delete(value);
}

/* Returns how many steps there are, including those in branches. */
static size_t walk(const struct pack_steps *steps, const struct scope *scope)
{
	size_t count = steps->count;

	for (size_t i = 0; i < steps->count; i++) {
		const struct pack_step *step = &steps->steps[i];

		require(step->id && *step->id && step->type && step->index == i);
		for (size_t child = 0; child < step->params.child_count; child++)
			render(&step->params.children[child], scope);
		count += walk(&step->then_steps, scope) + walk(&step->else_steps, scope);
	}
	return count;
}

static void found(void *data, const struct pack_entry *entry, const struct pack_problem *problem)
{
	++*(size_t *)data;
	require(entry->directory && *problem->sentence != 0);
}

/* As much of a pack as can be read, also of one that cannot run. */
static void check(bool can_run)
{
	struct pack_entry entry = {.directory = folder.path, .folder = "fuzz"};
	struct pack_list list = {.entries = &entry, .count = 1};
	size_t told = 0, count = 0;

	require(pack__read(folder.path, NULL, &entry.pack, &entry.problems) == 0);
	require((entry.problems.count == 0) == can_run);
	require(check__packs(&list, found, &told, &count) == 0);
	require(told == count && (can_run || count > 0));
	pack__free(entry.pack);
	pack_problems__free(&entry.problems);
}

static void use(struct pack *pack)
{
	const struct scope scope = {.root = pack->manifest.root};

	require(pack__is_slug(pack->slug) && pack->name && pack->version);
	require(pack->step_count > 0 && pack->step_count <= PACK_STEPS_MAX);
	require(walk(&pack->steps, &scope) == pack->step_count);
	require(pack_prompts__find(&pack->prompts, "prompts/ask.md") != NULL);
	render(pack_prompts__find(&pack->prompts, "ask"), &scope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pack *pack = NULL;
	struct error err = {{0}};
	int code;

	if (!folder.path[0])
		make_folder();
	write_pack(data, size);
	code = pack__load(folder.path, NULL, &pack, &err);
	require(code <= 0 && !code == !!pack && !code == !err.text[0]);
	if (pack)
		use(pack);
	check(pack != NULL);
	pack__free(pack);
	return 0;
}
