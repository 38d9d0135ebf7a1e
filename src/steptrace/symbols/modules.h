/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What code comes from: the files that traced processes execute, and the memory that just-in-time
 * compilers write to. A module has a number that stays valid when the process has ended.
 *
 *	MODULE_FILE	a program or library; kept open, and given to the child that reads it
 *	MODULE_CLOSED	a file that could not be opened, or that must not be read; it has a name
 *	MODULE_JIT	the memory of one process, and its perf map, if there is one
 *	MODULE_KERNEL	the kernel: one
 *
 * A file is known by device, inode, size and time of its last change: several processes that map it
 * share the module, and a file that replaces it is another one.
 *
 * Files are hostile, and a file can make each answer slow. So the time of the answers about one
 * module is limited, and that of all answers. Beyond the first, the module is broken; beyond the
 * second, nothing is asked until modules__renew_time().
 */
#ifndef STEPTRACE_SYMBOLS_MODULES_H
#define STEPTRACE_SYMBOLS_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "steptrace/symbols/helper.h"
#include "steptrace/symbols/troubles.h"

enum module_kind { MODULE_FILE, MODULE_CLOSED, MODULE_JIT, MODULE_KERNEL };

/* Without padding: keys are compared byte by byte. */
struct module_key {
	uint64_t device, inode, bytes, changed_ns;
	uint64_t kind;
};

struct module {
	enum module_kind kind;
	char *name; /* owned; foreign text */
	struct module_key key;
	int fd;              /* of the file or perf map; -1: none */
	int debug_fd;        /* -1: none */
	uint32_t generation; /* of the reader that has the file; 0: none */
	bool is_broken;      /* the child was lost over it, cannot read it, or took too long */
	uint64_t spent_ns;   /* what the answers about it took */
	uint32_t next;       /* with the same hash */
};

enum { MODULE_BUCKETS = 1024 };

#define MODULE_TIME_NS  5000000000ull  /* for the answers about one module */
#define MODULES_TIME_NS 20000000000ull /* about all */

/* Numbers begin with 1. */
struct modules {
	struct module *items; /* owned; the first one is not used */
	size_t count, room;   /* the count includes the unused one */
	uint32_t buckets[MODULE_BUCKETS];
	size_t opened_max;   /* with more modules than this, no other file is kept open */
	uint64_t spent_ns;   /* what all answers took, since modules__renew_time() */
	uint64_t slow_count; /* modules whose time was used up */
	bool was_stopped;    /* a question was not asked because the time of all was used up */
};

/* Half of the descriptors that the process may have are for others. A module has two at most. Call
 * it on a zeroed struct, before seccomp__confine(). */
void modules__init(struct modules *modules);

struct module_key module_key__of(const struct stat *file, enum module_kind kind);

static inline struct module *modules__at(const struct modules *modules, uint32_t number)
{
	return &modules->items[number];
}

static inline bool modules__has_room(const struct modules *modules)
{
	return modules->count < modules->opened_max;
}

/* 0: there is none. */
uint32_t modules__find(const struct modules *modules, const struct module_key *key);

/* Copies the name. `key` may be NULL: the module is not found by one. 0: there is no memory, or
 * there are too many. */
uint32_t modules__add(struct modules *modules, enum module_kind kind, const char *name,
		      const struct module_key *key);

/*
 * Makes sure that the reader has the file of the module. *identity, which may be NULL, is filled in
 * when it did not have the file yet. False: the file cannot be read.
 */
bool modules__give(struct modules *modules, uint32_t number, struct helper *helper,
		   struct elf_identity *identity, struct symbols_troubles *troubles);

/* A question about a module that the reader has. When the reader is lost over it, the file is not
 * given to another one. 0 or negative errno; -ETIME: the time of all answers is used up. */
int modules__ask(struct modules *modules, struct helper *helper,
		 const struct helper_question *question, int fd,
		 const struct helper_answer **answer);

/* All of the time is there again, for the modules that are not broken. */
void modules__renew_time(struct modules *modules);

void modules__free(struct modules *modules);

#endif
