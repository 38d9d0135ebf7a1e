// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/log.h"

enum { JOINED_BYTES = 128 * 1024 }; /* lines that are worth a write of their own */

/* What is missing in front of a batch. */
struct gap {
	struct line_counts lost;
	uint64_t since_ns, until_ns;
};

struct waiting {
	struct batch *batch;
	struct gap gap;
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
	struct gap gap; /* behind the last of the queue */
	bool has_more, reopens, is_done, failed, was_full;
	uint64_t lost;

	/* the thread's own */
	enum stream_format format;
	struct clock_anchor clock;
	struct gap missing;        /* not said yet */
	struct line_counts gone;   /* at all */
	struct json joined, kinds; /* lines that are gathered, and of each the kind */
	struct json words;         /* our own lines */
	uint64_t gathered_ns;      /* when the first of them came; 0: there are none */
	bool is_away;              /* the sink failed, which was said */
	struct stream_counts counts;
	struct trace_totals totals;
	uint64_t stopped_ns;
	struct error err;
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
		      json__init(&output->joined, JOINED_BYTES) ||
		      json__init(&output->kinds, 4096) || json__init(&output->words, 4096)))
		code = error__set(err, -ENOMEM, "out of memory or descriptors");
	if (code) {
		output__close(output);
		return code;
	}
	output->sink->give_up_fd = output->give_up_fd;
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
	json__free(&output->joined);
	json__free(&output->kinds);
	json__free(&output->words);
	free(output);
}

int output__check_rights(const struct output *output, struct error *err)
{
	return output->sink->ops->check_rights ? output->sink->ops->check_rights(output->sink, err)
					       : 0;
}

/* ---- what is missing */

static void gap__add(struct gap *gap, const struct line_counts *lost, uint64_t since_ns,
		     uint64_t until_ns)
{
	if (line_counts__total(lost) == 0)
		return;
	if (line_counts__total(&gap->lost) == 0 || since_ns < gap->since_ns)
		gap->since_ns = since_ns;
	if (until_ns > gap->until_ns)
		gap->until_ns = until_ns;
	line_counts__add(&gap->lost, lost);
}

static void gap__add_batch(struct gap *gap, const struct batch *batch, size_t from)
{
	struct line_counts lost = {.events = {0}};

	batch__count(batch, from, &lost);
	gap__add(gap, &lost, clock__now_ns(), clock__now_ns());
}

/* ---- the thread: what it writes */

static void take_missing(struct output *output, const struct gap *gap)
{
	uint64_t lost = line_counts__total(&gap->lost);

	gap__add(&output->missing, &gap->lost, gap->since_ns, gap->until_ns);
	line_counts__add(&output->gone, &gap->lost);
	if (lost == 0)
		return;
	pthread_mutex_lock(&output->mutex);
	output->lost += lost;
	pthread_mutex_unlock(&output->mutex);
}

/* The end of an output that must not go without; the others go on. */
static void fail(struct output *output)
{
	pthread_mutex_lock(&output->mutex);
	output->failed = true;
	pthread_mutex_unlock(&output->mutex);
	poke(output->news_fd);
}

static void on_failure(struct output *output, int code, const struct error *err)
{
	if (!output->options.drops || code == -ECANCELED) {
		output->err = *err;
		fail(output);
	} else if (!output->is_away) {
		log__error("%s; it goes without until that is over", err->text);
	}
	output->is_away = true;
}

/* 0, or what came of it. */
static int put(struct output *output, const char *lines, size_t bytes, size_t *written)
{
	struct error err = {""};
	int code;

	*written = 0;
	if (output->failed)
		return -ECANCELED;
	code = sink__write(output->sink, lines, bytes, written, &err);
	if (code) {
		on_failure(output, code, &err);
	} else if (output->is_away) {
		log__info("%s is written to again", output->sink->name);
		output->is_away = false;
	}
	return code;
}

static int put_missing_kind(struct output *output, enum event_kind kind)
{
	const struct gap *gap = &output->missing;
	size_t written;
	int code;

	output->words.at = output->words.base;
	code = trace_events__put_lost(&output->words, output->format, &output->clock, kind,
				      LOSS_NOT_WRITTEN, gap->lost.events[kind],
				      (const uint64_t[2]){gap->since_ns, gap->until_ns});
	return code ? code
		    : put(output, output->words.base, json__length(&output->words), &written);
}

/* trace.lost for what is missing, line by line: what was said is not said again. 0, or the rest has to
 * be said later. */
static int put_missing(struct output *output)
{
	uint64_t *missing = output->missing.lost.events;
	int code = 0;

	if (line_counts__total(&output->missing.lost) == 0)
		return 0;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT && !code; kind++) {
		if (missing[kind] == 0)
			continue;
		code = put_missing_kind(output, (enum event_kind)kind);
		if (!code)
			missing[kind] = 0;
	}
	if (!code)
		output->missing = (struct gap){.since_ns = 0};
	return code;
}

static void put_batch(struct output *output, const struct batch *batch)
{
	size_t written = 0;
	struct gap gap = {.since_ns = 0};

	if (put_missing(output) == 0 &&
	    put(output, batch->lines.base, json__length(&batch->lines), &written) == 0)
		return;
	gap__add_batch(&gap, batch, written);
	take_missing(output, &gap);
}

/* ---- lines that are gathered: for a sink that likes them many */

static void put_gathered(struct output *output)
{
	const struct batch all = {.lines = output->joined, .kinds = output->kinds};

	if (output->gathered_ns == 0)
		return;
	put_batch(output, &all);
	output->joined.at = output->joined.base;
	output->kinds.at = output->kinds.base;
	output->gathered_ns = 0;
}

static void gather(struct output *output, const struct batch *batch)
{
	size_t bytes = json__length(&batch->lines), lines = json__length(&batch->kinds);

	if (json__reserve(&output->joined, bytes) || json__reserve(&output->kinds, lines)) {
		put_gathered(output);
		put_batch(output, batch);
		return;
	}
	if (output->gathered_ns == 0)
		output->gathered_ns = clock__now_ns();
	json__bytes(&output->joined, batch->lines.base, bytes);
	json__bytes(&output->kinds, batch->kinds.base, lines);
	if (json__length(&output->joined) >= JOINED_BYTES)
		put_gathered(output);
}

static void take(struct output *output, struct waiting *waiting)
{
	if (line_counts__total(&waiting->gap.lost)) {
		put_gathered(output);
		take_missing(output, &waiting->gap);
	}
	if (output->sink->gathers_ns && !output->failed)
		gather(output, waiting->batch);
	else
		put_batch(output, waiting->batch);
}

/* ---- the thread: what it waits for */

static int patience_ms(const struct output *output)
{
	uint64_t waited;

	if (output->gathered_ns == 0)
		return -1;
	waited = clock__now_ns() - output->gathered_ns;
	return waited >= output->sink->gathers_ns
		       ? 0
		       : (int)((output->sink->gathers_ns - waited) / 1000000) + 1;
}

static void await_something(struct output *output)
{
	const struct sink_ops *ops = output->sink->ops;
	struct pollfd fds[2] = {{.fd = output->wake_fd, .events = POLLIN}, {.fd = -1}};

	if (ops->watched_fd)
		fds[1] = (struct pollfd){.fd = ops->watched_fd(output->sink),
					 .events = POLLIN | POLLRDHUP};
	if (poll(fds, 2, patience_ms(output)) == 0)
		put_gathered(output);
	if (fds[0].revents)
		calm(output->wake_fd);
	if (fds[1].revents)
		ops->look(output->sink);
}

/* What is next: a batch, or NULL; *ends: there will be none. */
static struct waiting *next(struct output *output, bool *ends, bool *reopens)
{
	struct waiting *waiting;

	pthread_mutex_lock(&output->mutex);
	waiting = take_first(output);
	*ends = !waiting && !output->has_more;
	*reopens = output->reopens;
	output->reopens = false;
	pthread_mutex_unlock(&output->mutex);
	return waiting;
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

/* The totals as this output has them. */
static void put_stopped(struct output *output)
{
	struct stream_counts *counts = &output->counts;
	size_t written;

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		counts->events[kind] -= output->gone.events[kind];
		counts->lost[kind][LOSS_NOT_WRITTEN] += output->gone.events[kind];
		counts->aborted[kind] -= output->gone.aborted[kind];
	}
	output->words.at = output->words.base;
	if (trace_events__put_stopped(&output->words, output->format, &output->clock, counts,
				      &output->totals, output->stopped_ns) == 0 &&
	    json__length(&output->words))
		put(output, output->words.base, json__length(&output->words), &written);
}

static void take_last_gap(struct output *output)
{
	struct gap gap;

	pthread_mutex_lock(&output->mutex);
	gap = output->gap;
	output->gap = (struct gap){.since_ns = 0};
	pthread_mutex_unlock(&output->mutex);
	take_missing(output, &gap);
}

static void end(struct output *output)
{
	put_gathered(output);
	take_last_gap(output);
	put_missing(output);
	put_stopped(output);
	pthread_mutex_lock(&output->mutex);
	output->is_done = true;
	pthread_mutex_unlock(&output->mutex);
	poke(output->news_fd);
}

static void *run(void *argument)
{
	struct output *output = argument;
	bool ends = false, reopens;
	size_t written;

	put(output, "", 0, &written); /* the header need not wait for somebody to do something */
	while (!ends) {
		struct waiting *waiting = next(output, &ends, &reopens);

		if (reopens && output->sink->ops->reopen) {
			put_gathered(output);
			output->sink->ops->reopen(output->sink);
		}
		if (waiting) {
			take(output, waiting);
			finished(output, waiting);
		} else if (!ends) {
			await_something(output);
		}
	}
	end(output);
	return NULL;
}

int output__start(struct output *output, const char *header, enum stream_format format,
		  const struct clock_anchor *clock, struct error *err)
{
	int code;

	output->sink->header = header;
	output->format = format;
	output->clock = *clock;
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

void output__give(struct output *output, struct batch *batch)
{
	struct waiting *waiting = malloc(sizeof(*waiting));

	pthread_mutex_lock(&output->mutex);
	if (!waiting || (is_full(output) && output->options.drops)) {
		gap__add_batch(&output->gap, batch, 0);
		free(waiting);
	} else {
		batch__hold(batch);
		*waiting = (struct waiting){.batch = batch, .gap = output->gap};
		output->gap = (struct gap){.since_ns = 0};
		*output->last = waiting;
		output->last = &waiting->next;
		output->queued_bytes += batch__bytes(batch);
	}
	pthread_mutex_unlock(&output->mutex);
	poke(output->wake_fd);
}

bool output__has_room(struct output *output)
{
	bool full;

	pthread_mutex_lock(&output->mutex);
	full = !output->options.drops && !output->failed && is_full(output);
	output->was_full = full;
	pthread_mutex_unlock(&output->mutex);
	return !full;
}

void output__reopen(struct output *output)
{
	pthread_mutex_lock(&output->mutex);
	output->reopens = true;
	pthread_mutex_unlock(&output->mutex);
	poke(output->wake_fd);
}

void output__finish(struct output *output, const struct stream_counts *counts,
		    const struct trace_totals *totals, uint64_t now_ns)
{
	pthread_mutex_lock(&output->mutex);
	output->counts = *counts;
	output->totals = *totals;
	output->stopped_ns = now_ns;
	output->has_more = false;
	pthread_mutex_unlock(&output->mutex);
	poke(output->wake_fd);
}

bool output__is_done(struct output *output)
{
	bool is_done;

	pthread_mutex_lock(&output->mutex);
	is_done = output->is_done;
	pthread_mutex_unlock(&output->mutex);
	return is_done;
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
		.lost = output->lost + line_counts__total(&output->gap.lost),
		.queued_bytes = output->queued_bytes,
		.failed = output->failed,
	};
	pthread_mutex_unlock(&output->mutex);
}

const struct error *output__error(const struct output *output)
{
	return &output->err;
}

const char *output__name(const struct output *output)
{
	return output->sink->name;
}

bool output__is_terminal(const struct output *output)
{
	return sink__is_terminal(output->sink);
}

bool output__is_file(const struct output *output)
{
	return output->sink->ops->reopen != NULL;
}
