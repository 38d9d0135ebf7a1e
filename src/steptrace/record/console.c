// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/console.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/accounting.h"

enum { SECOND_NS = 1000000000 };

void console__ready(const struct attachments *attachments, bool ends_by_itself)
{
	size_t count = attachments->count;
	enum site_kind site = count ? attachments->items[0]->site : attachments__site(attachments);

	log__info("attached to %zu binar%s (%s, site %s)%s", count, count == 1 ? "y" : "ies",
		  uprobe__method_name(capture__method(attachments->capture)), sites[site].name,
		  ends_by_itself ? "" : "; Ctrl-C ends");
}

void console__progress(const struct stream *stream, uint64_t since_ns)
{
	uint64_t seconds = (clock__now_ns() - since_ns) / SECOND_NS;

	if (log__is_stuck())
		return;
	fprintf(stderr, "\r\033[K%llu events, %llu lost, %02llu:%02llu",
		(unsigned long long)stream__events_total(stream),
		(unsigned long long)accounting__lost(stream), (unsigned long long)seconds / 60,
		(unsigned long long)seconds % 60);
}

/* What --whole decided. */
static void say_executions(const struct stream *stream)
{
	const struct whole_counts *counts = stream__whole_counts(stream);

	if (counts->written + counts->left_out == 0)
		return;
	log__info("executions: %llu written whole (%llu of them before their end was known), "
		  "%llu left out (%llu of them still running)",
		  (unsigned long long)counts->written, (unsigned long long)counts->early,
		  (unsigned long long)counts->left_out, (unsigned long long)counts->unfinished);
}

static uint64_t captured_but_not_written(const struct stream *stream)
{
	const struct stream_counts *counts = stream__counts(stream);
	uint64_t sum = 0;

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		sum += counts->lost[kind][LOSS_NOT_WRITTEN];
	return sum;
}

void console__end(const struct stream *stream, const char *reason, uint64_t unwritten,
		  bool over_progress)
{
	unsigned long long events = stream__events_total(stream) - unwritten;
	unsigned long long lost = accounting__lost(stream) + unwritten;
	unsigned long long not_written = captured_but_not_written(stream) + unwritten;
	unsigned long long filtered = accounting__filtered(stream);
	unsigned long long forgotten = stream__forgotten(stream);
	char also[96] = "";
	int used = 0;

	if (over_progress && !log__is_stuck())
		fputs("\r\033[K", stderr);
	if (filtered)
		used = snprintf(also, sizeof(also), ", %llu filtered", filtered);
	if (forgotten)
		snprintf(also + used, sizeof(also) - (size_t)used, ", %llu executions forgotten",
			 forgotten);
	say_executions(stream);
	log__info("%llu event%s, %llu lost%s (%s)", events, events == 1 ? "" : "s", lost, also,
		  reason);
	if (not_written)
		log__info("%llu of the lost events were captured, but not written", not_written);
}
