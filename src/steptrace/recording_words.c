// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording_words.h"

#include "common/log.h"

static void warn_lines(uint64_t count, const struct recorded_place *first, const char *words)
{
	log__warn("%llu %s left out: they %s; the first is line %llu of '%s'",
		  (unsigned long long)count, count == 1 ? "line is" : "lines are", words,
		  (unsigned long long)first->line, first->file);
}

static void warn_files(const struct recording_counts *counts)
{
	if (counts->files_damaged)
		log__warn("%llu compressed file(s) are damaged and were read up to there; the "
			  "first is '%s'",
			  (unsigned long long)counts->files_damaged, counts->first_damaged.file);
	if (counts->files_copied)
		log__warn("%llu file(s) are copies of others and are left out; the first is '%s'",
			  (unsigned long long)counts->files_copied, counts->first_copied.file);
}

void recording_words__warn(const struct recording_counts *counts)
{
	/* With an empty line, nothing was lost. */
	for (int i = 0; i < RECORDING_SKIPS_COUNT; i++)
		if (counts->skipped[i] && i != RECORDING_EMPTY)
			warn_lines(counts->skipped[i], &counts->first_skipped[i],
				   recording_skip_words[i]);
	if (counts->odd_lines)
		log__warn("%llu line(s) have a field of another type, which is left out; the first "
			  "is line %llu of '%s'",
			  (unsigned long long)counts->odd_lines,
			  (unsigned long long)counts->first_odd.line, counts->first_odd.file);
	warn_files(counts);
}
