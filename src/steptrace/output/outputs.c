// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/outputs.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static const char *where_of(const struct output_options *options)
{
	return options->sink.where ? options->sink.where : "-";
}

static const char *path_of(const char *where)
{
	return strcmp(where, "-") == 0 ? "/proc/self/fd/1" : where;
}

static bool is_one_inode(const struct stat *its, const struct stat *theirs)
{
	return its->st_dev == theirs->st_dev && its->st_ino == theirs->st_ino;
}

/* Of files that are still to be made: the same name in the same folder. */
static bool is_one_place(const char *one, const char *other)
{
	char folders[2][PATH_MAX], names[2][PATH_MAX];
	const char *const paths[2] = {one, other};
	struct stat status[2];

	for (int i = 0; i < 2; i++) {
		if (!sink__kind(paths[i])->makes_files)
			return false;
		snprintf(folders[i], sizeof(folders[i]), "%s", paths[i]);
		snprintf(names[i], sizeof(names[i]), "%s", paths[i]);
		if (stat(dirname(folders[i]), &status[i]))
			return false;
	}
	return is_one_inode(&status[0], &status[1]) &&
	       strcmp(basename(names[0]), basename(names[1])) == 0;
}

/* Two names of one file are found, too. A character device, such as a terminal or /dev/null, may be
 * named twice. */
static bool are_same(const char *one, const char *other)
{
	struct stat its, theirs;
	bool it_is, they_are;

	if (strcmp(one, other) == 0)
		return true;
	it_is = stat(path_of(one), &its) == 0;
	they_are = stat(path_of(other), &theirs) == 0;
	if (it_is && they_are)
		return !S_ISCHR(its.st_mode) && is_one_inode(&its, &theirs);
	return !it_is && !they_are && is_one_place(one, other);
}

int outputs__check_once(const struct output_options *options, size_t count, struct error *err)
{
	const char *where = where_of(&options[count]);

	for (size_t i = 0; i < count; i++)
		if (are_same(where, where_of(&options[i])))
			return error__set(err, -EINVAL,
					  "'%s' is named twice as an output: remove one of the two",
					  where);
	return 0;
}

int outputs__open(struct outputs *outputs, const struct output_options *options, size_t count,
		  struct error *err)
{
	int code = 0;

	*outputs = (struct outputs){.news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	if (outputs->news_fd < 0)
		return error__set(err, -errno, "cannot set up outputs: %s", strerror(errno));
	for (size_t i = 0; i < count && !code; i++) {
		code = output__open(&options[i], outputs->news_fd, &outputs->items[i], err);
		outputs->count += code == 0;
		if (!code)
			code = outputs__check_once(options, i, err);
	}
	return code;
}

void outputs__close(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		output__close(outputs->items[i]);
	if (outputs->news_fd > 0)
		close(outputs->news_fd);
	free(outputs->header);
	*outputs = (struct outputs){.count = 0};
}

size_t outputs__groups(const struct outputs *outputs, gid_t groups[OUTPUTS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < outputs->count; i++) {
		gid_t group = output__group(outputs->items[i]);

		if (group != FILE_GROUP_ANY)
			groups[count++] = group;
	}
	return count;
}

int outputs__set_header(struct outputs *outputs, struct stream *stream, struct error *err)
{
	struct lines *lines = stream__lines(stream);

	outputs->header = strndup(lines->text.base, lines__bytes(lines));
	if (!outputs->header)
		return error__set(err, -ENOMEM, "out of memory");
	lines__clear(lines);
	return 0;
}

int outputs__start(struct outputs *outputs, struct stream *stream, struct error *err)
{
	int code = 0;

	for (size_t i = 0; i < outputs->count && !code; i++)
		code = output__start(outputs->items[i], outputs->header, stream__options(stream),
				     err);
	return code;
}

void outputs__give(struct outputs *outputs, struct stream *stream)
{
	struct batch *batch;

	if (lines__bytes(stream__lines(stream)) == 0)
		return;
	batch = batch__take(stream);
	if (!batch)
		return;
	for (size_t i = 0; i < outputs->count; i++)
		output__give(outputs->items[i], batch);
	batch__let_go(batch);
}

bool outputs__have_room(struct outputs *outputs)
{
	bool room = true;

	for (size_t i = 0; i < outputs->count; i++)
		room = output__has_room(outputs->items[i]) && room;
	return room;
}

/* When all have failed this is not called: the recording ends with the sentence of the first. */
static void log_failed(struct outputs *outputs)
{
	struct output_state state;

	for (size_t i = 0; i < outputs->count; i++) {
		output__state(outputs->items[i], &state);
		if (!state.failed || outputs->is_failure_logged[i])
			continue;
		outputs->is_failure_logged[i] = true;
		log__error("%s; nothing more is written there, the other outputs continue",
			   output__error(outputs->items[i])->text);
	}
}

void outputs__clear_news(struct outputs *outputs)
{
	uint64_t times;

	if (read(outputs->news_fd, &times, sizeof(times)) < 0)
		return; /* it was not readable */
}

void outputs__take_news(struct outputs *outputs, bool *failed, bool *any_left)
{
	struct output_state state;

	outputs__clear_news(outputs);
	*failed = *any_left = false;
	for (size_t i = 0; i < outputs->count; i++) {
		output__state(outputs->items[i], &state);
		*failed = *failed || state.failed;
		*any_left = *any_left || !state.failed;
	}
	if (*failed && *any_left)
		log_failed(outputs);
}

void outputs__reopen(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		output__reopen(outputs->items[i]);
}

/* ---- the end */

void outputs__finish(struct outputs *outputs, const struct stream *stream,
		     const struct trace_totals *totals)
{
	uint64_t now = clock__now_ns();

	for (size_t i = 0; i < outputs->count; i++)
		output__finish(outputs->items[i], stream__counts(stream), totals, now);
}

bool outputs__are_done(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (!output__is_done(outputs->items[i]))
			return false;
	return true;
}

static bool is_stalled(struct outputs *outputs, size_t i, uint64_t now)
{
	uint64_t bytes = output__written_bytes(outputs->items[i]);

	if (!output__is_awaited(outputs->items[i]) || outputs->progress[i].since_ns == 0 ||
	    outputs->progress[i].bytes != bytes) {
		outputs->progress[i].bytes = bytes;
		outputs->progress[i].since_ns = now;
	}
	return now - outputs->progress[i].since_ns >= output__stall_timeout_ns(outputs->items[i]);
}

void outputs__give_up_stalled(struct outputs *outputs)
{
	uint64_t now = clock__now_ns();

	for (size_t i = 0; i < outputs->count; i++) {
		output__await_end(outputs->items[i]);
		if (is_stalled(outputs, i, now))
			output__give_up(outputs->items[i]);
	}
}

void outputs__give_up(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		output__give_up(outputs->items[i]);
}

const char *outputs__awaited_name(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (output__is_awaited(outputs->items[i]))
			return output__name(outputs->items[i]);
	return NULL;
}

static int first_error(const struct outputs *outputs, struct error *err)
{
	struct output_state state;
	int code = 0;

	for (size_t i = 0; i < outputs->count; i++) {
		output__state(outputs->items[i], &state);
		if (!state.failed)
			continue;
		if (code && !outputs->is_failure_logged[i])
			log__error("%s", output__error(outputs->items[i])->text);
		else if (!code)
			code = error__set(err, -EIO, "%s", output__error(outputs->items[i])->text);
	}
	return code;
}

void outputs__log_lost(const struct outputs *outputs)
{
	struct output_state state;

	for (size_t i = 0; i < outputs->count; i++) {
		output__state(outputs->items[i], &state);
		if (state.lost && outputs->count > 1)
			log__info("%llu events were not written to %s",
				  (unsigned long long)state.lost, output__name(outputs->items[i]));
	}
}

int outputs__end(struct outputs *outputs, struct error *err)
{
	for (size_t i = 0; i < outputs->count; i++)
		output__end(outputs->items[i]);
	return first_error(outputs, err);
}

uint64_t outputs__lost(struct outputs *outputs)
{
	struct output_state state;
	uint64_t fewest = UINT64_MAX;

	for (size_t i = 0; i < outputs->count; i++) {
		output__state(outputs->items[i], &state);
		fewest = state.lost < fewest ? state.lost : fewest;
	}
	return outputs->count ? fewest : 0;
}

bool outputs__use_terminal(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (output__is_terminal(outputs->items[i]))
			return true;
	return false;
}

bool outputs__make_files(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (output__kind(outputs->items[i])->makes_files)
			return true;
	return false;
}

bool outputs__connect(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (output__kind(outputs->items[i])->connects)
			return true;
	return false;
}

bool outputs__send_kafka(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (output__kind(outputs->items[i])->is_kafka)
			return true;
	return false;
}

bool outputs__speak_http(const struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (output__kind(outputs->items[i])->speaks_http)
			return true;
	return false;
}
