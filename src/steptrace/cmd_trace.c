// SPDX-License-Identifier: BSD-2-Clause
/* steptrace trace: one execution, or all of one correlation, as a tree with a timeline. The room
 * recording/ reads, the room tree/ selects, builds and writes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/option_groups.h"
#include "common/terminal.h"
#include "steptrace/command_line.h"
#include "steptrace/commands.h"
#include "steptrace/reading_progress.h"
#include "steptrace/recording/recording_reader.h"
#include "steptrace/recording_words.h"
#include "steptrace/tree/tree_output.h"

enum { COLUMNS_OTHERWISE = 100, COLUMNS_MIN = 60, COLUMNS_MAX = 400 };

struct trace_request {
	bool is_json;
	const char *id;
	const char *const *files;
	size_t files_count;
};

static const struct option_row rows[] = {
	{{0, "json", NULL, "write one JSON object, with all events"},
	 OPTION_STORES(FLAG, struct trace_request, is_json)},
};

static void print_help(void)
{
	const struct option_group group = {"options", rows, 1, NULL};

	printf("usage: steptrace trace [OPTIONS] EXECUTION_ID|CORRELATION_ID FILE...\n\n"
	       "Shows one execution of a recording, or all executions of one correlation, as a\n"
	       "tree with a timeline: the executions that started it, steps, tool calls, changed\n"
	       "fragments, time in queues, where the time went (record --breakdown), what failed\n"
	       "and what was lost, and the executions that it started, with all of theirs. The\n"
	       "beginning of an id is enough if no other id begins like that. FILE is a\n"
	       "recording of steptrace record (NDJSON, also compressed with gzip); - is\n"
	       "standard input.\n");
	option_groups__print(stdout, &group, 1);
	printf("\nExit status: 0 no error, 1 an error, or there is no such id, 2 wrong usage.\n\n"
	       "examples:\n"
	       "  steptrace trace 9aec75e8 events.ndjson\n"
	       "  steptrace trace --json req-42 events.ndjson.gz | jq .nodes\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

static int parse(struct trace_request *request, int argc, char **argv, struct error *err)
{
	const struct option_group group = {"options", rows, 1, request};
	struct options_parser parser;
	int result;

	*request = (struct trace_request){.is_json = false};
	result = option_groups__parse(&group, 1, argc, argv, &parser, err);
	if (result != OPTION_END)
		return result;
	if (argc - parser.operands < 2 || !argv[parser.operands][0]) {
		error__set(err, -EINVAL,
			   "give an id and a recording (for example: steptrace trace 9aec75e8 "
			   "events.ndjson)");
		return OPTION_BAD;
	}
	request->id = argv[parser.operands];
	request->files = (const char *const *)argv + parser.operands + 1;
	request->files_count = (size_t)(argc - parser.operands - 1);
	return OPTION_END;
}

/* ---- reading */

static int add_event(struct selection *selection, struct family *family,
		     const struct recorded_event *event)
{
	int failed = selection__add(selection, event);

	return failed || selection->family ? failed : family__note(family, event);
}

/* The second time, the selection has a family. */
static int select_lines(const struct trace_request *request, struct selection *selection,
			struct family *family, struct error *err)
{
	struct recording_reader *reader;
	struct reading_progress progress;
	struct recorded_event event;
	int got, failed = 0;

	got = recording_reader__open(&reader, request->files, request->files_count, err);
	if (got)
		return got;
	reading_progress__begin(&progress, reader);
	while ((got = recording_reader__next(reader, &event, err)) > 0 && !failed)
		failed = add_event(selection, family, &event);
	reading_progress__end(&progress);
	if (failed)
		got = error__set(err, failed, "there is no memory for the events");
	else if (!selection->family)
		recording_words__warn(recording_reader__counts(reader));
	recording_reader__close(reader);
	return got;
}

static bool can_read_again(const struct trace_request *request)
{
	struct stat file;

	for (size_t i = 0; i < request->files_count; i++)
		if (stat(request->files[i], &file) || !S_ISREG(file.st_mode))
			return false;
	return true;
}

/* ---- the family */

static void find_family(struct family *family, const struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->nodes[i].kind == TREE_EXECUTION)
			family__add(family, tree->nodes[i].id);
	family__resolve(family);
}

/* Replaces the selection and the tree by those of the family. The tree is freed on errors. */
static int read_family(const struct trace_request *request, struct selection *selection,
		       struct family *family, const char *id, struct tree *tree, struct error *err)
{
	int failed;

	tree__free(tree);
	selection__free(selection);
	selection__init(selection, id);
	selection->family = family;
	failed = select_lines(request, selection, family, err);
	if (!failed && tree__make(tree, selection, id))
		failed = error__set(err, -ENOMEM, "there is no memory for the tree");
	return failed;
}

/* ---- writing */

static bool locale_is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *value = NULL;

	for (size_t i = 0; i < 3 && !(value && *value); i++)
		value = getenv(names[i]);
	return value && (strcasestr(value, "utf-8") || strcasestr(value, "utf8"));
}

static struct tree_style style_of_output(void)
{
	unsigned int columns = terminal__columns(STDOUT_FILENO, COLUMNS_OTHERWISE);

	if (columns == 0)
		columns = COLUMNS_OTHERWISE;
	columns = columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
	return (struct tree_style){
		.columns = columns > COLUMNS_MAX ? COLUMNS_MAX : columns,
		.is_utf8 = locale_is_utf8(),
	};
}

static int write_tree(const struct trace_request *request, const struct tree *tree,
		      const struct tree_context *context, struct error *err)
{
	struct tree_style style = style_of_output();
	int failed = request->is_json ? tree_json__write(stdout, tree, context)
				      : tree_text__write(stdout, tree, context, &style);

	return failed ? error__set(err, failed, "there is no memory for the tree") : 0;
}

/* What is known of the recording. Large: not on the stack. */
struct traced {
	struct selection selection;
	struct family family;
	char id[SELECTION_ID_BYTES + 1];
};

static int show(const struct trace_request *request, struct traced *traced, struct tree *tree,
		struct error *err)
{
	struct tree_ancestors ancestors;
	const struct tree_context context = {
		.id = traced->id,
		.selection = &traced->selection,
		.family = &traced->family,
		.ancestors = &ancestors,
		.is_read_once = !can_read_again(request),
	};
	int failed = 0;

	find_family(&traced->family, tree);
	if (traced->family.ancestors_count + traced->family.descendants_count &&
	    !context.is_read_once)
		failed = read_family(request, &traced->selection, &traced->family, traced->id, tree,
				     err);
	if (failed)
		return failed;
	tree_ancestors__find(&ancestors, tree);
	failed = write_tree(request, tree, &context, err);
	tree__free(tree);
	return failed;
}

static int run(const struct trace_request *request, struct traced *traced, struct error *err)
{
	const char *id;
	struct tree tree;
	int failed = select_lines(request, &traced->selection, &traced->family, err);

	if (failed)
		return failed;
	id = selection__id(&traced->selection, err);
	if (!id)
		return -ENOENT;
	snprintf(traced->id, sizeof(traced->id), "%s", id);
	if (tree__make(&tree, &traced->selection, id))
		return error__set(err, -ENOMEM, "there is no memory for the tree");
	return show(request, traced, &tree, err);
}

int cmd_trace(int argc, char **argv)
{
	struct trace_request request;
	struct traced *traced;
	struct error err = {""};
	int status;

	if (!command_line__is_work(parse(&request, argc, argv, &err), print_help, &err, &status))
		return status;
	traced = malloc(sizeof(*traced));
	if (!traced) {
		log__error("there is no memory");
		return STATUS_FAILED;
	}
	selection__init(&traced->selection, request.id);
	family__init(&traced->family);
	status = run(&request, traced, &err) ? STATUS_FAILED : STATUS_DONE;
	selection__free(&traced->selection);
	family__free(&traced->family);
	free(traced);
	return command_line__end(status, &err);
}
