// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report_reading.h"

#include <errno.h>
#include <inttypes.h>

#include "steptrace/reading_progress.h"

static int read_events(struct recording_reader *reader, struct summary *summary, struct error *err)
{
	struct reading_progress progress;
	struct recorded_event event;
	int code;

	reading_progress__begin(&progress, reader);
	while ((code = recording_reader__next(reader, &event, err)) > 0) {
		code = summary__add(summary, &event);
		if (code) {
			error__set(err, code, "out of memory");
			break;
		}
	}
	reading_progress__end(&progress);
	return code;
}

static uint64_t skipped(const struct recording_counts *counts)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < RECORDING_SKIPS_COUNT; reason++)
		sum += counts->skipped[reason];
	return sum;
}

/* A report about nothing would look like a quiet system. */
static int refuse_nothing(const struct summary *summary, const struct recording_counts *counts,
			  struct error *err)
{
	const struct selection *selection = &summary->selection;

	if (selection->events)
		return 0;
	if (selection->other_time || selection->other_command || selection->without_time)
		return error__set(err, -ENODATA,
				  "none of the events is selected: %" PRIu64 " are of another "
				  "time, %" PRIu64 " of other commands, %" PRIu64 " have no time",
				  selection->other_time, selection->other_command,
				  selection->without_time);
	return error__set(err, -ENODATA,
			  "the recording has no event of a runner: %" PRIu64 " lines, of which "
			  "%" PRIu64 " were skipped because they are no events",
			  counts->lines, skipped(counts));
}

int report_reading__read(struct summary *summary, struct recording_counts *counts,
			 const char *const *paths, size_t paths_count, struct error *err)
{
	struct recording_reader *reader;
	int code = recording_reader__open(&reader, paths, paths_count, err);

	if (code)
		return code;
	code = read_events(reader, summary, err);
	*counts = *recording_reader__counts(reader);
	recording_reader__close(reader);
	if (code)
		return code;
	summary__finish(summary);
	return refuse_nothing(summary, counts, err);
}
