// SPDX-License-Identifier: BSD-2-Clause
/*
 * Kafka. Each line is a message. librdkafka sends it, sends it again when a connection breaks, and
 * reports later whether it was delivered.
 *
 *	write:   lines -> block of copied lines, with their marks -> librdkafka, line by line
 *	report:  delivered, or lost; a block is freed with its last line
 *
 * Blocks occupy a part of the output's queue (own_queue_bytes). When that is full, write() waits
 * for reports. All functions run in the thread of the output, and so do the reports. The threads of
 * librdkafka are started by the first write(): the tracer is confined then, and so are they.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/output/away.h"
#include "steptrace/output/kafka_producer.h"
#include "steptrace/output/sink.h"

/* Bytes of lines in a block. Beside its copy, librdkafka needs so much memory for a message: the
 * message, its key, and three headers. */
enum { BLOCK_BYTES = 128 * 1024, MESSAGE_BYTES = 640, HOST_BYTES = 256, PURGE_MS = 100 };

#define START_AGAIN_NS 10000000000ull /* after librdkafka gave up */

struct block;

struct sent_line {
	struct block *block;
	struct line_mark mark;
	uint32_t bytes;
};

struct block {
	size_t bytes;             /* of memory, with that of librdkafka */
	size_t waiting;           /* lines without a report; 1 more while lines are added */
	struct sent_line lines[]; /* and their text */
};

struct kafka_sink {
	struct sink sink; /* its name is the text of -o */
	struct kafka_producer *producer;
	char host[HOST_BYTES];
	int news_fd; /* an eventfd: librdkafka has reports */
	bool drops, is_given_up;
	struct away away, refusing; /* brokers; lines that were not delivered */
	uint64_t lost;              /* lines that were not delivered, since the last look */
	struct error why;           /* of the last of them, or why librdkafka gave up */
	uint64_t ended_ns;          /* when librdkafka gave up; 0: it did not */
};

static struct kafka_sink *kafka_of(struct sink *sink)
{
	return (struct kafka_sink *)sink;
}

/* ---- reports */

static void finish_line(struct kafka_sink *kafka, struct block *block)
{
	if (--block->waiting > 0)
		return;
	kafka->sink.held_bytes -= block->bytes;
	free(block);
}

static void on_delivered(void *context, void *message)
{
	struct kafka_sink *kafka = context;
	struct sent_line *line = message;

	kafka->sink.write_state.written_bytes += line->bytes;
	if (away__end(&kafka->away))
		log__info("%s is connected", kafka->sink.name);
	finish_line(kafka, line->block);
}

static void lose_line(struct kafka_sink *kafka, const struct sent_line *line, const char *why)
{
	kafka->lost++;
	error__set(&kafka->why, 0, "%s", why);
	kafka->sink.lose(kafka->sink.lose_context, &line->mark, false);
}

static void on_lost(void *context, void *message, const char *why)
{
	struct kafka_sink *kafka = context;
	struct sent_line *line = message;

	lose_line(kafka, line, why);
	finish_line(kafka, line->block);
}

/* A broker that expects TLS, or does not, closes the connection without a word. */
static bool is_closed_at_once(const struct kafka_sink *kafka, const char *text)
{
	static const char words[] = ": Disconnected";
	const char *found = strstr(text, words);

	return found && !found[sizeof(words) - 1] && kafka->sink.write_state.written_bytes == 0;
}

static void on_error(void *context, const char *text)
{
	struct kafka_sink *kafka = context;
	struct error why;

	error__set(&why, 0, "%s%s", text,
		   is_closed_at_once(kafka, text) ? ": does security.protocol fit this port?" : "");
	if (!kafka->is_given_up && away__begin(&kafka->away, &why))
		log__info("%s cannot be reached (%s); trying again", kafka->sink.name, why.text);
}

/* The recording goes on, so the log says what is lost. Without a broker, that was said already. */
static void log_lost(struct kafka_sink *kafka)
{
	if (!kafka->lost || !kafka->drops)
		return;
	if (away__begin(&kafka->refusing, &kafka->why))
		log__error("%llu lines were not delivered to %s (%s); such lines are counted as "
			   "lost",
			   (unsigned long long)kafka->lost, kafka->sink.name, kafka->why.text);
	kafka->lost = 0;
}

static void serve(struct kafka_sink *kafka)
{
	uint64_t count;

	if (!kafka_producer__is_started(kafka->producer))
		return;
	if (read(kafka->news_fd, &count, sizeof(count)) < 0)
		count = 0; /* it was not readable */
	kafka_producer__serve(kafka->producer);
}

/* Waits for reports. -ECANCELED: the output was given up. */
static int await_reports(struct kafka_sink *kafka, bool is_given_up)
{
	struct pollfd fds[2] = {
		{.fd = kafka->news_fd, .events = POLLIN},
		{.fd = is_given_up ? -1 : kafka->sink.write_state.give_up_fd, .events = POLLIN}};

	poll(fds, 2, is_given_up ? PURGE_MS : -1);
	serve(kafka);
	return fds[1].revents ? -ECANCELED : 0;
}

static int canceled(const struct kafka_sink *kafka, struct error *err)
{
	return error__set(err, -ECANCELED,
			  kafka->away.is_away ? "stopped because %s could not be reached"
					      : "stopped because %s acknowledged nothing",
			  kafka->sink.name);
}

/* All lines that were not delivered are reported as lost. */
static void give_up(struct kafka_sink *kafka)
{
	kafka->is_given_up = true;
	kafka_producer__give_up(kafka->producer);
	while (kafka->sink.held_bytes > 0)
		await_reports(kafka, true);
}

/* ---- librdkafka begins, and begins again */

static int start(struct kafka_sink *kafka, struct error *err)
{
	const struct kafka_reports reports = {.on_delivered = on_delivered,
					      .on_lost = on_lost,
					      .on_error = on_error,
					      .context = kafka};

	if (!kafka->host[0])
		gethostname(kafka->host, sizeof(kafka->host) - 1);
	return kafka_producer__start(kafka->producer, &reports, kafka->host, kafka->news_fd,
				     kafka->sink.write_state.give_up_fd, err);
}

/* After some errors librdkafka sends nothing more, for example when the brokers have forgotten an
 * idempotent producer at a bad moment. A new producer begins after a pause. */
static int restart(struct kafka_sink *kafka, struct error *err)
{
	uint64_t now = clock__now_ns();

	if (!kafka->ended_ns) {
		kafka->ended_ns = now;
		error__set(&kafka->why, 0, "%s", kafka_producer__end_reason(kafka->producer));
		give_up(kafka);
		kafka_producer__stop(kafka->producer);
		kafka->is_given_up = false;
	}
	if (now - kafka->ended_ns < START_AGAIN_NS)
		return error__set(err, -EIO, "cannot write to %s: %s", kafka->sink.name,
				  kafka->why.text);
	kafka->ended_ns = 0;
	return 0;
}

static int put_block(struct kafka_sink *kafka, const char *lines, size_t bytes, size_t *written,
		     struct error *err);

static int put_header(struct sink *sink, const char *header, size_t count)
{
	struct error err = {""};
	size_t written;

	sink->marks = NULL;
	return put_block(kafka_of(sink), header, count, &written, &err);
}

/* Each producer begins with the header. */
static int begin_part(struct kafka_sink *kafka, struct error *err)
{
	const struct line_mark *marks = kafka->sink.marks;
	int code = start(kafka, err);

	if (code)
		return code;
	code = sink__put_header(&kafka->sink, put_header);
	kafka->sink.marks = marks;
	if (code == -ECANCELED)
		return canceled(kafka, err);
	return code ? error__set(err, code, "cannot write to %s: %s", kafka->sink.name,
				 strerror(-code))
		    : 0;
}

static int begin(struct kafka_sink *kafka, struct error *err)
{
	int code = 0;

	if (kafka->ended_ns || kafka_producer__end_reason(kafka->producer))
		code = restart(kafka, err);
	if (!code && !kafka_producer__is_started(kafka->producer))
		code = begin_part(kafka, err);
	return code;
}

/* ---- lines */

/* Whole lines at the front, in a block, and how many they are. One line may be longer. */
static size_t fit(const char *lines, size_t bytes, size_t limit, size_t *count)
{
	const char *at = lines, *end = lines + bytes;

	for (*count = 0; at < end; (*count)++) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		next = next ? next + 1 : end;
		if (*count && (size_t)(next - lines) > limit)
			break;
		at = next;
	}
	return (size_t)(at - lines);
}

static bool has_room(const struct kafka_sink *kafka, size_t bytes)
{
	return kafka->sink.held_bytes == 0 ||
	       kafka->sink.held_bytes + bytes <= kafka->sink.own_queue_bytes;
}

static int await_room(struct kafka_sink *kafka, size_t bytes, struct error *err)
{
	if (!has_room(kafka, bytes))
		kafka_producer__flush(kafka->producer);
	while (!has_room(kafka, bytes))
		if (await_reports(kafka, false))
			return canceled(kafka, err);
	return 0;
}

static struct block *copy(struct kafka_sink *kafka, const char *lines, size_t bytes, size_t count,
			  char **text)
{
	size_t memory = sizeof(struct block) + count * sizeof(struct sent_line) + bytes;
	struct block *block = malloc(memory);

	if (!block)
		return NULL;
	block->bytes = memory + count * MESSAGE_BYTES;
	block->waiting = 1;
	*text = (char *)&block->lines[count];
	memcpy(*text, lines, bytes);
	kafka->sink.held_bytes += block->bytes;
	return block;
}

/* Recordings that are exported may be of several hosts. Each says which. */
static bool is_started(const struct kafka_event *event)
{
	static const char name[] = "trace.started";

	return event->name_bytes == sizeof(name) - 1 &&
	       memcmp(event->name, name, sizeof(name) - 1) == 0;
}

static int put_line(struct kafka_sink *kafka, struct sent_line *line, const char *text,
		    struct error *err)
{
	struct kafka_event event;
	const struct kafka_message message = {
		.text = text, .bytes = line->bytes - 1, .event = &event, .context = line};
	struct error why = {""};
	int code;

	kafka_event__find(&event, text, message.bytes, kafka->host);
	if (is_started(&event) &&
	    kafka_event__host(text, message.bytes, kafka->host, sizeof(kafka->host)))
		kafka_event__find(&event, text, message.bytes, kafka->host);
	while ((code = kafka_producer__put(kafka->producer, &message, &why)) == -EAGAIN)
		if (await_reports(kafka, false))
			return canceled(kafka, err);
	if (code == -EMSGSIZE) { /* the others are not too long */
		lose_line(kafka, line, why.text);
		return 0;
	}
	if (code)
		return error__set(err, code, "cannot write to %s: %s", kafka->sink.name, why.text);
	line->block->waiting++;
	return 0;
}

/* Takes the lines of one block. *written: the bytes of those that librdkafka has. */
static int put_lines(struct kafka_sink *kafka, struct block *block, const char *text, size_t bytes,
		     size_t *written, struct error *err)
{
	int code = 0;

	for (struct sent_line *line = block->lines; *written < bytes && !code; line++) {
		const char *at = text + *written, *end = memchr(at, '\n', bytes - *written);

		*line = (struct sent_line){
			.block = block,
			.bytes = (uint32_t)(end ? end + 1 - at : text + bytes - at)};
		if (kafka->sink.marks)
			line->mark = *kafka->sink.marks;
		code = put_line(kafka, line, at, err);
		if (code)
			break;
		*written += line->bytes;
		kafka->sink.marks += kafka->sink.marks != NULL;
	}
	return code;
}

static int put_block(struct kafka_sink *kafka, const char *lines, size_t bytes, size_t *written,
		     struct error *err)
{
	size_t limit = kafka->sink.own_queue_bytes / 4, count;
	struct block *block;
	char *text;
	int code;

	*written = 0;
	bytes = fit(lines, bytes, limit < BLOCK_BYTES ? limit : BLOCK_BYTES, &count);
	code = await_room(kafka, bytes + count * (MESSAGE_BYTES + sizeof(struct sent_line)), err);
	if (code)
		return code;
	block = copy(kafka, lines, bytes, count, &text);
	if (!block)
		return error__set(err, -ENOMEM, "out of memory");
	code = put_lines(kafka, block, text, bytes, written, err);
	finish_line(kafka, block);
	return code;
}

/* ---- the sink */

/* A policy that loses no line ends with the first one. */
static int check_lost(struct kafka_sink *kafka, struct error *err)
{
	log_lost(kafka);
	return kafka->lost ? error__set(err, -EIO, "%llu lines were not delivered to %s: %s",
					(unsigned long long)kafka->lost, kafka->sink.name,
					kafka->why.text)
			   : 0;
}

static int kafka_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		       struct error *err)
{
	struct kafka_sink *kafka = kafka_of(sink);
	size_t out;
	int code;

	serve(kafka);
	code = check_lost(kafka, err);
	if (!code)
		code = begin(kafka, err);
	while (!code && *written < bytes) {
		code = put_block(kafka, lines + *written, bytes - *written, &out, err);
		*written += out;
	}
	serve(kafka);
	return code;
}

static int kafka_settle(struct sink *sink, struct error *err)
{
	struct kafka_sink *kafka = kafka_of(sink);
	int code = 0;

	if (sink->held_bytes > 0)
		kafka_producer__flush(kafka->producer);
	while (!code && sink->held_bytes > 0)
		code = await_reports(kafka, false);
	if (code) {
		give_up(kafka);
		code = canceled(kafka, err);
	} else if (kafka->lost) {
		code = error__set(err, -EIO, "%llu lines were not delivered to %s: %s",
				  (unsigned long long)kafka->lost, sink->name, kafka->why.text);
	}
	kafka->lost = 0;
	return code;
}

static int kafka_watched_fd(const struct sink *sink)
{
	return ((const struct kafka_sink *)sink)->news_fd;
}

static void kafka_on_readable(struct sink *sink)
{
	struct kafka_sink *kafka = kafka_of(sink);

	serve(kafka);
	log_lost(kafka);
}

/* Without an end, blocks are left over. Their lines are not reported any more. */
static void kafka_close(struct sink *sink)
{
	struct kafka_sink *kafka = kafka_of(sink);

	if (kafka_producer__is_started(kafka->producer))
		give_up(kafka);
	kafka_producer__close(kafka->producer);
	if (kafka->news_fd >= 0)
		close(kafka->news_fd);
}

static const struct sink_ops kafka_ops = {
	.write = kafka_write,
	.settle = kafka_settle,
	.watched_fd = kafka_watched_fd,
	.on_readable = kafka_on_readable,
	.close = kafka_close,
};

/* ---- opening */

static int open_producer(struct kafka_sink *kafka, const struct sink_options *options,
			 struct error *err)
{
	struct kafka_settings settings = {.count = 0};
	struct kafka_address address;
	int code = kafka_address__parse(&address, options->where, err);

	if (!code)
		code = kafka_settings__read(&settings, options->kafka_settings, err);
	if (!code)
		code = kafka_producer__new(&address, &settings, kafka->sink.own_queue_bytes,
					   &kafka->producer, err);
	kafka_settings__free(&settings);
	return code;
}

int sink_kafka__open(const struct sink_options *options, struct sink **sink, struct error *err)
{
	struct kafka_sink *kafka = calloc(1, sizeof(*kafka));
	int code;

	if (!kafka)
		return error__set(err, -ENOMEM, "out of memory");
	sink__init(&kafka->sink, &kafka_ops, options->where);
	kafka->sink.own_queue_bytes = options->queue_bytes / 2;
	kafka->sink.write_state.is_connection = true;
	kafka->drops = options->drops;
	kafka->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	code = kafka->news_fd < 0
		       ? error__set(err, -errno, "cannot set up the output: %s", strerror(errno))
		       : open_producer(kafka, options, err);
	if (code) {
		kafka_close(&kafka->sink);
		free(kafka);
		return code;
	}
	*sink = &kafka->sink;
	return 0;
}
