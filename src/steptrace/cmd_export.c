// SPDX-License-Identifier: BSD-2-Clause
/* steptrace export: a recording for other viewers. The room recording/ reads it, the room export/
 * writes the formats. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/options.h"
#include "steptrace/command_line.h"
#include "steptrace/commands.h"
#include "steptrace/export/resume.h"
#include "steptrace/export_interruption.h"
#include "steptrace/export_options.h"
#include "steptrace/export_otlp.h"
#include "steptrace/export_send.h"
#include "steptrace/output/sink.h"
#include "steptrace/reading_progress.h"
#include "steptrace/recording/recording_reader.h"
#include "steptrace/recording_words.h"
#include "steptrace/whole_file.h"

static void print_help(void)
{
	printf("usage: steptrace export --to FORMAT [OPTIONS] FILE...\n\n"
	       "Converts recordings of steptrace record (NDJSON, also compressed with gzip) for\n"
	       "other programs. FILE - is standard input. Several files are read in the order of\n"
	       "their time.\n\n"
	       "  chrome      a timeline: each execution with its steps and tool calls, flows\n"
	       "              from parents to children and from queues to workers, the number of\n"
	       "              open executions, for ui.perfetto.dev or profiler.firefox.com\n"
	       "  speedscope  a profile: commands, steps and tool calls as a flame graph, in the\n"
	       "              order of time or added up, for www.speedscope.app\n"
	       "  csv         a table with a header line (RFC 4180); a text that a spreadsheet\n"
	       "              would compute (= + - @) has an apostrophe in front\n"
	       "  clickhouse  a row for each event (JSONEachRow); docs/scale.md has the tables\n"
	       "  kafka:BROKER/TOPIC\n"
	       "              a message for each event, as steptrace record -o sends them\n"
	       "  otlp:http://HOST:4318, otlp:https://...\n"
	       "              spans and log records, sent to an OTLP receiver, as record -o\n"
	       "              sends them\n");
	export_options__print(stdout);
	printf("\nExit status: 0 no error, 1 an error, or the recording has nothing to export, 2\n"
	       "wrong usage.\n\n"
	       "examples:\n"
	       "  steptrace export --to chrome events.ndjson -o trace.json\n"
	       "  steptrace export --to speedscope events.ndjson -o profile.json\n"
	       "  steptrace export --to csv --table steps events.ndjson.gz > steps.csv\n"
	       "  steptrace export --to clickhouse events.ndjson > rows.json\n"
	       "  steptrace export --to kafka:broker:9092/steptrace events.ndjson.1.gz\n"
	       "  steptrace export --to otlp:http://collector:4318 events.ndjson\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

/* ---- reading and writing */

/* An error that is none of the output is one of memory, or of the temporary file. */
static int refuse(const struct export_request *request, const struct export_out *out, int failed,
		  struct error *err)
{
	if (!out->err && failed == -ENOMEM)
		return error__set(err, failed, "there is no memory for the export");
	if (!out->err)
		return error__set(err, failed,
				  "cannot use a temporary file: %s (TMPDIR chooses its folder)",
				  strerror(-failed));
	return error__set(err, failed, "cannot write %s: %s",
			  request->output ? request->output : "standard output", strerror(-failed));
}

/* A file is replaced as a whole or not at all: only a stream can go on. */
static bool can_resume(const struct export_request *request)
{
	return request->format->reopen && !request->output;
}

static int interrupt(const struct export_request *request, const struct resume *resume,
		     struct export_out *out, struct error *err)
{
	int failed = export_out__flush(out);

	if (failed)
		return refuse(request, out, failed, err);
	return export_interruption__say(resume__now(resume), request->from, err);
}

static int convert_events(const struct export_request *request, struct recording_reader *reader,
			  struct export_out *out, void *export, struct resume *resume,
			  struct error *err)
{
	struct recorded_event event;
	int got = 0, failed;

	while (!export_interruption__is_asked() &&
	       (got = recording_reader__next(reader, &event, err)) > 0) {
		failed = request->format->event(export, &event);
		if (!failed && resume)
			failed = resume__event(resume, &event);
		if (failed)
			return refuse(request, out, failed, err);
	}
	return export_interruption__is_asked() ? interrupt(request, resume, out, err) : got;
}

/* A line of progress in the middle of the exported text would destroy it. */
static int convert(const struct export_request *request, struct recording_reader *reader,
		   struct export_out *out, void *export, struct resume *resume, struct error *err)
{
	struct reading_progress progress = {.is_shown = false};
	int code;

	if (request->output || !isatty(STDOUT_FILENO))
		reading_progress__begin(&progress, reader);
	code = convert_events(request, reader, out, export, resume, err);
	reading_progress__end(&progress);
	return code;
}

static int no_memory(struct error *err)
{
	error__set(err, -ENOMEM, "there is no memory for the export");
	return STATUS_FAILED;
}

/* The document is ended also after an error of the reader, so that what was read is a whole one. An
 * interrupted one goes on later. */
static int write_document(const struct export_request *request, struct recording_reader *reader,
			  struct export_out *out, void *export, struct resume *resume,
			  bool *is_whole, struct error *err)
{
	int code = convert(request, reader, out, export, resume, err);
	int status = code ? STATUS_FAILED : STATUS_DONE, ended = STATUS_DONE, failed = 0;

	recording_words__warn(recording_reader__counts(reader));
	if (out->err == 0 && code != -EINTR)
		failed = request->format->end(export, request->table, &ended);
	if (failed)
		refuse(request, out, failed, err);
	*is_whole = !out->err && !failed;
	return failed ? STATUS_FAILED : status ? status : ended;
}

static int run_with(const struct export_request *request, struct recording_reader *reader,
		    struct export_out *out, bool *is_whole, struct error *err)
{
	void *export = request->from.part ? request->format->reopen(out, request->table)
					  : request->format->open(out, request->table);
	struct resume *resume = NULL;
	int status;

	if (!export)
		return no_memory(err);
	if (can_resume(request)) {
		resume = resume__new();
		if (!resume) {
			request->format->free(export);
			return no_memory(err);
		}
		export_interruption__catch(reader);
	}
	status = write_document(request, reader, out, export, resume, is_whole, err);
	resume__free(resume);
	request->format->free(export);
	return status;
}

/* ---- the output */

static bool is_same_file(const struct stat *one, const char *path)
{
	struct stat other;

	return stat(path, &other) == 0 && one->st_dev == other.st_dev &&
	       one->st_ino == other.st_ino;
}

/* The output would be truncated before it is read. */
static int check_output(const struct export_request *request, struct error *err)
{
	struct stat output;

	if (!request->output || stat(request->output, &output) || !S_ISREG(output.st_mode))
		return 0;
	for (size_t i = 0; i < request->files_count; i++)
		if (is_same_file(&output, request->files[i]))
			return error__set(err, -EINVAL,
					  "'%s' is the recording: give another file with -o",
					  request->output);
	return 0;
}

/* The reader is opened first: what is no recording costs no file. */
static int run(const struct export_request *request, struct error *err)
{
	struct recording_reader *reader = NULL;
	struct export_out out;
	struct whole_file file;
	int status = STATUS_FAILED;

	if (check_output(request, err) ||
	    recording_reader__open(&reader, request->files, request->files_count, err))
		return STATUS_FAILED;
	if (recording_reader__start_at(reader, request->from, err)) {
		recording_reader__close(reader);
		return STATUS_FAILED;
	}
	if (whole_file__open(&file, request->output, err) == 0) {
		bool is_whole = false;

		export_out__init(&out, file.stream);
		status = run_with(request, reader, &out, &is_whole, err);
		export_out__free(&out);
		if (whole_file__close(&file, is_whole, err))
			status = STATUS_FAILED;
	}
	recording_reader__close(reader);
	return status;
}

int cmd_export(int argc, char **argv)
{
	struct export_request request;
	struct error err = {""};
	int status;

	if (!command_line__is_work(export_options__parse(&request, argc, argv, &err), print_help,
				   &err, &status))
		return status;
	if (request.where)
		status = sink__kind(request.where)->is_otlp ? export_otlp__run(&request, &err)
							    : export_send__run(&request, &err);
	else
		status = run(&request, &err);
	return command_line__end(status, &err);
}
