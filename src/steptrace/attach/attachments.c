// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/attachments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/attach/link_plan.h"
#include "steptrace/stream/event.h"

/* For outputs, scans and whatever else opens files during a recording. */
enum { DESCRIPTORS_KEPT = 32 };

/* ---- measuring the sites */

/* What the child that measures writes to the pipe. */
struct measured {
	int code;
	struct site_choice sites;
};

_Noreturn static void measure_and_exit(int fd)
{
	struct measured measured = {0};

	measured.code = site__measure(&measured.sites);
	_exit(write(fd, &measured, sizeof(measured)) != sizeof(measured));
}

static void start_measuring(struct attachments *set)
{
	int ends[2];

	set->measurer_fd = -1;
	if (pipe2(ends, O_CLOEXEC))
		return;
	set->measurer = fork();
	if (set->measurer == 0)
		measure_and_exit(ends[1]);
	close(ends[1]);
	set->measurer_fd = ends[0];
}

/* Does not wait for the child to end, which detaches its probes on itself. */
static int read_measurement(struct attachments *set)
{
	struct measured measured = {.code = -EIO};

	if (set->measurer_fd >= 0 &&
	    read(set->measurer_fd, &measured, sizeof(measured)) == sizeof(measured))
		set->sites = measured.sites;
	if (set->measurer_fd >= 0)
		close(set->measurer_fd);
	set->measurer_fd = -1;
	return measured.code;
}

static void reap_measurer(struct attachments *set, int options)
{
	if (set->measurer > 0 && waitpid(set->measurer, NULL, options) != 0)
		set->measurer = 0;
}

/* Each binary takes a descriptor. The command of `-- PROGRAM` was forked before: its limit stays
 * that of the caller. Returns the new limit. */
static uint64_t raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return UINT64_MAX;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_max;
}

/* The measurer is forked first: later it would have copies of the sockets of the holders. */
int attachments__begin(struct attachments *set, struct error *err)
{
	int code;

	memset(set, 0, sizeof(*set));
	set->is_begun = true;
	set->writers = (struct writers){-1, -1, -1};
	set->open_files_max = raise_limit();
	start_measuring(set);
	code = links__begin(&set->links, uprobe__probe_method());
	return code ? error__set(err, code, "cannot start the processes that hold the probes: %s",
				 strerror(-code))
		    : 0;
}

int attachments__open(struct attachments *set, struct capture *capture, struct error *err)
{
	int code = read_measurement(set);

	set->capture = capture;
	if (code)
		log__warn("cannot measure which kind of site is the fastest (%s): probes are "
			  "attached at %s, which works on every kernel",
			  strerror(-code), sites[SITE_NOP1].name);
	return writers__open(&set->writers, err);
}

int attachments__only_pids(struct attachments *set, const pid_t *pids, size_t count)
{
	if (capture__method(set->capture) != UPROBE_MULTI)
		return -ENOTSUP;
	set->only_pids = pids;
	set->only_pids_count = count;
	return 0;
}

/* ---- attaching */

static const char *advice_for(int code)
{
	if (code == -EPERM || code == -EACCES)
		return " (this needs root or CAP_SYS_ADMIN on this kernel)";
	if (code == -ECHILD)
		return " (the processes that hold probes were killed)";
	return "";
}

static int say_failed(const struct link_plan *at, const struct binary *binary, int code,
		      uint32_t failed, struct error *err)
{
	if (failed >= at->order.count)
		return error__set(err, code, "cannot attach to the probes of '%s': %s%s",
				  binary->name, strerror(-code), advice_for(code));
	return error__set(err, code, "cannot attach to probe %s of '%s': %s%s",
			  probes[at->order.places[failed].cookie].name, binary->name,
			  strerror(-code), advice_for(code));
}

static int make_link(struct attachments *set, struct attachment *attachment, struct link_plan *at,
		     pid_t pid, struct error *err)
{
	struct link *link;
	uint32_t failed;
	int code;

	at->order.pid = pid;
	code = links__make(&set->links, &at->order, at->fds, at->programs_count, &link, &failed);
	if (code == -ESRCH && pid) /* it has ended */
		return 0;
	if (code)
		return say_failed(at, attachment->binary, code, failed, err);
	attachment->links[attachment->links_count++] = link;
	return 0;
}

/* The kernel gives out the lowest free descriptor, so the number tells how many are left. */
static int check_room(const struct attachments *set, const struct binary *binary, struct error *err)
{
	if ((uint64_t)binary->fd + DESCRIPTORS_KEPT < set->open_files_max)
		return 0;
	return error__set(err, -EMFILE,
			  "cannot attach to '%s': too many binaries for the limit of %llu open "
			  "files (raise it: ulimit -n, or LimitNOFILE= of the service)",
			  binary->name, (unsigned long long)set->open_files_max);
}

static int attach(struct attachments *set, struct attachment *attachment, struct error *err)
{
	const struct binary *binary = attachment->binary;
	static struct link_plan at;
	int code = check_room(set, binary, err);

	if (binary->notes.count > 0)
		attachment->site = site__choose(&set->sites, binary->notes.notes[0].sites);
	link_plan__make(&at, binary, set->capture, &set->sites);
	if (code || at.order.count == 0)
		return code;
	if (set->only_pids_count == 0)
		return make_link(set, attachment, &at, 0, err);
	for (size_t i = 0; i < set->only_pids_count && !code; i++)
		code = make_link(set, attachment, &at, set->only_pids[i], err);
	return code;
}

static int append(struct attachments *set, struct attachment *attachment)
{
	struct attachment **items;

	items = realloc(set->items, (set->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	set->items = items;
	set->items[set->count++] = attachment;
	return 0;
}

static void attachment__free(struct attachment *attachment)
{
	if (!attachment)
		return;
	binary__close(attachment->binary);
	free(attachment->links);
	free(attachment);
}

static struct attachment *attachment__new(const struct attachments *set, struct binary *binary,
					  const struct steptrace_file *file)
{
	struct attachment *attachment = calloc(1, sizeof(*attachment));

	if (!attachment)
		return NULL;
	attachment->binary = binary;
	attachment->file = *file;
	attachment->links = calloc(set->only_pids_count + 1, sizeof(struct link *));
	if (attachment->links)
		return attachment;
	free(attachment);
	return NULL;
}

/* From here on the content does not change unnoticed. It may have changed since it was read. */
static int guard(struct attachments *set, struct attachment *attachment, struct error *err)
{
	struct binary *binary = attachment->binary;
	int code = writers__guard(&set->writers, binary->fd, &attachment->guard);

	if (!code && binary__is_rewritten(binary))
		code = -ETXTBSY;
	return code ? error__set(err, code,
				 "a program writes to '%s': steptrace attaches when the "
				 "program has closed the file",
				 binary->name)
		    : 0;
}

/* What was attached before the failure is detached, and the binary is the caller's again. */
static void undo(struct attachments *set, struct attachment *attachment)
{
	attachments__release(set, attachment);
	attachments__await(set, attachment);
	writers__release(&set->writers, attachment->binary->fd, &attachment->guard);
	attachment->binary = NULL;
	attachments__remove(set, attachment);
}

int attachments__add(struct attachments *set, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **out, struct error *err)
{
	struct attachment *attachment = attachment__new(set, binary, file);
	int code;

	if (!attachment || append(set, attachment)) {
		if (attachment)
			attachment->binary = NULL;
		attachment__free(attachment);
		return error__set(err, -ENOMEM, "out of memory");
	}
	code = guard(set, attachment, err);
	if (!code)
		code = attach(set, attachment, err);
	if (code)
		undo(set, attachment);
	else
		*out = attachment;
	return code;
}

/* ---- finding and detaching */

struct attachment *attachments__find(const struct attachments *set,
				     const struct steptrace_file *file)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct steptrace_file *other = &set->items[i]->file;

		if (file->inode == other->inode && file->file_system == other->file_system)
			return set->items[i];
	}
	return NULL;
}

bool attachment__is_lost(const struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->links_count; i++)
		if (attachment->links[i]->state == LINK_LOST)
			return true;
	return false;
}

void attachments__poll(struct attachments *set)
{
	reap_measurer(set, WNOHANG);
	links__poll(&set->links);
	for (size_t i = 0; i < set->count; i++) {
		struct attachment *attachment = set->items[i];

		if (attachment->is_leaving || !attachment__is_lost(attachment))
			continue;
		log__error("a process of steptrace that held the probes of '%s' was killed; "
			   "steptrace attaches to this binary again",
			   attachment->binary->name);
		attachments__release(set, attachment);
	}
}

void attachments__release(struct attachments *set, struct attachment *attachment)
{
	attachment->is_leaving = true;
	for (size_t i = 0; i < attachment->links_count; i++)
		links__release(&set->links, attachment->links[i]);
}

bool attachment__is_released(const struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->links_count; i++)
		if (attachment->links[i]->state == LINK_HELD ||
		    attachment->links[i]->state == LINK_LEAVING)
			return false;
	return attachment->is_leaving;
}

void attachments__await(struct attachments *set, const struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->links_count; i++)
		links__await(&set->links, attachment->links[i]);
}

void attachments__remove(struct attachments *set, struct attachment *attachment)
{
	size_t at = 0;

	while (set->items[at] != attachment)
		at++;
	set->items[at] = set->items[--set->count];
	for (size_t i = 0; i < attachment->links_count; i++)
		links__drop(&set->links, attachment->links[i]);
	if (attachment->binary)
		writers__release(&set->writers, attachment->binary->fd, &attachment->guard);
	attachment__free(attachment);
}

void attachments__close(struct attachments *set)
{
	if (!set->is_begun)
		return;
	if (set->measurer_fd >= 0)
		close(set->measurer_fd);
	links__end(&set->links);
	for (size_t i = 0; i < set->count; i++)
		attachment__free(set->items[i]); /* this releases the leases, too */
	writers__close(&set->writers);
	free(set->items);
	reap_measurer(set, 0);
	*set = (struct attachments){0};
}

enum site_kind attachments__site(const struct attachments *set)
{
	return site__choose(&set->sites, ~0u);
}

int attachments__use_site(struct attachments *set, enum site_kind site)
{
	if (site != SITE_NOP1 && set->sites.ns_per_hit[site] == 0)
		return -ENOTSUP;
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++) {
		set->sites.ns_per_hit[kind] = kind == (int)site;
		set->sites.is_trap[kind] = set->sites.kills_forks[kind] = false;
	}
	return 0;
}
