// SPDX-License-Identifier: BSD-2-Clause
/* steptrace list: which processes and binaries carry the probes. Needs no privilege for one's own
 * processes. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/options.h"
#include "common/printable.h"
#include "steptrace/attach/binary.h"
#include "steptrace/attach/proc.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"

struct listing {
	struct binaries binaries;
	pid_t pid;     /* the process being looked at; 0: a named binary */
	char comm[64]; /* printable */
	size_t shown, closed;
};

/* A comm may contain newlines; the file has one more at its end. */
static void read_comm(pid_t pid, char shown[64])
{
	char path[64], comm[32] = "?\n";
	size_t bytes = 2;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file) {
		bytes = fread(comm, 1, sizeof(comm), file);
		fclose(file);
	}
	printable__copy(shown, 64, comm, bytes ? bytes - 1 : 0);
}

static int kinds_count(const struct binary *binary)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < binary->notes.count; i++)
		kinds |= 1u << binary->notes.notes[i].probe;
	return __builtin_popcount(kinds);
}

/* What is shown instead of the sites where `record` does not attach. */
static const char *const refusals[] = {
	[LOADED_TWICE] = "mapped-twice",
	[LOADED_MOVED] = "code-moved",
};

static int show(struct binary *binary, void *context)
{
	struct listing *listing = context;
	enum loading loading = listing->pid ? binary__loading(binary, listing->pid) : LOADED_ONCE;
	char *name = printable__duplicate(binary->name), pid[16] = "-";
	char site_names[SITE_NAMES_BYTES];

	if (listing->shown++ == 0)
		printf("%-8s %-16s %-7s %-16s %s\n", "PID", "COMM", "PROBES", "SITES", "BINARY");
	if (!name)
		return -ENOMEM;
	if (listing->pid)
		snprintf(pid, sizeof(pid), "%d", listing->pid);
	probe_notes__site_names(&binary->notes, "+", site_names);
	printf("%-8s %-16s %d/%-5d %-16s %s\n", pid, listing->pid ? listing->comm : "-",
	       loading == LOADED_ONCE ? kinds_count(binary) : 0, PROBES_COUNT,
	       loading == LOADED_ONCE ? site_names : refusals[loading], name);
	free(name);
	return 0;
}

static int list_binary(struct listing *listing, const char *path, struct error *err)
{
	struct caller_rights saved;
	struct binary *binary;
	int code = caller_rights__use(&saved, err);

	if (code)
		return code;
	code = binaries__add(&listing->binaries, path, path, &binary, err);
	caller_rights__end(&saved);
	if (code)
		return code;
	if (binary__probes_count(binary) == 0)
		return error__set(
			err, -ENOENT,
			"there are no steptrace probes in '%s' (usdt/README.md says how to add "
			"them)",
			path);
	return show(binary, listing);
}

static int is_pid(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]);
}

static int list_processes(struct listing *listing, struct error *err)
{
	struct dirent **entries;
	int count;

	if (proc__check(err))
		return -ENOENT;
	count = scandir("/proc", &entries, is_pid, versionsort);
	if (count < 0)
		return error__set(err, -errno, "cannot read /proc: %s", strerror(errno));
	for (int i = 0; i < count; i++) {
		struct error ignored;

		listing->pid = (pid_t)strtol(entries[i]->d_name, NULL, 10);
		read_comm(listing->pid, listing->comm);
		if (binaries__of_process(&listing->binaries, listing->pid, show, listing,
					 &ignored) == -EACCES)
			listing->closed++;
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static void print_help(void)
{
	printf("usage: steptrace list [BINARY...]\n\n"
	       "Shows the running processes that contain steptrace probes. With BINARY, shows\n"
	       "the probes of these files instead. To see the processes of other users, list\n"
	       "needs root or a few capabilities (see man 8 steptrace).\n\n"
	       "PROBES  how many of the probes the file contains / how many probes there are\n"
	       "SITES   the nop instructions in each probe; a tracer attaches to one of them\n"
	       "        (see usdt/README.md). If steptrace cannot attach, SITES shows why:\n"
	       "        mapped-twice  the process has loaded the binary more than once, or\n"
	       "                      has mapped the file once more\n"
	       "        code-moved    the process has moved the code to other memory\n\n"
	       "options:\n");
	options__print(stdout, NULL, 0);
}

static int list(struct listing *listing, char **paths, int count)
{
	struct error err = {0};
	int status = STATUS_DONE;

	for (int i = 0; i < count; i++)
		if (list_binary(listing, paths[i], &err)) {
			log__error("%s", err.text);
			status = STATUS_FAILED;
		}
	if (count > 0)
		return status;
	if (list_processes(listing, &err)) {
		log__error("%s", err.text);
		return STATUS_FAILED;
	}
	if (listing->shown == 0)
		log__info("no %sprocess contains steptrace probes",
			  listing->closed ? "readable " : "running ");
	if (listing->closed && geteuid() != 0)
		log__info(
			"%zu processes could not be read: permission denied (run it as root to see "
			"all)",
			listing->closed);
	return STATUS_DONE;
}

int cmd_list(int argc, char **argv)
{
	struct options_parser parser = {.argc = argc, .argv = argv};
	struct listing listing = {0};
	const char *value;
	int which, status;

	which = options__next(&parser, &value);
	if (which == OPTION_HELP) {
		print_help();
		return STATUS_DONE;
	}
	if (which == OPTION_BAD) {
		log__error("%s", parser.error.text);
		return STATUS_USAGE;
	}
	status = list(&listing, argv + parser.operands, argc - parser.operands);
	binaries__close(&listing.binaries);
	return status;
}
