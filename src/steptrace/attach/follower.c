// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/attach/follower_private.h"
#include "steptrace/attach/process_tree.h"

/* Scans take at most 1/SCAN_SHARE of a processor, while the interval is below the maximum. */
enum { SCAN_SHARE = 200, SCAN_INTERVAL_MAX_NS = 2000000000 };

/* ---- start */

typedef bool state_of_file(const struct follower *follower, const struct steptrace_file *file);

static bool is_attached(const struct follower *follower, const struct steptrace_file *file)
{
	return attachments__find(follower->attachments, file) != NULL;
}

static bool has_failed(const struct follower *follower, const struct steptrace_file *file)
{
	return untraced__has(&follower->untraced, file);
}

/* A process of the targets, and what is mapped by all processes. `tree` is NULL if descendants do
 * not count. */
struct candidate {
	pid_t pid;
	const struct process_tree *tree;
	const struct steptrace_mapping *mappings;
	size_t count;
};

/* Whether the process, or one below it, runs a file in that state. */
static bool runs_one(const struct follower *follower, const struct candidate *candidate,
		     state_of_file *is_it)
{
	for (size_t i = 0; i < candidate->count; i++) {
		const struct steptrace_mapping *mapping = &candidate->mappings[i];
		pid_t pid = (pid_t)mapping->pid;

		if ((pid == candidate->pid ||
		     (candidate->tree &&
		      process_tree__is_below(candidate->tree, pid, candidate->pid))) &&
		    is_it(follower, &mapping->file))
			return true;
	}
	return false;
}

/* Why nothing of a process is attached: its first binary with probes. */
struct explanation {
	pid_t pid;
	struct error *err;
};

static int explain(struct binary *binary, void *context)
{
	const struct explanation *explanation = context;
	enum loading loading = binary__loading(binary, explanation->pid);

	if (loading != LOADED_ONCE)
		return error__set(explanation->err, -ENOTUNIQ, "cannot trace '%s': process %d %s",
				  binary->name, explanation->pid, loading__text(loading));
	return error__set(
		explanation->err, -ENOENT,
		"'%s' of process %d has steptrace probes, but they cannot be attached now: "
		"a program may be writing to the file",
		binary->name, explanation->pid);
}

/* Negative errno with a sentence. */
static int refuse(const struct follower *follower, const struct candidate *candidate,
		  struct error *err)
{
	struct explanation explanation = {candidate->pid, err};
	struct binaries binaries = {0};
	struct error ignored;
	int code;

	if (runs_one(follower, candidate, has_failed))
		return error__set(err, -ENOENT,
				  "no binary of process %d%s could be attached: the messages above "
				  "say why",
				  candidate->pid, candidate->tree ? " or its children" : "");
	code = binaries__of_process(&binaries, candidate->pid, explain, &explanation, &ignored);
	binaries__close(&binaries);
	if (code == -ENOTUNIQ || code == -ENOENT)
		return code;
	return error__set(err, -ENOENT,
			  "process %d runs nothing with steptrace probes%s (steptrace list shows "
			  "the processes that do; usdt/README.md says how to add probes)",
			  candidate->pid, candidate->tree ? ", nor do its children" : "");
}

static int check_pids(struct follower *follower, const struct steptrace_mapping *mappings,
		      size_t count, struct error *err)
{
	const struct targets *targets = follower->targets;
	struct process_tree tree = {.count = 0};
	int code = 0;

	if (!targets->no_children)
		process_tree__read(&tree);
	for (size_t i = 0; i < targets->pids_count && !code; i++) {
		struct candidate candidate = {targets->pids[i], targets->no_children ? NULL : &tree,
					      mappings, count};

		if (!targets->may_be_missing && !runs_one(follower, &candidate, is_attached))
			code = refuse(follower, &candidate, err);
	}
	process_tree__free(&tree);
	return code;
}

int follower__start(struct follower *follower, const char *command_path, struct error *err)
{
	const struct targets *targets = follower->targets;
	struct steptrace_mapping *mappings = NULL;
	struct error ignored = {0};
	int code = 0, count;

	for (size_t i = 0; i < targets->exes_count && !code; i++)
		code = follower__attach_named(follower, i, err);
	if (code)
		return code;
	if (command_path) /* it may be a shell, which has no probes but runs a program that has */
		follower__attach_path(follower, command_path, &ignored);
	count = follower__scan(follower, &mappings);
	if (count < 0)
		code = error__set(err, count, "cannot read the mappings of processes: %s",
				  strerror(-count));
	else
		code = check_pids(follower, mappings, (size_t)count, err);
	free(mappings);
	if (code)
		return code;
	follower__notify_all(follower);
	capture__armed(follower->capture);
	follower->is_started = true;
	return 0;
}

/* ---- the timer */

/* A scan rarely finds a process that lives shortly, but the kernel notes its exec. After SIGHUP
 * only the processes count that run now. */
static bool is_used(struct follower *follower, struct attachment *attachment,
		    uint64_t scan_begun_ns)
{
	bool was_execed = capture__was_execed(follower->capture, &attachment->file);

	if (was_execed && !follower->releases_unused)
		attachment->used_ns = scan_begun_ns;
	return attachment->used_ns >= scan_begun_ns;
}

static bool is_to_go(const struct follower *follower, const struct attachment *attachment,
		     uint64_t now_ns)
{
	if (follower->releases_unused || binary__is_deleted(attachment->binary))
		return true;
	return !attachment->is_named && now_ns - attachment->used_ns >= follower->linger_ns;
}

static void detach_unused(struct follower *follower, uint64_t scan_begun_ns)
{
	struct attachments *set = follower->attachments;

	for (size_t i = set->count; i-- > 0;) {
		struct attachment *attachment = set->items[i];

		if (!attachment->is_leaving && !is_used(follower, attachment, scan_begun_ns) &&
		    is_to_go(follower, attachment, scan_begun_ns))
			follower__detach(follower, attachment, false);
	}
	follower->releases_unused = false;
}

static uint64_t scan_interval_ns(uint64_t cpu_ns)
{
	uint64_t interval_ns = cpu_ns * SCAN_SHARE;

	if (interval_ns < FOLLOWER_SCAN_NS)
		return FOLLOWER_SCAN_NS;
	return interval_ns < SCAN_INTERVAL_MAX_NS ? interval_ns : SCAN_INTERVAL_MAX_NS;
}

static void scan(struct follower *follower)
{
	struct steptrace_mapping *mappings = NULL;
	uint64_t begun_ns = clock__now_ns();
	int code = follower__scan(follower, &mappings);

	if (code >= 0)
		detach_unused(follower, begun_ns);
	else if (!follower->is_blind)
		log__error("cannot read the mappings of processes: %s; until that succeeds, "
			   "libraries and new processes are not found",
			   strerror(-code));
	follower->is_blind = code < 0;
	free(mappings);
}

void follower__tick(struct follower *follower, uint64_t now_ns)
{
	uint64_t cpu_ns;

	follower__finish_detached(follower);
	follower__refresh_changed(follower);
	if (now_ns < follower->next_scan_ns)
		return;
	cpu_ns = clock__thread_cpu_ns();
	follower__look_at_named(follower, now_ns);
	scan(follower);
	follower->next_scan_ns = now_ns + scan_interval_ns(clock__thread_cpu_ns() - cpu_ns);
}

void follower__release_unused(struct follower *follower)
{
	follower->releases_unused = true;
	follower->next_scan_ns = 0;
}
