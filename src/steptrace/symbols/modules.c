// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"

struct module_key module_key__of(const struct stat *file, enum module_kind kind)
{
	return (struct module_key){
		.device = file->st_dev,
		.inode = file->st_ino,
		.bytes = (uint64_t)file->st_size,
		.changed_ns = (uint64_t)file->st_ctim.tv_sec * 1000000000 +
			      (uint64_t)file->st_ctim.tv_nsec,
		.kind = kind,
	};
}

void modules__init(struct modules *modules)
{
	struct rlimit limit;

	modules->opened_max = getrlimit(RLIMIT_NOFILE, &limit) ? 256 : limit.rlim_cur / 4;
}

static uint32_t bucket_of(const struct module_key *key)
{
	uint64_t mixed = (key->device * 31 + key->inode) * 0x9e3779b97f4a7c15ull;

	return (uint32_t)(mixed >> 40) % MODULE_BUCKETS;
}

uint32_t modules__find(const struct modules *modules, const struct module_key *key)
{
	uint32_t at = modules->buckets[bucket_of(key)];

	while (at && memcmp(&modules->items[at].key, key, sizeof(*key)) != 0)
		at = modules->items[at].next;
	return at;
}

static bool make_room(struct modules *modules)
{
	size_t larger = modules->room ? 2 * modules->room : 64;
	struct module *moved;

	if (modules->count == 0)
		modules->count = 1;
	if (modules->count < modules->room)
		return true;
	if (modules->count >= HELPER_FILES_MAX)
		return false;
	moved = realloc(modules->items, larger * sizeof(*moved));
	if (!moved)
		return false;
	modules->items = moved;
	modules->room = larger;
	return true;
}

uint32_t modules__add(struct modules *modules, enum module_kind kind, const char *name,
		      const struct module_key *key)
{
	char *copy = strdup(name);
	struct module *module;
	uint32_t *bucket;

	if (!copy || !make_room(modules)) {
		free(copy);
		return 0;
	}
	module = &modules->items[modules->count];
	*module = (struct module){.kind = kind, .name = copy, .fd = -1, .debug_fd = -1};
	if (key) {
		bucket = &modules->buckets[bucket_of(key)];
		module->key = *key;
		module->next = *bucket;
		*bucket = (uint32_t)modules->count;
	}
	return (uint32_t)modules->count++;
}

/* ---- the child that reads them */

/* How long the next answer may take. */
static int patience_ms(const struct modules *modules, const struct module *module,
		       const struct helper *helper)
{
	uint64_t left_ns = MODULE_TIME_NS - module->spent_ns;

	if (left_ns > MODULES_TIME_NS - modules->spent_ns)
		left_ns = MODULES_TIME_NS - modules->spent_ns;
	if (left_ns / 1000000 < (uint64_t)helper->patience_ms)
		return (int)(left_ns / 1000000) + 1;
	return helper->patience_ms;
}

static void spend(struct modules *modules, struct module *module, uint64_t spent_ns)
{
	module->spent_ns += spent_ns;
	modules->spent_ns += spent_ns;
	if (module->spent_ns < MODULE_TIME_NS)
		return;
	module->is_broken = true;
	modules->slow_count++;
}

int modules__ask(struct modules *modules, struct helper *helper,
		 const struct helper_question *question, int fd,
		 const struct helper_answer **answer)
{
	struct module *module = &modules->items[question->file];
	uint64_t start_ns = clock__now_ns();
	int code;

	if (module->is_broken)
		return -EPIPE;
	if (modules->spent_ns >= MODULES_TIME_NS) {
		modules->was_stopped = true;
		return -ETIME;
	}
	code = helper__ask_within(helper, question, fd, patience_ms(modules, module, helper),
				  answer);
	if (code)
		module->is_broken = true;
	spend(modules, module, clock__now_ns() - start_ns);
	return code ? code : (*answer)->code;
}

void modules__renew_time(struct modules *modules)
{
	modules->spent_ns = 0;
	for (size_t i = 1; i < modules->count; i++)
		if (!modules->items[i].is_broken)
			modules->items[i].spent_ns = 0;
}

static int give(struct modules *modules, uint32_t number, enum helper_kind kind, int fd,
		struct helper *helper, const struct helper_answer **answer)
{
	const struct helper_question question = {.kind = kind, .file = number};

	return modules__ask(modules, helper, &question, fd, answer);
}

/* A perf map grows: it is read again each time. */
bool modules__give(struct modules *modules, uint32_t number, struct helper *helper,
		   struct elf_identity *identity, struct symbols_troubles *troubles)
{
	struct module *module = &modules->items[number];
	const struct helper_answer *answer;
	bool is_map = module->kind == MODULE_JIT;
	int code;

	if (module->is_broken || module->fd < 0 || !helper__is_ready(helper))
		return false;
	if (module->generation == helper->generation && !is_map)
		return true;
	code = give(modules, number, is_map ? HELPER_PERF_MAP : HELPER_FILE, module->fd, helper,
		    &answer);
	if (code == -ETIME)
		return false;
	if (code) {
		if (is_map && !module->is_broken)
			troubles->maps_refused++;
		else
			troubles->files_unread++;
		module->is_broken = true;
		return false;
	}
	module->generation = helper->generation;
	if (identity && !is_map)
		*identity = answer->identity;
	if (module->debug_fd >= 0)
		give(modules, number, HELPER_DEBUG, module->debug_fd, helper, &answer);
	return !module->is_broken;
}

static void free_module(struct module *module)
{
	if (module->fd >= 0)
		close(module->fd);
	if (module->debug_fd >= 0)
		close(module->debug_fd);
	free(module->name);
}

void modules__free(struct modules *modules)
{
	for (size_t i = 1; i < modules->count; i++)
		free_module(&modules->items[i]);
	free(modules->items);
	*modules = (struct modules){0};
}
