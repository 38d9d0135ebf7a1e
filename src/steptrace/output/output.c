// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/output.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "steptrace/output/missing_lines.h"
#include "steptrace/output/writer.h"

#define STEADY_NS 1000000000ull /* in which who gets on moves something */
#define BURSTY_NS 5000000000ull

struct waiting {
	struct batch *batch;
	struct missing_lines missing;
	struct waiting *next;
};

struct output {
	struct output_options options;
	struct sink *sink;
	pthread_t thread;
	int news_fd;             /* borrowed */
	int wake_fd, give_up_fd; /* eventfds */
	bool is_started;

	pthread_mutex_t mutex; /* guards from here to the next empty line */
	struct waiting *first, **last;
	size_t queued_bytes;
	struct missing_lines missing; /* behind the last of the queue */
	uint64_t refused;             /* events that found no room */
	bool has_more, reopens, is_done, was_full;
	bool sleeps;                 /* the thread, until it is poked */
	struct stream_counts counts; /* these three for its end */
	struct trace_totals totals;
	uint64_t stopped_ns;

	struct writer writer; /* the thread's own, this and the next */
	bool told_failure;
};

static void poke(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

static void calm(int fd)
{
	uint64_t times;

	if (read(fd, &times, sizeof(times)) < 0)
		return;
}

/* Under the mutex. Who is awake looks by itself before it sleeps. */
static void wake(struct output *output)
{
	if (output->sleeps)
		poke(output->wake_fd);
	output->sleeps = false;
}

int output__open(const struct output_options *options, int news_fd, struct output **out,
		 struct error *err)
{
	struct output *output = calloc(1, sizeof(*output));
	int code;

	if (!output)
		return error__set(err, -ENOMEM, "out of memory");
	output->options = *options;
	output->news_fd = news_fd;
	output->last = &output->first;
	output->has_more = true;
	output->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	output->give_up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&output->mutex, NULL);
	code = sink__open(&options->sink, &output->sink, err);
	if (!code && (output->wake_fd < 0 || output->give_up_fd < 0 ||
		      writer__open(&output->writer, output->sink, options->drops)))
		code = error__set(err, -ENOMEM, "out of memory or descriptors");
	if (code) {
		output__close(output);
		return code;
	}
	output->sink->write_state.give_up_fd = output->give_up_fd;
	*out = output;
	return 0;
}

static struct waiting *take_first(struct output *output)
{
	struct waiting *waiting = output->first;

	if (!waiting)
		return NULL;
	output->first = waiting->next;
	if (!output->first)
		output->last = &output->first;
	return waiting;
}

static void free_waiting(struct waiting *waiting)
{
	batch__let_go(waiting->batch);
	free(waiting);
}

void output__close(struct output *output)
{
	struct waiting *waiting;

	if (!output)
		return;
	while ((waiting = take_first(output)))
		free_waiting(waiting);
	sink__close(output->sink);
	if (output->wake_fd >= 0)
		close(output->wake_fd);
	if (output->give_up_fd >= 0)
		close(output->give_up_fd);
	pthread_mutex_destroy(&output->mutex);
	writer__close(&output->writer);
	free(output);
}

int output__check_rights(const struct output *output, struct error *err)
{
	return output->sink->ops->check_rights ? output->sink->ops->check_rights(output->sink, err)
					       : 0;
}

/* ---- the thread */

/* The end of an output that must not go without; the others go on. */
static void tell_failure(struct output *output)
{
	if (output->told_failure || !output->writer.failed)
		return;
	output->told_failure = true;
	poke(output->news_fd);
}

static void await_something(struct output *output)
{
	const struct sink_ops *ops = output->sink->ops;
	struct pollfd fds[2] = {{.fd = output->wake_fd, .events = POLLIN}, {.fd = -1}};

	if (ops->watched_fd)
		fds[1] = (struct pollfd){.fd = ops->watched_fd(output->sink),
					 .events = POLLIN | POLLRDHUP};
	tell_failure(output);
	if (poll(fds, 2, writer__patience_ms(&output->writer)) == 0)
		writer__tick(&output->writer);
	if (fds[0].revents)
		calm(output->wake_fd);
	if (fds[1].revents)
		ops->look(output->sink);
}

struct todo {
	struct waiting *waiting;      /* the first of the queue; NULL: there is none */
	struct missing_lines missing; /* where there is none: what found no room since the last */
	bool reopens, ends;
};

static void take_todo(struct output *output, struct todo *todo)
{
	pthread_mutex_lock(&output->mutex);
	*todo = (struct todo){.waiting = take_first(output), .reopens = output->reopens};
	todo->ends = !todo->waiting && !output->has_more;
	if (!todo->waiting) {
		todo->missing = output->missing;
		output->missing = (struct missing_lines){.since_ns = 0};
	}
	output->reopens = false;
	output->sleeps = !todo->waiting && !todo->ends;
	pthread_mutex_unlock(&output->mutex);
}

/* Its room is given back when it is written, not before. */
static void finished(struct output *output, struct waiting *waiting)
{
	bool was_full;

	pthread_mutex_lock(&output->mutex);
	output->queued_bytes -= batch__bytes(waiting->batch);
	was_full = output->was_full && output->queued_bytes <= output->options.queue_bytes / 2;
	if (was_full)
		output->was_full = false;
	pthread_mutex_unlock(&output->mutex);
	free_waiting(waiting);
	if (was_full)
		poke(output->news_fd);
}

static void end(struct output *output, const struct missing_lines *missing)
{
	writer__end(&output->writer, missing, &output->counts, &output->totals, output->stopped_ns);
	pthread_mutex_lock(&output->mutex);
	output->is_done = true;
	pthread_mutex_unlock(&output->mutex);
	poke(output->news_fd);
}

static void reopen(struct output *output)
{
	if (!output->sink->ops->reopen)
		return;
	writer__flush(&output->writer);
	output->sink->ops->reopen(output->sink);
}

static void *run(void *argument)
{
	struct output *output = argument;
	struct todo todo;

	writer__begin(&output->writer);
	for (;;) {
		take_todo(output, &todo);
		if (todo.reopens)
			reopen(output);
		if (todo.ends)
			break;
		if (todo.waiting) {
			writer__put(&output->writer, &todo.waiting->batch->lines,
				    &todo.waiting->missing);
			finished(output, todo.waiting);
		} else {
			writer__go_without(&output->writer, &todo.missing);
			await_something(output);
		}
	}
	end(output, &todo.missing);
	return NULL;
}

int output__start(struct output *output, const char *header, enum stream_format format,
		  const struct clock_anchor *clock, struct error *err)
{
	int code;

	output->sink->header = header;
	output->writer.format = format;
	output->writer.clock = *clock;
	code = pthread_create(&output->thread, NULL, run, output);
	if (code)
		return error__set(err, -code, "cannot start a thread: %s", strerror(code));
	output->is_started = true;
	return 0;
}

/* ---- the recording's side */

static bool is_full(const struct output *output)
{
	return output->queued_bytes > output->options.queue_bytes;
}

static void refuse(struct output *output, const struct lines *lines)
{
	output->refused += missing_lines__add_lines(&output->missing, lines, 0, clock__now_ns());
	writer__miss(&output->writer, lines, 0);
}

void output__give(struct output *output, struct batch *batch)
{
	struct waiting *waiting = malloc(sizeof(*waiting));

	pthread_mutex_lock(&output->mutex);
	if (!waiting || (is_full(output) && output->options.drops)) {
		refuse(output, &batch->lines);
		free(waiting);
	} else {
		batch__hold(batch);
		*waiting = (struct waiting){.batch = batch, .missing = output->missing};
		output->missing = (struct missing_lines){.since_ns = 0};
		*output->last = waiting;
		output->last = &waiting->next;
		output->queued_bytes += batch__bytes(batch);
	}
	wake(output);
	pthread_mutex_unlock(&output->mutex);
}

bool output__has_room(struct output *output)
{
	bool full;

	pthread_mutex_lock(&output->mutex);
	full = !output->options.drops && !output->writer.failed && is_full(output);
	output->was_full = full;
	pthread_mutex_unlock(&output->mutex);
	return !full;
}

void output__reopen(struct output *output)
{
	pthread_mutex_lock(&output->mutex);
	output->reopens = true;
	wake(output);
	pthread_mutex_unlock(&output->mutex);
}

void output__finish(struct output *output, const struct stream_counts *counts,
		    const struct trace_totals *totals, uint64_t now_ns)
{
	pthread_mutex_lock(&output->mutex);
	output->counts = *counts;
	output->totals = *totals;
	output->stopped_ns = now_ns;
	output->has_more = false;
	wake(output);
	pthread_mutex_unlock(&output->mutex);
}

bool output__is_done(struct output *output)
{
	bool is_done;

	pthread_mutex_lock(&output->mutex);
	is_done = output->is_done;
	pthread_mutex_unlock(&output->mutex);
	return is_done;
}

bool output__is_awaited(struct output *output)
{
	bool is_awaited;

	pthread_mutex_lock(&output->mutex);
	is_awaited = !output->is_done && (output->was_full || !output->has_more);
	pthread_mutex_unlock(&output->mutex);
	return is_awaited;
}

uint64_t output__moved_bytes(const struct output *output)
{
	return output->sink->write_state.moved_bytes;
}

uint64_t output__patience_ns(const struct output *output)
{
	return output->sink->write_state.is_bursty ? BURSTY_NS : STEADY_NS;
}

void output__give_up(struct output *output)
{
	poke(output->give_up_fd);
}

void output__end(struct output *output)
{
	if (output->is_started)
		pthread_join(output->thread, NULL);
	output->is_started = false;
}

void output__state(struct output *output, struct output_state *state)
{
	pthread_mutex_lock(&output->mutex);
	*state = (struct output_state){
		.lost = output->writer.lost + output->refused,
		.queued_bytes = output->queued_bytes,
		.queue_bytes = output->options.queue_bytes,
		.failed = output->writer.failed,
	};
	pthread_mutex_unlock(&output->mutex);
}

const struct error *output__error(const struct output *output)
{
	return &output->writer.err;
}

const char *output__name(const struct output *output)
{
	return output->sink->name;
}

bool output__is_terminal(const struct output *output)
{
	return sink__is_terminal(output->sink);
}

const struct sink_kind *output__kind(const struct output *output)
{
	return output->sink->kind;
}
