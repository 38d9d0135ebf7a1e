// SPDX-License-Identifier: BSD-2-Clause
/*
 * An OTLP receiver. Lines become spans and log records of requests (otlp_sender.h). What becomes of
 * an event is known when its request is answered, so the sink reports missed events later.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "steptrace/output/otlp_sender.h"
#include "steptrace/output/sink.h"

struct otlp_sink {
	struct sink sink; /* its name is the text of -o */
	struct otlp_sender *sender;
	bool has_header;
};

static struct otlp_sink *otlp_of(struct sink *sink)
{
	return (struct otlp_sink *)sink;
}

static void report_missed(struct otlp_sink *otlp)
{
	struct line_mark mark;
	bool is_refused;

	while (otlp_sender__take_missed(otlp->sender, &mark, &is_refused))
		otlp->sink.lose(otlp->sink.lose_context, &mark, is_refused);
}

/* trace.started; it is no event of a runner. */
static int put_header(struct sink *sink, const char *header, size_t count)
{
	static const struct line_mark nothing;
	struct error err;

	return otlp_sender__put_line(otlp_of(sink)->sender, header, count - 1, &nothing, &err);
}

static int otlp_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		      struct error *err)
{
	struct otlp_sink *otlp = otlp_of(sink);
	const struct line_mark *mark = sink->marks;
	const char *at = lines, *end = lines + bytes;
	int code = 0;

	if (sink->parts == 0)
		sink__put_header(sink, put_header);
	for (; at < end && !code; mark++) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		size_t line_bytes = (size_t)((next ? next : end) - at);

		code = otlp_sender__put_line(otlp->sender, at, line_bytes, mark, err);
		at = next ? next + 1 : end;
	}
	*written = (size_t)(at - lines);
	report_missed(otlp);
	return code;
}

static uint64_t otlp_timer_ns(const struct sink *sink)
{
	return otlp_sender__due_ns(((const struct otlp_sink *)sink)->sender);
}

/* After an error the next write says the same. */
static void otlp_on_timer(struct sink *sink)
{
	struct error err;

	otlp_sender__flush(otlp_of(sink)->sender, &err);
	report_missed(otlp_of(sink));
}

static int otlp_settle(struct sink *sink, struct error *err)
{
	struct otlp_sink *otlp = otlp_of(sink);
	int code = otlp_sender__settle(otlp->sender, err);
	const char *failure = otlp_sender__failure(otlp->sender);

	report_missed(otlp);
	if (!code && failure)
		return error__set(err, -EPROTO, "%s", failure);
	return code;
}

static void log_counts(const struct sink *sink, const struct otlp_counts *counts)
{
	if (counts->refused)
		log__warn("%s refused %llu events (trace.* events included)", sink->name,
			  (unsigned long long)counts->refused);
	if (counts->sent_again)
		log__info("%llu events were sent again to %s, which may have them twice",
			  (unsigned long long)counts->sent_again, sink->name);
}

static void otlp_close(struct sink *sink)
{
	log_counts(sink, otlp_sender__counts(otlp_of(sink)->sender));
	otlp_sender__close(otlp_of(sink)->sender);
}

static const struct sink_ops otlp_ops = {
	.write = otlp_write,
	.settle = otlp_settle,
	.timer_ns = otlp_timer_ns,
	.on_timer = otlp_on_timer,
	.close = otlp_close,
};

int sink_otlp__open(const struct sink_options *options, struct sink **sink, struct error *err)
{
	struct otlp_sink *otlp = calloc(1, sizeof(*otlp));
	struct otlp_sender_options sender = {
		.where = options->where,
		.otlp = options->otlp,
		.timeout_ns = options->tcp_timeout_ns,
	};
	int code;

	if (!otlp)
		return error__set(err, -ENOMEM, "out of memory");
	sink__init(&otlp->sink, &otlp_ops, options->where);
	otlp->sink.write_state.judges_itself = true;
	sender.state = &otlp->sink.write_state;
	code = otlp_sender__open(&sender, &otlp->sender, err);
	if (code) {
		free(otlp);
		return code;
	}
	*sink = &otlp->sink;
	return 0;
}
