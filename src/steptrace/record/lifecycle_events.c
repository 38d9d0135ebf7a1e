// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/lifecycle_events.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/accounting.h"
#include "steptrace/stream/trace_events.h"

enum { SECOND_NS = 1000000000 };

static void read_boot_id(char boot_id[64])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	boot_id[0] = 0;
	if (file && fgets(boot_id, 64, file))
		boot_id[strcspn(boot_id, "\n")] = 0;
	if (file)
		fclose(file);
}

int lifecycle_events__started(struct stream *stream, const struct targets *targets,
			      const char *command_path, const struct attachments *attachments,
			      const struct pseudonyms *pseudonyms)
{
	const char *names[2 * TARGETS_MAX + 1];
	char pids[TARGETS_MAX][16], boot_id[64];
	struct utsname system;
	const char *replaced[PSEUDONYM_FIELDS_COUNT];
	struct trace_facts facts = {.targets = names, .pseudonymized = replaced};

	uname(&system);
	read_boot_id(boot_id);
	for (size_t i = 0; i < targets->pids_count; i++) {
		snprintf(pids[i], sizeof(pids[i]), "pid:%d", targets->pids[i]);
		names[facts.targets_count++] = pids[i];
	}
	for (size_t i = 0; i < targets->exes_count; i++)
		names[facts.targets_count++] = targets->exes[i];
	if (targets->command)
		names[facts.targets_count++] = command_path;
	if (targets->all)
		names[facts.targets_count++] = "all";
	for (int field = 0; field < PSEUDONYM_FIELDS_COUNT; field++)
		if (pseudonyms__mask(pseudonyms) & 1u << field)
			replaced[facts.pseudonymized_count++] = pseudonym_fields[field];
	pseudonyms__replace(pseudonyms, PSEUDONYM_HOST, system.nodename, sizeof(system.nodename));
	pseudonyms__replace(pseudonyms, PSEUDONYM_HOST, boot_id, sizeof(boot_id)); /* whose it is */
	facts.host = system.nodename;
	facts.kernel = system.release;
	facts.boot_id = boot_id;
	facts.site = sites[attachments__site(attachments)].name;
	facts.method = uprobe__method_name(capture__method(attachments->capture));
	return trace_events__started(stream, &facts);
}

static struct trace_binary describe(const struct attachment *attachment,
				    char build_id[BUILD_ID_TEXT_BYTES])
{
	binary__build_id(attachment->binary, build_id);
	return (struct trace_binary){
		.exe = attachment->binary->name,
		.inode = attachment->file.inode,
		.build_id = build_id,
		.site = sites[attachment->site].name,
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

void lifecycle_events__ready(const struct attachments *attachments, bool ends_by_itself)
{
	size_t count = attachments->count;
	enum site_kind site = count ? attachments->items[0]->site : attachments__site(attachments);

	log__info("attached to %zu binar%s (%s, site %s)%s", count, count == 1 ? "y" : "ies",
		  uprobe__method_name(capture__method(attachments->capture)), sites[site].name,
		  ends_by_itself ? "" : "; Ctrl-C ends");
}

void lifecycle_events__progress(const struct stream *stream, uint64_t since_ns)
{
	uint64_t seconds = (clock__now_ns() - since_ns) / SECOND_NS;

	if (log__is_stuck())
		return;
	fprintf(stderr, "\r\033[K%llu events, %llu lost, %02llu:%02llu",
		(unsigned long long)stream__events_total(stream),
		(unsigned long long)accounting__lost(stream), (unsigned long long)seconds / 60,
		(unsigned long long)seconds % 60);
}

void lifecycle_events__end(const struct stream *stream, const char *reason, uint64_t unwritten,
			   bool over_progress)
{
	const struct stream_counts *counts = stream__counts(stream);
	unsigned long long events = stream__events_total(stream) - unwritten;
	unsigned long long lost = accounting__lost(stream) + unwritten;
	unsigned long long behind = unwritten;
	unsigned long long filtered = accounting__filtered(stream);
	char also[48] = "";

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		behind += counts->lost[kind][LOSS_NOT_WRITTEN];
	if (strcmp(reason, "count") == 0) { /* what came behind the last is what was asked for */
		lost -= behind - unwritten;
		behind = unwritten;
	}
	if (over_progress && !log__is_stuck())
		fputs("\r\033[K", stderr);
	if (filtered)
		snprintf(also, sizeof(also), ", %llu filtered", filtered);
	log__info("%llu event%s, %llu lost%s (%s)", events, events == 1 ? "" : "s", lost, also,
		  reason);
	if (behind)
		log__info("%llu of the lost were captured, but not written", behind);
}
