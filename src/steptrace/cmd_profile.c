// SPDX-License-Identifier: BSD-2-Clause
/* steptrace profile: the help, what is said at the end, and the exit status. profile_options.c
 * parses the command line, profile_reader.c connects the parts, the room record/ runs it. */
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/flame/unread_text.h"
#include "steptrace/profile_reader.h"
#include "steptrace/record/recording.h"
#include "steptrace/result_file.h"

/* What parse() returns besides the results of options.h. */
enum { NOT_OPENED = 1 };

static void print_help(void)
{
	printf("usage: steptrace profile [-a] [OPTIONS]\n"
	       "       steptrace profile -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace profile -x PATH [OPTIONS]\n"
	       "       steptrace profile [-x PATH] [OPTIONS] -- PROGRAM [ARGS...]\n\n"
	       "Attaches to runners and shows where in the code the time of their commands and\n"
	       "steps goes: stacks of the program and of the kernel, of threads that are inside\n"
	       "of a command. Stacks of threads that run are sampled; of threads that wait, the\n"
	       "waiting times are measured. Ctrl-C ends steptrace profile, and the result is\n"
	       "written.\n\n"
	       "A sample belongs to the innermost step that runs in its thread, or to the\n"
	       "command if there is none. Only commands that end while steptrace is attached are\n"
	       "shown.\n");
	profile_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. A number without a\n"
	       "unit is a number of seconds.\n\n"
	       "Exit status: 0 no error, 1 steptrace failed, or no stack was found, 2 wrong\n"
	       "usage. With -- PROGRAM: the exit status of PROGRAM. It is 1 instead if steptrace\n"
	       "failed, if no stack was found, or if PROGRAM exited with 0 but has no probes.\n\n"
	       "examples:\n"
	       "  sudo steptrace profile --duration 10s --format html -o profile.html\n"
	       "  sudo steptrace profile -p 4711 --off-cpu --min-blocked 1ms\n"
	       "  sudo steptrace profile --step-type 'Data*' --min-duration 50ms\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

/* ---- what is said at the end */

/* A profile of nothing would look like a program that does nothing. */
static int refuse_nothing(const struct profile_reader *reader, int status)
{
	const struct folded_facts *facts = &reader->folded.facts;

	log__error("no stack was found: %" PRIu64 " commands ended and passed the filters, %" PRIu64
		   " samples were outside of them, %" PRIu64 " were dropped, %" PRIu64
		   " were lost (a longer --duration sees more commands end)",
		   facts->executions_count, facts->outside_count, facts->dropped_count,
		   facts->lost_count);
	return status ? status : STATUS_FAILED;
}

static void warn(void *context, const char *sentence)
{
	(void)context;
	log__warn("%s", sentence);
}

static void say_missing(const struct folded_facts *facts)
{
	if (facts->lost_count)
		log__warn("%" PRIu64 " samples were lost in the kernel: their time is missing",
			  facts->lost_count);
	if (facts->dropped_count)
		log__warn("%" PRIu64 " samples were dropped because the memory of --hold was full; "
			  "some of them may have been outside of commands",
			  facts->dropped_count);
	if (facts->events_lost)
		log__warn("%" PRIu64 " events were lost: samples of these commands and steps are "
			  "missing, or shown with the command in place of the step (a larger "
			  "--buffer prevents this)",
			  facts->events_lost);
	unread_text__each(facts, warn, NULL);
	if (facts->cut_count)
		log__info("%" PRIu64 " of %" PRIu64 " samples have a cut stack: the outermost "
			  "functions are missing%s",
			  facts->cut_count, facts->samples_count,
			  facts->on_cpu_unwind[0] == 'D' ? "" : " (--unwind dwarf finds more)");
}

static int conclude(const struct profile_reader *reader, struct result_file *file, int status,
		    struct error *err)
{
	if (reader->has_failed) {
		log__error("there was no memory for the profile");
		return STATUS_FAILED;
	}
	if (!reader->watch || !reader->ended_ns)
		return status;
	say_missing(&reader->folded.facts);
	if (!reader->folded.stacks_count)
		return refuse_nothing(reader, status);
	return result_file__write(file, reader->text, reader->text_bytes, err) ? STATUS_FAILED
									       : status;
}

/* ---- running */

static void choose_unwind(struct profile_request *request)
{
	if (!profile_options__choose_unwind(request, capture__can_copy_stacks()))
		log__info("the stacks of programs are found by frame pointers: copies of them "
			  "(--unwind dwarf) need Linux 5.15 or later");
}

static int run(struct profile_request *request, struct result_file *file, struct error *err)
{
	struct profile_reader reader;
	struct event_reader events;
	int status = STATUS_FAILED;

	choose_unwind(request);
	if (profile_reader__open(&reader, request)) {
		error__set(err, -1, "out of memory");
	} else {
		events = profile_reader__events(&reader);
		request->session.reader = &events;
		request->session.takes_stdout = result_file__is_stdout(file);
		status = conclude(&reader, file, recording__run(&request->session, err), err);
	}
	profile_reader__close(&reader);
	return status;
}

/* --cgroup looks at the path, and the file of the result is opened. */
static int parse(struct profile_request *request, struct result_file *file, int argc, char **argv,
		 struct error *err)
{
	struct caller_rights saved;
	int result;

	if (caller_rights__use(&saved, err))
		return OPTION_BAD;
	result = profile_options__parse(request, argc, argv, err);
	if (result == OPTION_END && result_file__open(file, request->output, err))
		result = NOT_OPENED;
	caller_rights__end(&saved);
	return result;
}

int cmd_profile(int argc, char **argv)
{
	struct profile_request request;
	struct result_file file;
	struct error err = {""};
	int status;

	switch (parse(&request, &file, argc, argv, &err)) {
	case OPTION_HELP: print_help(); return STATUS_DONE;
	case OPTION_BAD: log__error("%s", err.text); return STATUS_USAGE;
	case NOT_OPENED: log__error("%s", err.text); return STATUS_FAILED;
	default: break;
	}
	status = run(&request, &file, &err);
	if (err.text[0])
		log__error("%s", err.text);
	return status;
}
