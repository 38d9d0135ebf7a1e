// SPDX-License-Identifier: BSD-2-Clause
/* steptrace report: reads recordings, and says what they contain. report_options.c parses the
 * command line, the room recording/ reads, the rooms report/ and report_html/
 * count and write. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/options.h"
#include "common/terminal.h"
#include "steptrace/commands.h"
#include "steptrace/recording_words.h"
#include "steptrace/report/summary_json.h"
#include "steptrace/report/summary_text.h"
#include "steptrace/report_compare.h"
#include "steptrace/report_html/summary_html.h"
#include "steptrace/report_options.h"
#include "steptrace/report_reading.h"

static void print_help(void)
{
	printf("usage: steptrace report [OPTIONS] FILE...\n"
	       "       steptrace report --compare OLD [OPTIONS] NEW...\n\n"
	       "Reads recordings that steptrace record has written as JSON, and prints what they\n"
	       "contain: what they cover and what is missing, how often commands and steps were\n"
	       "executed, how long they took, what failed and was aborted, and the slowest\n"
	       "executions. '-' is standard input. Compressed recordings (gzip) are read as they\n"
	       "are. The parts of a rotated output are read in their order.\n\n"
	       "Counts and sums are exact. Percentiles differ from the exact percentiles by less\n"
	       "than 0.8 %%. No privileges are needed.\n");
	report_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. A number without a\n"
	       "unit is a number of seconds.\n\n"
	       "Exit status: 0 no error, also if something became slower, 1 a file could not be\n"
	       "read, there is no event to report, or --fail-slower, 2 wrong usage.\n\n"
	       "examples:\n"
	       "  steptrace report events.ndjson\n"
	       "  steptrace report --since 2026-11-24T09:00 --command 'mail.*' events.ndjson*\n"
	       "  steptrace report --html events.ndjson > report.html\n"
	       "  steptrace report --compare yesterday.ndjson today.ndjson\n"
	       "  zstdcat events.zst | steptrace report --json -\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

static struct text_style style_of_output(void)
{
	struct text_style style = {
		.columns = terminal__columns(STDOUT_FILENO, TEXT_COLUMNS),
	};

	style.has_colours = style.columns && terminal__wants_colours();
	return style;
}

static int write_report(const struct report_request *request, const struct summary *summary,
			const struct recording_counts *counts, struct error *err)
{
	const struct text_style style = style_of_output();
	int code;

	if (request->is_html)
		code = summary_html__write(stdout, summary, counts);
	else
		code = request->is_json ? summary_json__write(stdout, summary, counts)
					: summary_text__write(stdout, summary, counts, &style);
	return code ? error__set(err, code, "out of memory") : 0;
}

static int run(const struct report_request *request, struct error *err)
{
	struct summary *summary = summary__new(&request->summary);
	struct recording_counts counts;
	int code;

	if (!summary)
		return error__set(err, -ENOMEM, "out of memory");
	code = report_reading__read(summary, &counts, request->paths, request->paths_count, err);
	if (!code && request->is_json)
		recording_words__warn(&counts);
	if (!code)
		code = write_report(request, summary, &counts, err);
	summary__free(summary);
	return code;
}

static int report_or_compare(const struct report_request *request, struct error *err)
{
	const struct text_style style = style_of_output();

	return request->compare.old_count ? report_compare__run(request, &style, err)
					  : run(request, err);
}

static int status_of(const struct report_request *request)
{
	struct error err = {""};

	if (!report_or_compare(request, &err))
		return STATUS_DONE;
	log__error("%s", err.text);
	return STATUS_FAILED;
}

int cmd_report(int argc, char **argv)
{
	struct report_request request;
	struct error err = {""};
	int status;

	switch (report_options__parse(&request, argc, argv, &err)) {
	case OPTION_HELP:
		print_help();
		status = STATUS_DONE;
		break;
	case OPTION_BAD:
		log__error("%s", err.text);
		status = STATUS_USAGE;
		break;
	default: status = status_of(&request); break;
	}
	report_options__free(&request);
	return status;
}
