// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/follower_private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"

/* The mappings of all processes are read for each attempt. */
enum { RETRY_COPIES_NS = 1000000000 };

static void finish(struct follower *follower, struct attachment *attachment)
{
	if (attachment__is_lost(attachment))
		follower__forget_named(follower, &attachment->file);
	follower->events.detached(follower->events.context, attachment);
	attachments__remove(follower->attachments, attachment);
	untraced__retry(&follower->untraced);
}

/* From now on an exec of the file is reported: it has to be attached again. */
void follower__detach(struct follower *follower, struct attachment *attachment, bool wait)
{
	capture__forget_file(follower->capture, &attachment->file);
	attachments__release(follower->attachments, attachment);
	if (!wait)
		return;
	attachments__await(follower->attachments, attachment);
	finish(follower, attachment);
}

void follower__finish_detached(struct follower *follower)
{
	struct attachments *set = follower->attachments;

	attachments__poll(set);
	for (size_t i = set->count; i-- > 0;) {
		if (!attachment__is_released(set->items[i]))
			continue;
		if (attachment__is_lost(set->items[i])) {
			capture__forget_file(follower->capture, &set->items[i]->file);
			follower->next_scan_ns = 0;
		}
		finish(follower, set->items[i]);
	}
}

/*
 * After a change of the file. Where only a name or the mode changed, the probes stay: attaching a
 * second time would count every hit twice. Where the content changed, the probes are detached
 * before a process runs it: the breakpoints would be in the middle of other instructions. Returns
 * whether it is still attached.
 */
static bool refresh(struct follower *follower, struct attachment *attachment)
{
	struct steptrace_file file;

	if (binary__is_rewritten(attachment->binary) ||
	    capture__identify(follower->capture, attachment->binary->fd, &file)) {
		follower__detach(follower, attachment, true);
		return false;
	}
	capture__forget_file(follower->capture, &attachment->file);
	capture__know_file(follower->capture, &file, FILE_ATTACHED);
	attachment->file = file;
	return true;
}

/* A program waits until the lease of the file is released. A file of -x is looked at again
 * afterwards, also where the program was refused and the file is the same. */
static void let_go(struct follower *follower, struct attachment *attachment)
{
	log__info("a program opens '%s' for writing: steptrace detaches until the program has "
		  "closed the file",
		  attachment->binary->name);
	follower__forget_named(follower, &attachment->file);
	follower__detach(follower, attachment, false);
}

/* Several programs may wait. So all probes are released first: the processes that hold them let go
 * at the same time. */
static void let_broken_go(struct follower *follower)
{
	struct attachments *set = follower->attachments;

	for (size_t i = set->count; i-- > 0;)
		if (!set->items[i]->is_leaving &&
		    guard__is_broken(&set->items[i]->guard, set->items[i]->binary->fd))
			let_go(follower, set->items[i]);
	for (size_t i = set->count; i-- > 0;) {
		struct attachment *attachment = set->items[i];

		if (!attachment->is_leaving ||
		    !guard__is_broken(&attachment->guard, attachment->binary->fd))
			continue;
		attachments__await(set, attachment);
		finish(follower, attachment);
	}
}

void follower__refresh_changed(struct follower *follower)
{
	struct attachments *set = follower->attachments;

	let_broken_go(follower);
	for (size_t i = set->count; i-- > 0;)
		if (!set->items[i]->is_leaving && binary__is_changed(set->items[i]->binary))
			refresh(follower, set->items[i]);
}

/* The time of the last change is too coarse here: two writes within a tick of the kernel have the
 * same. */
void follower__let_writers_go(struct follower *follower)
{
	struct attachments *set = follower->attachments;

	writers__clear(&set->writers);
	let_broken_go(follower);
	for (size_t i = set->count; i-- > 0;)
		if (!set->items[i]->is_leaving && set->items[i]->guard.kind == GUARD_WATCH)
			refresh(follower, set->items[i]);
}

struct attachment *follower__find(struct follower *follower, const struct steptrace_file *file)
{
	struct attachment *attachment = attachments__find(follower->attachments, file);

	if (attachment && attachment->is_leaving) {
		follower__detach(follower, attachment, true);
		return NULL;
	}
	if (attachment && attachment->file.changed_ns != file->changed_ns &&
	    !refresh(follower, attachment))
		return NULL;
	return attachment;
}

bool follower__postpones(int code)
{
	return code == -ETXTBSY || code == -ENOTUNIQ;
}

static void warn_unguarded(struct follower *follower, const struct attachment *attachment)
{
	if (attachment->guard.kind == GUARD_LEASE || follower->warned_unguarded)
		return;
	follower->warned_unguarded = true;
	log__warn("there is no lease on '%s' (%s): while it is traced, replace it by rename and do "
		  "not write to it (steptrace doctor -x says more)",
		  attachment->binary->name, strerror(-attachment->guard.refusal));
}

static int attach_new(struct follower *follower, struct binary *binary,
		      const struct steptrace_file *file, struct attachment **attachment,
		      struct error *err)
{
	int code;

	code = follower__check_copies(follower, binary, file, err);
	if (code)
		return code;
	/* While only some of its probes are attached, every record must carry its context. */
	capture__disarm(follower->capture);
	code = attachments__add(follower->attachments, binary, file, attachment, err);
	if (follower->is_started)
		capture__armed(follower->capture);
	if (code)
		return code;
	(*attachment)->is_new = true;
	(*attachment)->is_named = follower->targets->exes_count > 0;
	postponed__remove(&follower->postponed, file);
	warn_unguarded(follower, *attachment);
	untraced__remove(&follower->untraced, file);
	return 0;
}

int follower__attach(struct follower *follower, struct binary *binary,
		     const struct steptrace_file *file, struct attachment **attachment,
		     struct error *err)
{
	bool is_target = binary__probes_count(binary) > 0 && (follower->targets->exes_count == 0 ||
							      follower__is_named(follower, binary));
	int code = 0;

	*attachment = follower__find(follower, file);
	if (*attachment || !is_target)
		binary__close(binary);
	else
		code = attach_new(follower, binary, file, attachment, err);
	if (code) { /* it stays unknown, so that it is found again */
		binary__close(binary);
		return code;
	}
	capture__know_file(follower->capture, file,
			   *attachment ? FILE_ATTACHED : FILE_WITHOUT_PROBES);
	if (*attachment)
		(*attachment)->used_ns = clock__now_ns();
	return 0;
}

struct attachment *follower__try_to_attach(struct follower *follower, struct binary *binary,
					   const struct steptrace_file *file, uint32_t processes)
{
	struct attachment *attachment = NULL;
	struct error err = {0};
	int code = follower__attach(follower, binary, file, &attachment, &err);

	if (follower__postpones(code))
		follower__complain(follower, file, code, &err);
	else if (code &&
		 untraced__failed(&follower->untraced, file, code, processes, clock__now_ns()))
		log__error("%s; steptrace tries again until it succeeds", err.text);
	return attachment;
}

void follower__complain(struct follower *follower, const struct steptrace_file *file, int code,
			const struct error *err)
{
	struct postponed *postponed = &follower->postponed;
	uint64_t until_ns = clock__now_ns() + (code == -ENOTUNIQ ? RETRY_COPIES_NS : 0);

	if (follower__postpones(code) && !postponed__add(postponed, file, code, until_ns))
		return;
	if (code == -ETXTBSY)
		log__info("%s", err->text);
	else
		log__error("%s", err->text);
}

bool follower__has_to_wait(const struct follower *follower, const struct steptrace_file *file)
{
	uint64_t now_ns = clock__now_ns();

	return postponed__contains(&follower->postponed, file, now_ns) ||
	       untraced__has_to_wait(&follower->untraced, file, now_ns);
}

void follower__note_late(struct attachment *attachment, uint64_t since_ns)
{
	uint64_t now_ns = clock__now_ns();

	if (attachment->is_new && since_ns < now_ns)
		attachment->late_ns = now_ns - since_ns;
}

void follower__notify(struct follower *follower, struct attachment *attachment,
		      const uint32_t *pids, size_t pids_count)
{
	follower->saw_probes = follower->saw_probes || pids_count > 0;
	if (!attachment->is_new)
		return;
	attachment->is_new = false;
	follower->events.attached(follower->events.context, attachment, pids, pids_count);
}

void follower__notify_all(struct follower *follower)
{
	for (size_t i = 0; i < follower->attachments->count; i++)
		follower__notify(follower, follower->attachments->items[i], NULL, 0);
}
