/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binaries: files that processes execute from, held open, with the probes they carry.
 *
 * A file is opened once, through /proc where a process has it mapped (never by the path text that
 * a process shows), and known by device and inode. What has no probes is remembered as such, so
 * that a common library is read once however many processes map it.
 */
#ifndef STEPTRACE_BINARY_H
#define STEPTRACE_BINARY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/attach/elf_notes.h"

struct binary {
	int fd; /* -1: it carries no probes */
	dev_t device;
	ino_t inode;
	uint64_t changed_ns; /* its content or its name, as stat() shows it */
	char name[PATH_MAX]; /* for people */
	unsigned int visit;  /* the last process in which it was met */
	struct probe_notes notes;
};

/*
 * Opens `path` and reads its notes; `name` is what people call it. 0 and *binary, which the caller
 * owns, or negative errno with a sentence; a file that is not an ELF program is an error here.
 */
int binary__open(const char *path, const char *name, struct binary **binary, struct error *err);
void binary__close(struct binary *binary);

/* A set of binaries, those without probes included. */
struct binaries {
	struct binary **items; /* owned */
	size_t count;
	unsigned int visits;
};

void binaries__close(struct binaries *set);

/*
 * Opens `path` and adds it, or finds it there already. 0 and *binary (owned by the set), or
 * negative errno with a sentence in `err`, as binary__open().
 */
int binaries__add(struct binaries *set, const char *path, const char *name, struct binary **binary,
		  struct error *err);

/* What people call the file behind a link of /proc: the process's text, only for showing. */
void binary__link_text(const char *link, char name[PATH_MAX]);

/* The build id as hexadecimal digits; "" where there is none. */
enum { BUILD_ID_TEXT_BYTES = 2 * BUILD_ID_MAX_BYTES + 1 };
void binary__build_id(const struct binary *binary, char text[BUILD_ID_TEXT_BYTES]);

uint64_t binary__changed_ns(const struct stat *status);

/* Whether anything of the file changed, its content or only a name or mode, since it was opened or
 * binary__is_rewritten() looked. */
bool binary__is_changed(const struct binary *binary);

/* Whether its probes or its build id are other ones now. */
bool binary__is_rewritten(struct binary *binary);

/* Whether no name leads to it any more. */
bool binary__is_deleted(const struct binary *binary);

/* How many of our probes it has (sites, not kinds). */
static inline size_t binary__probes_count(const struct binary *binary)
{
	return binary->notes.count;
}

/*
 * Every file that the process executes from: its program and its shared libraries. Calls `each`
 * once with each of those that carry probes; stops at a non-zero result and returns it. Files that cannot be
 * read are passed over. -ESRCH: no such process; -EACCES: we may not look.
 */
typedef int binary_fn(struct binary *binary, void *context);
int binaries__of_process(struct binaries *set, pid_t pid, binary_fn *each, void *context,
			 struct error *err);

#endif
