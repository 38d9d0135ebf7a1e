// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attachments.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/event.h"

static void *measure(void *set)
{
	struct attachments *attachments = set;

	attachments->measured = site__measure(&attachments->sites);
	return NULL;
}

void attachments__begin(struct attachments *set)
{
	memset(set, 0, sizeof(*set));
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		set->sites.held[kind].fd = -1;
	set->is_begun = true;
	set->is_measuring = pthread_create(&set->measurer, NULL, measure, set) == 0;
	if (!set->is_measuring)
		measure(set);
}

static void await_measurement(struct attachments *set)
{
	if (set->is_measuring)
		pthread_join(set->measurer, NULL);
	set->is_measuring = false;
}

int attachments__open(struct attachments *set, struct capture *capture, struct error *err)
{
	await_measurement(set);
	set->capture = capture;
	return set->measured ? error__set(err, set->measured, "cannot try a probe on ourselves: %s",
					  strerror(-set->measured))
			     : 0;
}

static int attach_note(struct attachments *set, struct attachment *attachment,
		       const struct probe_note *note, int program_fd)
{
	struct uprobe_place place = {.file_fd = attachment->binary->fd,
				     .semaphore_offset = note->semaphore_offset};
	int code;

	attachment->site = site__choose(&set->sites, note->sites);
	place.offset = note->offset + sites[attachment->site].offset;
	code = uprobe__attach(program_fd, capture__method(set->capture), &place,
			      &attachment->uprobes[attachment->uprobes_count]);
	if (code == 0)
		attachment->uprobes_count++;
	return code;
}

/* Every site of one probe. */
static int attach_probe(struct attachments *set, struct attachment *attachment,
			enum steptrace_probe probe, struct error *err)
{
	const struct binary *binary = attachment->binary;
	int program_fd = capture__program_fd(set->capture, probe);

	for (size_t i = 0; i < binary->notes.count && program_fd >= 0; i++) {
		const struct probe_note *note = &binary->notes.notes[i];
		int code;

		if (note->probe != probe)
			continue;
		code = attach_note(set, attachment, note, program_fd);
		if (code)
			return error__set(err, code, "cannot attach to probe %s of '%s': %s%s",
					  probes[note->probe].name, binary->name, strerror(-code),
					  code == -EPERM || code == -EACCES
						  ? " (this needs root or CAP_SYS_ADMIN on this "
						    "kernel)"
						  : "");
	}
	return 0;
}

/* Ends before beginnings: whatever is seen to begin will be seen to end. */
static int attach_notes(struct attachments *set, struct attachment *attachment, struct error *err)
{
	static const enum steptrace_probe order[] = {
		PROBE_COMMAND_DONE,     PROBE_STEP_DONE,  PROBE_TOOL_DONE,  PROBE_FRAGMENT_CHANGED,
		PROBE_COMMAND_REJECTED, PROBE_TOOL_START, PROBE_STEP_START, PROBE_COMMAND_START,
	};
	int code = 0;

	_Static_assert(sizeof(order) / sizeof(order[0]) == PROBES_COUNT, "a probe has no turn");
	for (size_t i = 0; i < PROBES_COUNT && !code; i++)
		code = attach_probe(set, attachment, order[i], err);
	return code;
}

static void attachment__free(struct attachment *attachment)
{
	binary__close(attachment->binary);
	free(attachment->uprobes);
	free(attachment);
}

static void detach_all(struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->uprobes_count; i++)
		uprobe__detach(&attachment->uprobes[i]);
}

static int keep(struct attachments *set, struct attachment *attachment)
{
	struct attachment **items;

	items = realloc(set->items, (set->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	set->items = items;
	set->items[set->count++] = attachment;
	return 0;
}

int attachments__add(struct attachments *set, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **out, struct error *err)
{
	struct attachment *attachment = calloc(1, sizeof(*attachment));
	int code = -ENOMEM;

	if (!attachment)
		return error__set(err, code, "out of memory");
	attachment->binary = binary;
	attachment->file = *file;
	attachment->uprobes = calloc(binary->notes.count, sizeof(*attachment->uprobes));
	if (!attachment->uprobes)
		error__set(err, code, "out of memory");
	else
		code = attach_notes(set, attachment, err);
	if (!code && keep(set, attachment))
		code = error__set(err, -ENOMEM, "out of memory");
	if (code) {
		detach_all(attachment);
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
		if (set->items[i]->file.inode == file->inode &&
		    set->items[i]->file.file_system == file->file_system)
			return set->items[i];
	return NULL;
}

/* ---- detaching, side by side */

enum { DETACHERS_MAX = 32 };

struct detachers {
	pthread_t threads[DETACHERS_MAX];
	size_t count;
};

static void *detach_one(void *uprobe)
{
	uprobe__detach(uprobe);
	return NULL;
}

static void await_all(struct detachers *detachers)
{
	while (detachers->count > 0)
		pthread_join(detachers->threads[--detachers->count], NULL);
}

static void detach_aside(struct detachers *detachers, struct uprobe *uprobe)
{
	if (uprobe->fd < 0)
		return;
	if (detachers->count == DETACHERS_MAX)
		await_all(detachers);
	if (pthread_create(&detachers->threads[detachers->count], NULL, detach_one, uprobe))
		uprobe__detach(uprobe);
	else
		detachers->count++;
}

static void detach_all_aside(struct detachers *detachers, struct attachment *attachment)
{
	for (size_t i = 0; i < attachment->uprobes_count; i++)
		detach_aside(detachers, &attachment->uprobes[i]);
}

static void *detach_and_free(void *attachment)
{
	struct detachers detachers = {.count = 0};

	detach_all_aside(&detachers, attachment);
	await_all(&detachers);
	attachment__free(attachment);
	return NULL;
}

void attachments__remove(struct attachments *set, struct attachment *attachment, bool wait)
{
	pthread_t thread;
	size_t at = 0;

	while (set->items[at] != attachment)
		at++;
	set->items[at] = set->items[--set->count];
	if (wait || pthread_create(&thread, NULL, detach_and_free, attachment))
		detach_and_free(attachment);
	else
		pthread_detach(thread);
}

void attachments__close(struct attachments *set)
{
	struct detachers detachers = {.count = 0};

	if (!set->is_begun)
		return;
	await_measurement(set);
	for (size_t i = 0; i < set->count; i++)
		detach_all_aside(&detachers, set->items[i]);
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		detach_aside(&detachers, &set->sites.held[kind]);
	await_all(&detachers);
	for (size_t i = 0; i < set->count; i++)
		attachment__free(set->items[i]);
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
		set->sites.kills_forks[kind] = false;
	}
	return 0;
}
