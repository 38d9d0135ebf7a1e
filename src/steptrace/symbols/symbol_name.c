// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/symbol_name.h"

#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(obj) ((obj)->is_left_out = true)
#include <uthash.h>

#include "common/printable.h"

struct name_entry {
	UT_hash_handle hh;
	bool is_left_out; /* of the table, for lack of memory */
	struct symbol_name name;
	char texts[]; /* "k" or "u", the module, NUL, the function, NUL: together the key */
};

/*
 * Where stacks begin. A name that other programs may use too counts only in files whose name begins
 * with one of the C libraries.
 */
static const struct {
	const char *function;
	bool only_libc;
} outermost[] = {
	/* the first thread */
	{"_start", false},
	{"_dl_start_user", false},
	{"_dlstart", false},
	{"__start", false},
	/* other threads: glibc, musl, uClibc, bionic */
	{"clone", true},
	{"clone3", true},
	{"__clone", false},
	{"__clone3", false},
	{"__clone_internal", false},
	{"thread_start", true},
	{"__thread_start", false},
	{"__start_thread", false},
	{"__bionic_clone", false},
	/* Go */
	{"runtime.goexit", false},
	{"runtime.goexit.abi0", false},
	{"runtime.mstart", false},
	{"runtime.rt0_go", false},
};

static const char *const libc_prefixes[] = {
	"libc.", "libc-", "libpthread", "ld-musl", "ld-linux", "libuClibc",
};

static bool is_libc(const char *module)
{
	for (size_t i = 0; i < sizeof(libc_prefixes) / sizeof(libc_prefixes[0]); i++)
		if (strncmp(module, libc_prefixes[i], strlen(libc_prefixes[i])) == 0)
			return true;
	return false;
}

static bool is_outermost(const struct symbol_name *name)
{
	for (size_t i = 0; i < sizeof(outermost) / sizeof(outermost[0]); i++)
		if (strcmp(name->function, outermost[i].function) == 0)
			return !name->is_kernel &&
			       (!outermost[i].only_libc || is_libc(name->module));
	return false;
}

static struct name_entry *add(struct symbol_names *names, const char *key, size_t key_bytes)
{
	struct name_entry *entry = calloc(1, sizeof(*entry) + key_bytes);

	if (!entry)
		return NULL;
	memcpy(entry->texts, key, key_bytes);
	entry->name.is_kernel = key[0] == 'k';
	entry->name.module = entry->texts + 1;
	entry->name.function = entry->name.module + strlen(entry->name.module) + 1;
	entry->name.is_outermost = is_outermost(&entry->name);
	HASH_ADD_KEYPTR(hh, names->entries, entry->texts, key_bytes, entry);
	if (!entry->is_left_out)
		return entry;
	free(entry);
	return NULL;
}

const struct symbol_name *symbol_names__get(struct symbol_names *names, const char *function,
					    const char *module, bool is_kernel)
{
	char key[1 + 2 * SYMBOL_BYTES];
	struct name_entry *entry;
	size_t bytes = 1;

	key[0] = is_kernel ? 'k' : 'u';
	printable__copy(key + bytes, SYMBOL_BYTES, module, SYMBOL_BYTES);
	bytes += strlen(key + bytes) + 1;
	printable__copy(key + bytes, SYMBOL_BYTES, function, SYMBOL_BYTES);
	bytes += strlen(key + bytes) + 1;
	HASH_FIND(hh, names->entries, key, bytes, entry);
	if (!entry)
		entry = add(names, key, bytes);
	return entry ? &entry->name : NULL;
}

void symbol_names__free(struct symbol_names *names)
{
	struct name_entry *entry, *next;

	HASH_ITER(hh, names->entries, entry, next)
	{
		HASH_DEL(names->entries, entry);
		free(entry);
	}
}
