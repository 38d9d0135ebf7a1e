// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/coverage_notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "steptrace/report/utc_text.h"
#include "steptrace/stream/duration_text.h"

enum { SENTENCE_BYTES = 2048 };

__attribute__((format(printf, 2, 3))) static void say(const struct coverage_notes *notes,
						      const char *format, ...)
{
	char sentence[SENTENCE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	notes->say(notes->context, sentence);
}

void coverage_notes__time(const struct coverage_notes *notes)
{
	const struct coverage *coverage = &notes->summary->coverage;
	char first[UTC_TEXT_BYTES], last[UTC_TEXT_BYTES], span[DURATION_TEXT_BYTES];

	if (!coverage->last_ns) {
		say(notes, "the events have no timestamps");
		return;
	}
	utc_text__write(first, coverage->first_ns);
	utc_text__write(last, coverage->last_ns);
	duration_text__age(coverage->last_ns - coverage->first_ns, span);
	say(notes, "from %s to %s UTC (%s)", first, last, span);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void coverage_notes__files(const struct coverage_notes *notes)
{
	const struct recording_counts *counts = notes->counts;

	say(notes, "%" PRIu64 " file%s, %" PRIu64 " lines, %" PRIu64 " events", counts->files,
	    plural(counts->files), counts->lines, counts->events);
	if (counts->files_copied)
		say(notes,
		    "%" PRIu64 " file%s left out: same trace.started as another, "
		    "such as '%s'",
		    counts->files_copied, plural(counts->files_copied), counts->first_copied.file);
	if (counts->files_damaged)
		say(notes, "%" PRIu64 " damaged gzip file%s, such as '%s'", counts->files_damaged,
		    plural(counts->files_damaged), counts->first_damaged.file);
	if (counts->files_empty)
		say(notes, "%" PRIu64 " empty file%s", counts->files_empty,
		    plural(counts->files_empty));
}

static void put_skipped(const struct coverage_notes *notes)
{
	const struct recording_counts *counts = notes->counts;

	for (int i = 0; i < RECORDING_SKIPS_COUNT; i++)
		if (counts->skipped[i])
			say(notes,
			    "skipped %" PRIu64 " lines: they %s; the first is line %" PRIu64
			    " of '%s'",
			    counts->skipped[i], recording_skip_words[i],
			    counts->first_skipped[i].line, counts->first_skipped[i].file);
	if (counts->skipped[RECORDING_REPEATED])
		say(notes, "(repeated within the last %d events)", RECORDING_WINDOW_LINES);
}

static void put_doubts(const struct coverage_notes *notes)
{
	const struct recording_counts *counts = notes->counts;
	char by[DURATION_TEXT_BYTES];

	duration_text__age(counts->backwards_ns, by);
	if (counts->backwards)
		say(notes, "%" PRIu64 " lines are earlier than the line before, by up to %s",
		    counts->backwards, by);
	if (counts->odd_lines)
		say(notes,
		    "%" PRIu64 " lines have a field of an unexpected type, first "
		    "line %" PRIu64 " of '%s'",
		    counts->odd_lines, counts->first_odd.line, counts->first_odd.file);
	if (counts->events_other)
		say(notes, "%" PRIu64 " events are of kinds that are not known here",
		    counts->events_other);
	if (notes->summary->ended_repeatedly)
		say(notes, "%" PRIu64 " executions ended more than once",
		    notes->summary->ended_repeatedly);
}

static void put_selection(const struct coverage_notes *notes)
{
	const struct selection *selection = &notes->summary->selection;

	if (selection->other_time || selection->other_command || selection->without_time)
		say(notes,
		    "selected %" PRIu64 " events; %" PRIu64 " are of another time, "
		    "%" PRIu64 " of other commands, %" PRIu64 " have no time",
		    selection->events, selection->other_time, selection->other_command,
		    selection->without_time);
}

void coverage_notes__doubts(const struct coverage_notes *notes)
{
	put_skipped(notes);
	put_doubts(notes);
	put_selection(notes);
}
