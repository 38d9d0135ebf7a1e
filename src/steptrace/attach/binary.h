/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binaries: programs and libraries, held open, with the probes that they contain.
 *
 * A file of a process is opened through /proc (never by the path that the process shows) and is
 * known by device and inode. A file without probes is remembered as such, so that a common
 * library is read once, however many processes map it.
 */
#ifndef STEPTRACE_BINARY_H
#define STEPTRACE_BINARY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/attach/copies.h"
#include "steptrace/attach/elf_notes.h"

struct binary {
	int fd; /* owned; -1: the file has no probes */
	dev_t device;
	ino_t inode;
	uint64_t changed_ns; /* st_ctim: the last change of content, names or mode */
	char name[PATH_MAX]; /* only for showing */
	unsigned int visit;  /* of struct binaries: the last process that used it */
	struct probe_notes notes;
};

/*
 * Opens `path` and reads its notes; `name` is for messages. Returns 0 and *binary, which the caller
 * owns, or negative errno with a sentence. -ENOEXEC: it is not an ELF file for this machine.
 * -EBADMSG: its notes are malformed. A file without probes is no error.
 */
int binary__open(const char *path, const char *name, struct binary **binary, struct error *err);
/* The same for a path of the command line: with the rights of the caller (see caller_rights.h). */
int binary__open_named(const char *path, struct binary **binary, struct error *err);
void binary__close(struct binary *binary);

/* The same for an open file; `fd` belongs to the binary, and is closed on failure. */
int binary__take(int fd, const char *name, struct binary **binary, struct error *err);

/* A set of binaries, also of those without probes. */
struct binaries {
	struct binary **items; /* owned */
	size_t count;
	unsigned int visits; /* processes that were looked into */
};

void binaries__close(struct binaries *set);

/* Closes the binaries, but for the first `count`, that no process has used since `visits` had this
 * value. For a set that is used again and again: the inode of a deleted file may become that of
 * another file. */
void binaries__forget(struct binaries *set, size_t count, unsigned int visits);

/*
 * Opens `path` and adds it, unless the set has it. Returns 0 and *binary (owned by the set), or
 * negative errno with a sentence, as binary__open().
 */
int binaries__add(struct binaries *set, const char *path, const char *name, struct binary **binary,
		  struct error *err);

/* The path behind a link of /proc; "?" if it cannot be read. The process chose the text: it is
 * only for showing. */
void binary__link_text(const char *link, char name[PATH_MAX]);

/* The build id as hexadecimal digits; "" for none. */
enum { BUILD_ID_TEXT_BYTES = 2 * BUILD_ID_MAX_BYTES + 1 };
void binary__build_id(const struct binary *binary, char text[BUILD_ID_TEXT_BYTES]);

/* The time of the last change in `status`, as in struct binary. */
uint64_t binary__changed_ns(const struct stat *status);

/* Whether the content, a name or the mode of the file changed since it was opened, or since the
 * last call of binary__is_rewritten(). */
bool binary__is_changed(const struct binary *binary);

/* Reads the file again. Whether its probes or its build id are different from those in `binary`. */
bool binary__is_rewritten(struct binary *binary);

/* Whether the file has no name any more. */
bool binary__is_deleted(const struct binary *binary);

/* How many steptrace probes it has: a probe that is compiled in twice counts twice. */
static inline size_t binary__probes_count(const struct binary *binary)
{
	return binary->notes.count;
}

/* How the process has the binary mapped; LOADED_ONCE also where that cannot be seen. */
enum loading binary__loading(const struct binary *binary, pid_t pid);

/*
 * Calls `each` once for the program and every library of the process that has probes, and adds
 * them to the set. Stops at a non-zero result and returns it. Files that cannot be read are
 * passed over. With a sentence -ESRCH: there is no such process; -EACCES: its mappings cannot be
 * read.
 */
typedef int binary_fn(struct binary *binary, void *context);
int binaries__of_process(struct binaries *set, pid_t pid, binary_fn *each, void *context,
			 struct error *err);

#endif
