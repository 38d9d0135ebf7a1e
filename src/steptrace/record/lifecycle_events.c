// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/lifecycle_events.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/clock.h"
#include "steptrace/stream/trace_events.h"

/* ---- trace.started */

/* The texts that trace_facts points to. */
struct facts_room {
	const char *targets[2 * TARGETS_MAX + 2];
	char pids[TARGETS_MAX][16]; /* "pid:4711" */
	const char *pseudonymized[PSEUDONYM_FIELDS_COUNT];
	struct utsname system;
	char boot_id[64];
};

static void read_boot_id(char boot_id[64])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	boot_id[0] = 0;
	if (file && fgets(boot_id, 64, file))
		boot_id[strcspn(boot_id, "\n")] = 0;
	if (file)
		fclose(file);
}

static void collect_targets(const struct watch *watch, struct facts_room *room,
			    struct trace_facts *facts)
{
	const struct targets *targets = &watch->options->targets;
	size_t count = 0;

	for (size_t i = 0; i < targets->pids_count; i++) {
		snprintf(room->pids[i], sizeof(room->pids[i]), "pid:%d", targets->pids[i]);
		room->targets[count++] = room->pids[i];
	}
	for (size_t i = 0; i < targets->exes_count; i++)
		room->targets[count++] = targets->exes[i];
	if (targets->command)
		room->targets[count++] = watch__command_path(watch);
	if (targets->all)
		room->targets[count++] = "all";
	facts->targets = room->targets;
	facts->targets_count = count;
}

static void collect_pseudonymized(const struct pseudonyms *pseudonyms, struct facts_room *room,
				  struct trace_facts *facts)
{
	for (int field = 0; field < PSEUDONYM_FIELDS_COUNT; field++)
		if (pseudonyms__mask(pseudonyms) & 1u << field)
			room->pseudonymized[facts->pseudonymized_count++] = pseudonym_fields[field];
	facts->pseudonymized = room->pseudonymized;
}

/* The boot id identifies a host as well, so it is replaced together with the name. */
static void collect_system(const struct pseudonyms *pseudonyms, struct facts_room *room,
			   struct trace_facts *facts)
{
	uname(&room->system);
	read_boot_id(room->boot_id);
	pseudonyms__replace(pseudonyms, PSEUDONYM_HOST, room->system.nodename,
			    sizeof(room->system.nodename));
	pseudonyms__replace(pseudonyms, PSEUDONYM_HOST, room->boot_id, sizeof(room->boot_id));
	facts->host = room->system.nodename;
	facts->kernel = room->system.release;
	facts->boot_id = room->boot_id;
}

int lifecycle_events__started(struct stream *stream, const struct watch *watch,
			      const struct pseudonyms *pseudonyms)
{
	struct facts_room room;
	struct trace_facts facts = {
		.site = sites[attachments__site(&watch->attachments)].name,
		.method = uprobe__method_name(capture__method(watch->capture)),
		.breakdown = watch->options->breakdown,
	};

	collect_targets(watch, &room, &facts);
	collect_pseudonymized(pseudonyms, &room, &facts);
	collect_system(pseudonyms, &room, &facts);
	return trace_events__started(stream, &facts);
}

/* ---- trace.attached, trace.detached */

static struct trace_binary describe(const struct attachment *attachment,
				    char build_id[BUILD_ID_TEXT_BYTES])
{
	binary__build_id(attachment->binary, build_id);
	return (struct trace_binary){
		.exe = attachment->binary->name,
		.inode = attachment->file.inode,
		.build_id = build_id,
		.site = sites[attachment->site].name,
		.late_ns = attachment->late_ns,
	};
}

int lifecycle_events__attached(struct stream *stream, const struct attachment *attachment,
			       const uint32_t *pids, size_t pids_count)
{
	char build_id[BUILD_ID_TEXT_BYTES];
	struct trace_binary binary = describe(attachment, build_id);

	binary.pids = pids;
	binary.pids_count = pids_count;
	return trace_events__attached(stream, &binary, clock__now_ns());
}

int lifecycle_events__detached(struct stream *stream, const struct attachment *attachment)
{
	char build_id[BUILD_ID_TEXT_BYTES];
	struct trace_binary binary = describe(attachment, build_id);

	return trace_events__detached(stream, &binary, clock__now_ns());
}
