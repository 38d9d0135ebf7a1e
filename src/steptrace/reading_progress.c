// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/reading_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"

/* The line changes ten times a second, and does not appear where the work is quick. */
enum { PROGRESS_NS = 100000000, QUICK_NS = 500000000 };

static void show(struct reading_progress *progress)
{
	uint64_t done, total;

	recording_reader__progress(progress->reader, &done, &total);
	progress->is_shown = true;
	if (total && done <= total)
		fprintf(stderr, "\rsteptrace: read %" PRIu64 " %%, %" PRIu64 " of %" PRIu64 " MB ",
			done * 100 / total, done / 1000000, total / 1000000);
	else
		fprintf(stderr, "\rsteptrace: read %" PRIu64 " MB ", done / 1000000);
}

static void step(void *context)
{
	struct reading_progress *progress = context;
	uint64_t now_ns = clock__now_ns();

	if (now_ns - progress->started_ns < QUICK_NS || now_ns - progress->last_ns < PROGRESS_NS)
		return;
	progress->last_ns = now_ns;
	show(progress);
}

void reading_progress__begin(struct reading_progress *progress, struct recording_reader *reader)
{
	*progress = (struct reading_progress){.reader = reader, .started_ns = clock__now_ns()};
	if (isatty(STDERR_FILENO))
		recording_reader__on_read(reader, step, progress);
}

void reading_progress__end(const struct reading_progress *progress)
{
	if (progress->is_shown)
		fprintf(stderr, "\r\033[K");
}
