/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends messages to one topic of Kafka, with librdkafka. Only kafka_producer.c uses librdkafka.
 *
 *	kafka_producer__new	checks the settings; to be called before the tracer gives up rights
 *	kafka_producer__start	starts the threads of librdkafka, which inherit the rights and the
 *				seccomp filter of the calling thread
 *	kafka_producer__put	takes a message
 *	kafka_producer__serve	reports, for each message, that it was delivered, or that it was not
 *
 * The producer is idempotent: when a connection breaks, the brokers know which messages they have
 * already. librdkafka sends messages again until they are delivered, as long as it takes, unless
 * the settings limit that (message.timeout.ms).
 */
#ifndef STEPTRACE_KAFKA_PRODUCER_H
#define STEPTRACE_KAFKA_PRODUCER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "steptrace/output/kafka_address.h"
#include "steptrace/output/kafka_event.h"
#include "steptrace/output/kafka_settings.h"

struct kafka_producer;

/* What kafka_producer__serve() calls. A reason is valid until the function returns. */
struct kafka_reports {
	void (*on_delivered)(void *context, void *message);
	void (*on_lost)(void *context, void *message, const char *why);
	/* A broker cannot be reached, or refuses the client. librdkafka tries again. */
	void (*on_error)(void *context, const char *why);
	void *context;
};

struct kafka_message {
	const char *text; /* borrowed until the report */
	size_t bytes;
	const struct kafka_event *event; /* copied */
	void *context;                   /* of the reports */
};

/* Starts no thread of this process. `limit_bytes`: of messages that wait for a report. 0, or
 * negative errno with a sentence. The caller closes it. */
int kafka_producer__new(const struct kafka_address *address, const struct kafka_settings *settings,
			size_t limit_bytes, struct kafka_producer **producer, struct error *err);

/* Accepts NULL. Messages that have not been reported are not reported any more. */
void kafka_producer__close(struct kafka_producer *producer);

/* `host` is borrowed: a header of all messages. news_fd becomes readable, and is to be emptied,
 * when kafka_producer__serve() has something to report. Looking up a broker does not wait when
 * give_up_fd is readable. 0, or negative errno with a sentence. */
int kafka_producer__start(struct kafka_producer *producer, const struct kafka_reports *reports,
			  const char *host, int news_fd, int give_up_fd, struct error *err);
/* Accepts NULL. */
bool kafka_producer__is_started(const struct kafka_producer *producer);

/* Why librdkafka can send nothing more; NULL: it can. */
const char *kafka_producer__end_reason(const struct kafka_producer *producer);

/* Ends the threads. It can be started again. */
void kafka_producer__stop(struct kafka_producer *producer);

/* 0; -EAGAIN: the queue of librdkafka is full; or negative errno with a sentence. -EMSGSIZE: this
 * message is too large, and others may not be. */
int kafka_producer__put(struct kafka_producer *producer, const struct kafka_message *message,
			struct error *err);

void kafka_producer__serve(struct kafka_producer *producer);

/* Messages that wait for others are sent now (linger.ms). Serves reports for a moment. */
void kafka_producer__flush(struct kafka_producer *producer);

/* All messages that have not been delivered are reported as lost, soon. */
void kafka_producer__give_up(struct kafka_producer *producer);

#endif
