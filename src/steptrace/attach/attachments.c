// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/attachments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/attach/attach_child.h"
#include "steptrace/stream/event.h"

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

void attachments__begin(struct attachments *set)
{
	int ends[2];
	pid_t child;

	memset(set, 0, sizeof(*set));
	set->is_begun = true;
	set->measurer_fd = -1;
	set->writers = (struct writers){-1, -1, -1};
	if (pipe2(ends, O_CLOEXEC))
		return;
	child = fork();
	if (child == 0)
		measure_and_exit(ends[1]);
	close(ends[1]);
	set->measurer_fd = ends[0];
	if (child > 0)
		detachers__add(&set->detachers, child);
}

/* Does not wait for the child to end, which detaches its probes on itself. */
static int read_measurement(struct attachments *set)
{
	struct measured measured = {.code = -EIO};

	if (read(set->measurer_fd, &measured, sizeof(measured)) == sizeof(measured))
		set->sites = measured.sites;
	close(set->measurer_fd);
	set->measurer_fd = -1;
	return measured.code;
}

int attachments__open(struct attachments *set, struct capture *capture, struct error *err)
{
	int code = read_measurement(set);

	set->capture = capture;
	if (code)
		return error__set(err, code, "cannot attach a trial probe to steptrace itself: %s",
				  strerror(-code));
	return writers__open(&set->writers, err);
}

/* The work of the child that attaches. */
struct attaching {
	const struct attachments *set;
	const struct attachment *attachment;
	int *fds;
	size_t count, max;
	struct error *err;
};

static int attach_note(struct attaching *at, const struct probe_note *note, int program_fd)
{
	struct uprobe_place place = {
		.file_fd = at->attachment->binary->fd,
		.offset = note->offset + sites[site__choose(&at->set->sites, note->sites)].offset,
		.semaphore_offset = note->semaphore_offset,
	};
	struct uprobe uprobe;
	int code;

	if (at->count == at->max)
		return -E2BIG;
	code = uprobe__attach(program_fd, capture__method(at->set->capture), &place, &uprobe);
	if (code == 0)
		at->fds[at->count++] = uprobe.fd;
	return code;
}

static bool is_refused(int code)
{
	return code == -EPERM || code == -EACCES;
}

/* A probe that is compiled in several times has several notes. */
static int attach_probe(struct attaching *at, enum steptrace_probe probe)
{
	const struct binary *binary = at->attachment->binary;
	int program_fd = capture__program_fd(at->set->capture, probe);

	for (size_t i = 0; i < binary->notes.count && program_fd >= 0; i++) {
		const struct probe_note *note = &binary->notes.notes[i];
		int code;

		if (note->probe != probe)
			continue;
		code = attach_note(at, note, program_fd);
		if (code)
			return error__set(at->err, code, "cannot attach to probe %s of '%s': %s%s",
					  probes[note->probe].name, binary->name, strerror(-code),
					  is_refused(code) ? " (this needs root or CAP_SYS_ADMIN "
							     "on this kernel)"
							   : "");
	}
	return 0;
}

/* The probes of ends come first, command__done before all others. The probes of starts come last,
 * command__start after all others. So when a start is recorded, its end will be recorded, too, and
 * so will the end of its command. */
static ssize_t attach_notes(void *context, int *fds, size_t max, struct error *err)
{
	struct attaching *at = context;
	int code = 0;

	at->fds = fds;
	at->max = max;
	at->err = err;
	for (int probe = 0; probe < PROBES_COUNT && !code; probe++)
		if (probes[probe].phase != PHASE_BEGINS)
			code = attach_probe(at, (enum steptrace_probe)probe);
	for (int probe = PROBES_COUNT - 1; probe >= 0 && !code; probe--)
		if (probes[probe].phase == PHASE_BEGINS)
			code = attach_probe(at, (enum steptrace_probe)probe);
	return code ? code : (ssize_t)at->count;
}

static int attach(struct attachments *set, struct attachment *attachment, struct error *err)
{
	const struct probe_notes *notes = &attachment->binary->notes;
	struct attaching attaching = {.set = set, .attachment = attachment};
	ssize_t made;

	if (notes->count > 0)
		attachment->site = site__choose(&set->sites, notes->notes[0].sites);
	made = attach_child__make(attach_notes, &attaching, attachment->links, notes->count, err);
	attachment->links_count = made > 0 ? (size_t)made : 0;
	return made < 0 ? (int)made : 0;
}

static void attachment__free(struct attachment *attachment)
{
	binary__close(attachment->binary);
	free(attachment->links);
	free(attachment);
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

static bool is_same_file(const struct steptrace_file *file, const struct steptrace_file *other)
{
	return file->inode == other->inode && file->file_system == other->file_system;
}

static void await_all(struct attachments *set)
{
	detachers__await_all(&set->detachers);
	set->leaving_count = 0;
}

static void leave(struct attachments *set, const struct steptrace_file *file)
{
	if (set->leaving_count == DETACHERS_MAX)
		await_all(set);
	set->leaving[set->leaving_count++] = *file;
}

/* While former probes of a file still fire it cannot be attached again: its boundaries would be
 * counted twice. */
static void await_leaving(struct attachments *set, const struct steptrace_file *file)
{
	attachments__reap(set);
	for (size_t i = 0; i < set->leaving_count; i++)
		if (is_same_file(&set->leaving[i], file))
			await_all(set);
}

void attachments__reap(struct attachments *set)
{
	if (!detachers__reap(&set->detachers))
		set->leaving_count = 0;
}

/* From here on the content does not change unnoticed. It may have changed since it was read. */
static int guard(struct attachments *set, struct attachment *attachment, struct error *err)
{
	struct binary *binary = attachment->binary;
	int code = writers__guard(&set->writers, binary->fd, &attachment->guard);

	if (!code && binary__is_rewritten(binary))
		code = -ETXTBSY;
	return code ? error__set(err, code,
				 "a program writes to '%s': it is traced when it was written",
				 binary->name)
		    : 0;
}

int attachments__add(struct attachments *set, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **out, struct error *err)
{
	struct attachment *attachment = calloc(1, sizeof(*attachment));
	int code = -ENOMEM;

	if (!attachment)
		return error__set(err, code, "out of memory");
	await_leaving(set, file);
	attachment->binary = binary;
	attachment->file = *file;
	attachment->links = calloc(binary->notes.count + 1, sizeof(*attachment->links));
	if (!attachment->links)
		error__set(err, code, "out of memory");
	else
		code = guard(set, attachment, err);
	if (!code)
		code = attach(set, attachment, err);
	if (!code && append(set, attachment))
		code = error__set(err, -ENOMEM, "out of memory");
	if (code) {
		attach_child__await(
			attach_child__close(attachment->links, attachment->links_count));
		writers__release(&set->writers, binary->fd, &attachment->guard);
		attachment->binary = NULL;
		attachment__free(attachment);
		return code;
	}
	*out = attachment;
	return 0;
}

struct attachment *attachments__find(const struct attachments *set,
				     const struct steptrace_file *file)
{
	for (size_t i = 0; i < set->count; i++)
		if (is_same_file(&set->items[i]->file, file))
			return set->items[i];
	return NULL;
}

/* A child that closes links has all links open that were open when it was forked. So a caller that
 * waits for one link has to wait for all children. */
void attachments__remove(struct attachments *set, struct attachment *attachment, bool wait)
{
	size_t at = 0;

	while (set->items[at] != attachment)
		at++;
	set->items[at] = set->items[--set->count];
	detachers__add(&set->detachers,
		       attach_child__close(attachment->links, attachment->links_count));
	leave(set, &attachment->file);
	if (wait)
		await_all(set);
	/* Without `wait` the child that closes the links inherited the lease, and keeps it. */
	if (wait || attachment->guard.kind == GUARD_WATCH)
		writers__release(&set->writers, attachment->binary->fd, &attachment->guard);
	attachment__free(attachment);
}

static size_t list_links(const struct attachments *set, int *fds)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		for (size_t link = 0; link < set->items[i]->links_count; link++)
			fds[count++] = set->items[i]->links[link];
	return count;
}

static void detach_all(struct attachments *set)
{
	size_t max = 1;
	int *fds;

	for (size_t i = 0; i < set->count; i++)
		max += set->items[i]->links_count;
	fds = calloc(max, sizeof(*fds));
	if (fds)
		detachers__add(&set->detachers, attach_child__close(fds, list_links(set, fds)));
	free(fds); /* without memory the kernel detaches when the program ends */
	detachers__await_all(&set->detachers);
}

void attachments__close(struct attachments *set)
{
	if (!set->is_begun)
		return;
	if (set->measurer_fd >= 0)
		close(set->measurer_fd);
	detach_all(set);
	for (size_t i = 0; i < set->count; i++)
		attachment__free(set->items[i]); /* this releases the leases, too */
	writers__close(&set->writers);
	free(set->items);
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
