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
#include "steptrace/confine/caller_rights.h"
#include "steptrace/output/batch_queue.h"
#include "steptrace/output/writer.h"

/* A pipe takes something within a second. A connection takes much at once, and then nothing for
 * seconds. */
#define STALL_TIMEOUT_NS            1000000000ull
#define CONNECTION_STALL_TIMEOUT_NS 5000000000ull

struct output {
	struct output_options options;
	struct sink *sink;
	pthread_t thread;
	int news_fd;             /* borrowed */
	int wake_fd, give_up_fd; /* eventfds */
	bool is_started;

	pthread_mutex_t mutex; /* guards everything from here to the next empty line */
	struct batch_queue queue;
	uint64_t refused;  /* events that found the queue full */
	bool has_more;     /* batches may follow */
	bool is_abandoned; /* the thread has to end, and to write nothing more */
	bool reopens;      /* the thread has to open the file again */
	bool is_done;
	bool was_full;               /* the recording waits for room */
	bool sleeps;                 /* the thread waits for wake_fd */
	struct stream_counts counts; /* these three for the trace.stopped */
	struct trace_totals totals;
	uint64_t stopped_ns;

	struct writer writer; /* this and the next are only used by the thread */
	bool reported_failure;
};

static void set_event(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		return; /* the eventfd is readable already */
}

static void clear_event(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return; /* it was not readable */
}

/* Wakes the thread. Called with the mutex held. A thread that does not sleep looks at the queue
 * before it sleeps. */
static void wake(struct output *output)
{
	if (output->sleeps)
		set_event(output->wake_fd);
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
	output->has_more = true;
	output->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	output->give_up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&output->mutex, NULL);
	code = sink__open(&options->sink, &output->sink, err);
	if (!code && (output->wake_fd < 0 || output->give_up_fd < 0 ||
		      writer__open(&output->writer, output->sink, options->drops)))
		code = error__set(err, -ENOMEM, "out of memory or open files (ulimit -n)");
	if (code) {
		output__close(output);
		return code;
	}
	batch_queue__init(&output->queue, options->queue_bytes - output->sink->own_queue_bytes);
	output->sink->write_state.give_up_fd = output->give_up_fd;
	*out = output;
	return 0;
}

/* The recording failed before it began: another output could not be started. */
static void abandon(struct output *output)
{
	pthread_mutex_lock(&output->mutex);
	output->is_abandoned = true;
	wake(output);
	pthread_mutex_unlock(&output->mutex);
	output__give_up(output);
	output__end(output);
}

void output__close(struct output *output)
{
	if (!output)
		return;
	if (output->is_started)
		abandon(output);
	batch_queue__clear(&output->queue);
	sink__close(output->sink);
	if (output->wake_fd >= 0)
		close(output->wake_fd);
	if (output->give_up_fd >= 0)
		close(output->give_up_fd);
	pthread_mutex_destroy(&output->mutex);
	writer__close(&output->writer);
	free(output);
}

gid_t output__group(const struct output *output)
{
	const struct sink *sink = output->sink;

	return sink->ops->group ? sink->ops->group(sink) : FILE_GROUP_ANY;
}

/* ---- the thread */

/* An output that blocks ends when its sink fails. The recording decides whether it goes on. */
static void report_failure(struct output *output)
{
	if (output->reported_failure || !output->writer.failed)
		return;
	output->reported_failure = true;
	set_event(output->news_fd);
}

static void sleep_until_woken(struct output *output)
{
	const struct sink_ops *ops = output->sink->ops;
	struct pollfd fds[2] = {{.fd = output->wake_fd, .events = POLLIN}, {.fd = -1}};

	if (ops->watched_fd)
		fds[1] = (struct pollfd){.fd = ops->watched_fd(output->sink),
					 .events = ops->on_readable ? POLLIN | POLLRDHUP : 0};
	report_failure(output);
	if (poll(fds, 2, writer__timeout_ms(&output->writer)) == 0)
		writer__tick(&output->writer);
	if (fds[0].revents)
		clear_event(output->wake_fd);
	if (fds[1].revents && ops->on_readable) {
		ops->on_readable(output->sink);
		writer__take_back(&output->writer);
	} else if (fds[1].revents) {
		writer__begin(&output->writer);
	}
}

/* What the thread has to do next. */
struct task {
	bool is_abandoned;
	struct queued_batch *queued;  /* NULL: the queue is empty */
	struct missing_lines missing; /* when it is empty: what was refused since the last batch */
	bool reopens, ends;
};

static void take_task(struct output *output, struct task *task)
{
	pthread_mutex_lock(&output->mutex);
	*task = (struct task){.is_abandoned = output->is_abandoned,
			      .queued = batch_queue__take(&output->queue),
			      .reopens = output->reopens};
	task->ends = !task->queued && !output->has_more;
	if (!task->queued)
		task->missing = batch_queue__take_missing(&output->queue);
	output->reopens = false;
	output->sleeps = !task->queued && !task->ends && !task->is_abandoned;
	pthread_mutex_unlock(&output->mutex);
}

/* The batch is written, so there is room for others. A recording that waits is told when half of
 * the queue is free. */
static void finish_batch(struct output *output, struct queued_batch *queued)
{
	bool has_news;

	pthread_mutex_lock(&output->mutex);
	batch_queue__done(&output->queue, queued);
	has_news = output->was_full && output->queue.bytes <= output->queue.limit_bytes / 2;
	if (has_news)
		output->was_full = false;
	pthread_mutex_unlock(&output->mutex);
	queued_batch__free(queued);
	if (has_news)
		set_event(output->news_fd);
}

static void end(struct output *output, const struct missing_lines *missing)
{
	writer__end(&output->writer, missing, &output->counts, &output->totals, output->stopped_ns);
	pthread_mutex_lock(&output->mutex);
	output->is_done = true;
	pthread_mutex_unlock(&output->mutex);
	set_event(output->news_fd);
}

static void reopen(struct output *output)
{
	if (!output->sink->ops->reopen)
		return;
	writer__flush(&output->writer);
	output->sink->ops->reopen(output->sink);
}

static void *abandoned(struct task *task)
{
	if (task->queued)
		queued_batch__free(task->queued);
	return NULL;
}

static void *run(void *argument)
{
	struct output *output = argument;
	struct task task;

	caller_rights__drop_capabilities();
	writer__begin(&output->writer);
	for (;;) {
		take_task(output, &task);
		if (task.is_abandoned)
			return abandoned(&task);
		if (task.reopens)
			reopen(output);
		if (task.ends)
			break;
		if (task.queued) {
			writer__put(&output->writer, &task.queued->batch->lines,
				    &task.queued->missing);
			finish_batch(output, task.queued);
		} else {
			writer__add_missing(&output->writer, &task.missing);
			sleep_until_woken(output);
		}
	}
	end(output, &task.missing);
	return NULL;
}

int output__start(struct output *output, const char *header, const struct stream_options *lines,
		  struct error *err)
{
	int code;

	output->sink->header = header;
	output->writer.format = lines->format;
	output->writer.labels = lines->labels;
	output->writer.clock = lines->clock;
	output->writer.own_lines.safe_integers = lines->safe_integers;
	code = pthread_create(&output->thread, NULL, run, output);
	if (code)
		return error__set(err, -code, "cannot start a thread: %s", strerror(code));
	output->is_started = true;
	return 0;
}

/* ---- the thread of the recording */

static void refuse(struct output *output, const struct lines *lines)
{
	output->refused += batch_queue__refuse(&output->queue, lines, clock__now_ns());
	writer__miss(&output->writer, lines, 0);
}

void output__give(struct output *output, struct batch *batch)
{
	pthread_mutex_lock(&output->mutex);
	if ((batch_queue__is_full(&output->queue) && output->options.drops) ||
	    batch_queue__add(&output->queue, batch))
		refuse(output, &batch->lines);
	wake(output);
	pthread_mutex_unlock(&output->mutex);
}

bool output__has_room(struct output *output)
{
	bool full;

	pthread_mutex_lock(&output->mutex);
	full = !output->options.drops && !output->writer.failed &&
	       batch_queue__is_full(&output->queue);
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

uint64_t output__written_bytes(const struct output *output)
{
	return output->sink->write_state.written_bytes;
}

void output__await_end(struct output *output)
{
	output->sink->write_state.is_ending = true;
}

uint64_t output__stall_timeout_ns(const struct output *output)
{
	if (output->sink->write_state.judges_itself)
		return UINT64_MAX;
	return output->sink->write_state.is_connection ? CONNECTION_STALL_TIMEOUT_NS
						       : STALL_TIMEOUT_NS;
}

void output__give_up(struct output *output)
{
	set_event(output->give_up_fd);
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
		.queued_bytes = output->queue.bytes + output->sink->held_bytes,
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
