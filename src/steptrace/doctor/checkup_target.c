// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/doctor/checkup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/process_maps.h"
#include "steptrace/attach/binary.h"
#include "steptrace/attach/semaphore.h"
#include "steptrace/attach/targets.h"
#include "steptrace/attach/writers.h"
#include "steptrace/stream/event.h"

enum { PAGE_BYTES = 4096 };

struct checkup_target {
	struct findings *findings;
	pid_t pid; /* 0: a file, and not a process */
	pid_t tid; /* a thread of the process that shows its memory */
	size_t binaries_count;
};

/* ---- a binary */

static void check_probes(struct findings *findings, const struct binary *binary)
{
	unsigned int kinds = 0;

	for (size_t i = 0; i < binary->notes.count; i++)
		kinds |= 1u << binary->notes.notes[i].probe;
	findings__add(findings, binary->name, "probes", VERDICT_OK, NULL,
		      "%d of %d, at %zu place%s%s", __builtin_popcount(kinds), PROBES_COUNT,
		      binary->notes.count, binary->notes.count == 1 ? "" : "s",
		      binary->notes.unknown_count ? "; probes of a newer header are ignored" : "");
	findings__add(findings, binary->name, "layout", VERDICT_OK, NULL,
		      "given in each span; this tracer reads layout %d", SPAN_LAYOUT);
}

/* The kernel cannot replace a nop by a call where it crosses a page boundary. */
static bool crosses_page(const struct probe_note *note, enum site_kind kind)
{
	uint64_t first = note->offset + sites[kind].offset;

	return first / PAGE_BYTES != (first + sites[kind].size_bytes - 1) / PAGE_BYTES;
}

static void check_sites(struct findings *findings, const struct binary *binary)
{
	char names[SITE_NAMES_BYTES];
	size_t crossing = 0;

	for (size_t i = 0; i < binary->notes.count; i++)
		crossing += sites[SITE_NOP5].size_bytes &&
			    crosses_page(&binary->notes.notes[i], SITE_NOP5);
	probe_notes__site_names(&binary->notes, ", ", names);
	findings__add(findings, binary->name, "sites", crossing ? VERDICT_WARN : VERDICT_OK,
		      crossing ? "compile with the current usdt/steptrace.h, which aligns them"
			       : NULL,
		      "%s%s", names, crossing ? "; some cross a page boundary" : ", aligned");
}

static void check_build_id(struct findings *findings, const struct binary *binary)
{
	char build_id[BUILD_ID_TEXT_BYTES];

	binary__build_id(binary, build_id);
	findings__add(findings, binary->name, "build id", build_id[0] ? VERDICT_OK : VERDICT_WARN,
		      build_id[0] ? NULL
				  : "link with --build-id, so that builds can be distinguished",
		      "%s", build_id[0] ? build_id : "none");
	if (binary__is_deleted(binary))
		findings__add(findings, binary->name, "file", VERDICT_WARN,
			      "processes that start from now on run another file",
			      "deleted, or replaced by a newer file");
}

/* Of a file on the root file system it does not matter. */
static void check_file_system(struct findings *findings, const struct binary *binary)
{
	struct stat root;

	if (stat("/", &root) || root.st_dev == binary->device)
		return;
	findings__add(findings, binary->name, "file system", VERDICT_OK, NULL,
		      "cannot be unmounted (EBUSY) while the binary is attached: until no process "
		      "has used it for the time of --linger, or until SIGHUP");
}

/* ---- the semaphore in a process */

static void check_semaphore(struct checkup_target *target, const struct binary *binary)
{
	uint64_t offset = binary->notes.notes[0].semaphore_offset;
	uint16_t counter;

	if (!offset)
		findings__add(target->findings, binary->name, "semaphore", VERDICT_WARN,
			      "without a semaphore the runner prepares its spans all the time",
			      "none");
	else if (!target->pid)
		findings__add(target->findings, binary->name, "semaphore", VERDICT_OK, NULL,
			      "at offset 0x%" PRIx64 " of the file", offset);
	else if (!target->tid || semaphore__read(target->tid, binary, &counter))
		findings__add(target->findings, binary->name, "semaphore", VERDICT_WARN,
			      "run it as root", "its value cannot be read");
	else
		findings__add(target->findings, binary->name, "semaphore", VERDICT_OK, NULL,
			      "%u: %s", counter,
			      counter ? "a tracer is attached" : "no tracer is attached");
}

/* Both are refused by `record`, too. */
static void check_loading(struct checkup_target *target, const struct binary *binary)
{
	enum loading loading = target->pid ? binary__loading(binary, target->pid) : LOADED_ONCE;

	if (loading == LOADED_ONCE)
		return;
	findings__add(target->findings, binary->name, "mappings", VERDICT_FAIL,
		      "steptrace attaches when this process has ended", "process %d %s",
		      target->pid, loading__text(loading));
}

static void check_writers(struct findings *findings, const struct binary *binary)
{
	int refusal = writers__refusal(binary->fd);

	if (!refusal)
		findings__add(findings, binary->name, "writers", VERDICT_OK, NULL,
			      "a program that opens the file for writing waits until steptrace "
			      "has detached (at most %u s)",
			      writers__patience_s());
	else if (refusal == -ETXTBSY)
		findings__add(findings, binary->name, "writers", VERDICT_WARN,
			      "steptrace attaches when the program has closed the file",
			      "a program has opened the file for writing");
	else
		findings__add(findings, binary->name, "writers", VERDICT_WARN,
			      "replace the file by rename, or run steptrace as root or with "
			      "CAP_LEASE",
			      "no lease (%s): a process that executes the file while it is "
			      "overwritten, or shortly after, may crash",
			      strerror(-refusal));
}

static int check_binary(struct binary *binary, void *context)
{
	struct checkup_target *target = context;

	target->binaries_count++;
	check_probes(target->findings, binary);
	check_sites(target->findings, binary);
	check_semaphore(target, binary);
	check_loading(target, binary);
	check_writers(target->findings, binary);
	check_build_id(target->findings, binary);
	check_file_system(target->findings, binary);
	return 0;
}

void checkup__binary(struct findings *findings, const char *path)
{
	struct checkup_target target = {.findings = findings};
	struct binary *binary;
	struct error err;

	if (binary__open_named(path, &binary, &err)) {
		findings__add(findings, path, "file", VERDICT_FAIL, NULL, "%s", err.text);
		return;
	}
	if (binary__probes_count(binary) == 0)
		findings__add(findings, path, "probes", VERDICT_FAIL,
			      "usdt/README.md says how to add them", "none");
	else
		check_binary(binary, &target);
	binary__close(binary);
}

/* ---- a process */

static bool shares_namespace(pid_t tid, const char *name, bool *known)
{
	char ours[64], theirs[64];
	struct stat our_status, their_status;

	snprintf(ours, sizeof(ours), "/proc/self/ns/%s", name);
	snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", tid, name);
	*known = stat(ours, &our_status) == 0 && stat(theirs, &their_status) == 0;
	return *known && our_status.st_ino == their_status.st_ino;
}

static void check_namespaces(struct findings *findings, const char *section, pid_t tid)
{
	static const struct {
		const char *name, *advice, *meaning;
	} rows[] = {
		{"pid", NULL, "its own: events also carry its inner_pid"},
		{"mnt", NULL, "its own: files are opened through /proc"},
		{"time", "expect `unattributed` after a loss",
		 "its own: the clock of the process is not the kernel's clock, so the command "
		 "of a step is not known after a loss"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[32];
		bool known, shared = shares_namespace(tid, rows[i].name, &known);

		snprintf(name, sizeof(name), "%s namespace", rows[i].name);
		if (known)
			findings__add(findings, section, name,
				      shared || !rows[i].advice ? VERDICT_OK : VERDICT_WARN,
				      shared ? NULL : rows[i].advice, "%s",
				      shared ? "the same as that of steptrace" : rows[i].meaning);
	}
}

void checkup__process(struct findings *findings, pid_t pid)
{
	struct checkup_target target = {
		.findings = findings, .pid = pid, .tid = process_maps__thread(pid)};
	struct binaries binaries = {0};
	char section[32];
	struct error err;

	snprintf(section, sizeof(section), "process %d", pid);
	if (targets__check_pid(pid, &err) ||
	    binaries__of_process(&binaries, pid, check_binary, &target, &err)) {
		findings__add(findings, section, "process", VERDICT_FAIL, NULL, "%s", err.text);
	} else if (target.binaries_count == 0) {
		findings__add(
			findings, section, "probes", VERDICT_FAIL,
			"usdt/README.md says how to add probes; steptrace list shows the processes "
			"that have probes",
			"it runs nothing with steptrace probes that steptrace may read");
	}
	if (target.binaries_count) {
		check_namespaces(findings, section, target.tid);
		checkup__sandbox(findings, section, pid);
	}
	binaries__close(&binaries);
}
