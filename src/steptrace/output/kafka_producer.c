// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/kafka_producer.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/confine/privilege.h"
#include "steptrace/output/kafka_names.h"
#include "steptrace/stream/trace_events.h"

/* For FLUSH_MS, the threads of librdkafka see that messages are not to wait. */
enum { REASON_BYTES = 512, FLUSH_MS = 10 };

struct kafka_producer {
	rd_kafka_conf_t *conf; /* from which each start takes a copy */
	struct kafka_names names;
	char topic[KAFKA_TOPIC_BYTES];
	char schema_version[16];

	rd_kafka_t *handle; /* NULL: not started. All below belongs to one start. */
	rd_kafka_topic_t *rkt;
	struct kafka_reports reports;
	const char *host;
	char end_reason[REASON_BYTES]; /* "": it can send */
};

/* ---- settings */

static int set(struct kafka_producer *producer, const char *name, const char *value,
	       struct error *err)
{
	char why[REASON_BYTES];

	if (rd_kafka_conf_set(producer->conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return 0;
	return error__set(err, -EINVAL, "librdkafka %s does not accept the setting %s",
			  rd_kafka_version_str(), name);
}

/* What the file of the user may change. */
static const char *const defaults[][2] = {
	{"client.id", "steptrace"},          {"compression.type", "lz4"}, {"linger.ms", "50"},
	{"message.timeout.ms", "0"},       /* no limit: the queue limits what waits */
	{"partitioner", "murmur2_random"}, /* that of the clients in Java */
	{"socket.keepalive.enable", "true"},
};

static const char *const fixed[][2] = {
	{"enable.idempotence", "true"}, /* this sets acks=all */
	{"queue.buffering.max.messages", "10000000"},
	{"log_level", "0"},
};

static int set_limits(struct kafka_producer *producer, size_t limit_bytes, struct error *err)
{
	char kbytes[32];
	int code = 0;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]) && !code; i++)
		code = set(producer, fixed[i][0], fixed[i][1], err);
	/* Newer versions would send figures about the client, which brokers can ask for. */
	rd_kafka_conf_set(producer->conf, "enable.metrics.push", "false", NULL, 0);
	snprintf(kbytes, sizeof(kbytes), "%zu", limit_bytes / 1024 + 1);
	if (!code)
		code = set(producer, "queue.buffering.max.kbytes", kbytes, err);
	return code;
}

/* The sentence of librdkafka contains the value, which may be a password. */
static int set_users(struct kafka_producer *producer, const struct kafka_settings *settings,
		     struct error *err)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct kafka_setting *one = &settings->items[i];
		char why[REASON_BYTES];
		rd_kafka_conf_res_t result =
			rd_kafka_conf_set(producer->conf, one->name, one->value, why, sizeof(why));

		explicit_bzero(why, sizeof(why));
		if (result == RD_KAFKA_CONF_UNKNOWN)
			return error__set(
				err, -EINVAL, "'%s' line %u: librdkafka %s has no setting %s",
				settings->path, one->line, rd_kafka_version_str(), one->name);
		if (result != RD_KAFKA_CONF_OK)
			return error__set(
				err, -EINVAL,
				"'%s' line %u: librdkafka does not accept the value of %s",
				settings->path, one->line, one->name);
	}
	return 0;
}

/* ---- what librdkafka calls */

/* The name of a protocol, and how often an error came, are left out: messages with one reason are
 * to be equal. */
static void take_reason(char reason[REASON_BYTES], const char *text)
{
	char *behind;

	snprintf(reason, REASON_BYTES, "%s", text);
	behind = strstr(reason, " (after ");
	if (behind)
		*behind = 0;
}

static void on_error(rd_kafka_t *handle, int code, const char *text, void *opaque)
{
	struct kafka_producer *producer = opaque;
	char reason[REASON_BYTES];

	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		return; /* the reason is another error */
	if (code == RD_KAFKA_RESP_ERR__FATAL) {
		rd_kafka_fatal_error(handle, producer->end_reason, REASON_BYTES);
		return;
	}
	take_reason(reason, text);
	producer->reports.on_error(producer->reports.context, reason);
}

static void on_report(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
	const struct kafka_reports *reports = &((struct kafka_producer *)opaque)->reports;

	(void)handle;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		reports->on_delivered(reports->context, message->_private);
	else
		reports->on_lost(reports->context, message->_private,
				 rd_kafka_err2str(message->err));
}

/* What matters reaches on_error(), too. */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
	(void)handle, (void)level, (void)facility, (void)text;
}

static int on_resolve(const char *node, const char *service, const struct addrinfo *hints,
		      struct addrinfo **list, void *opaque)
{
	struct kafka_producer *producer = opaque;

	if (node || service || hints)
		return kafka_names__find(&producer->names, node ? node : "", service ? service : "",
					 hints, list);
	kafka_names__free(*list);
	return 0;
}

static void set_callbacks(struct kafka_producer *producer)
{
	rd_kafka_conf_set_opaque(producer->conf, producer);
	rd_kafka_conf_set_error_cb(producer->conf, on_error);
	rd_kafka_conf_set_dr_msg_cb(producer->conf, on_report);
	rd_kafka_conf_set_log_cb(producer->conf, on_log);
	rd_kafka_conf_set_resolve_cb(producer->conf, on_resolve);
}

/* ---- making */

static rd_kafka_t *new_handle(rd_kafka_conf_t *conf, struct error *err)
{
	char why[REASON_BYTES];
	rd_kafka_t *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));

	if (handle)
		return handle;
	rd_kafka_conf_destroy(conf);
	error__set(err, -EINVAL, "librdkafka does not accept the settings: %s", why);
	return NULL;
}

/* In a child process. It knows no broker, and so makes no connection. The threads end with it. */
static int check_settings(const void *context, struct error *err)
{
	const struct kafka_producer *producer = context;
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(producer->conf);

	if (!conf)
		return error__set(err, -ENOMEM, "out of memory");
	return new_handle(conf, err) ? 0 : -EINVAL;
}

static int configure(struct kafka_producer *producer, const struct kafka_address *address,
		     const struct kafka_settings *settings, size_t limit_bytes, struct error *err)
{
	int code = 0;

	producer->conf = rd_kafka_conf_new();
	if (!producer->conf)
		return error__set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]) && !code; i++)
		code = set(producer, defaults[i][0], defaults[i][1], err);
	if (!code)
		code = set_users(producer, settings, err);
	if (!code)
		code = set_limits(producer, limit_bytes, err);
	if (!code)
		set_callbacks(producer);
	if (!code)
		code = privilege__check_later(check_settings, producer, (gid_t)-1, err);
	if (!code)
		code = set(producer, "bootstrap.servers", address->brokers, err);
	if (code && settings->path && strncmp(err->text, "'", 1) != 0)
		error__prefix(err, code, "'%s'", settings->path);
	return code;
}

int kafka_producer__new(const struct kafka_address *address, const struct kafka_settings *settings,
			size_t limit_bytes, struct kafka_producer **out, struct error *err)
{
	struct kafka_producer *producer = calloc(1, sizeof(*producer));
	int code;

	if (!producer)
		return error__set(err, -ENOMEM, "out of memory");
	snprintf(producer->topic, sizeof(producer->topic), "%s", address->topic);
	snprintf(producer->schema_version, sizeof(producer->schema_version), "%d", SCHEMA_VERSION);
	code = configure(producer, address, settings, limit_bytes, err);
	if (!code)
		code = kafka_names__open(&producer->names, err);
	if (code) {
		kafka_producer__close(producer);
		return code;
	}
	*out = producer;
	return 0;
}

void kafka_producer__close(struct kafka_producer *producer)
{
	if (!producer)
		return;
	kafka_producer__stop(producer);
	kafka_names__close(&producer->names);
	if (producer->conf)
		rd_kafka_conf_destroy(producer->conf);
	free(producer);
}

/* ---- running */

int kafka_producer__start(struct kafka_producer *producer, const struct kafka_reports *reports,
			  const char *host, int news_fd, int give_up_fd, struct error *err)
{
	static const uint64_t one = 1;
	rd_kafka_conf_t *conf = rd_kafka_conf_dup(producer->conf);
	rd_kafka_queue_t *queue;

	producer->reports = *reports;
	producer->host = host;
	producer->names.give_up_fd = give_up_fd;
	producer->end_reason[0] = 0;
	producer->handle = conf ? new_handle(conf, err) : NULL;
	if (!producer->handle)
		return conf ? -EINVAL : error__set(err, -ENOMEM, "out of memory");
	producer->rkt = rd_kafka_topic_new(producer->handle, producer->topic, NULL);
	queue = rd_kafka_queue_get_main(producer->handle);
	if (!producer->rkt || !queue)
		return error__set(err, -ENOMEM, "out of memory");
	rd_kafka_queue_io_event_enable(queue, news_fd, &one, sizeof(one));
	rd_kafka_queue_destroy(queue);
	return 0;
}

bool kafka_producer__is_started(const struct kafka_producer *producer)
{
	return producer && producer->rkt;
}

const char *kafka_producer__end_reason(const struct kafka_producer *producer)
{
	return producer->end_reason[0] ? producer->end_reason : NULL;
}

void kafka_producer__stop(struct kafka_producer *producer)
{
	if (producer->rkt)
		rd_kafka_topic_destroy(producer->rkt);
	if (producer->handle)
		rd_kafka_destroy(producer->handle);
	producer->rkt = NULL;
	producer->handle = NULL;
}

static int put_error(rd_kafka_error_t *error, struct error *err)
{
	rd_kafka_resp_err_t code = rd_kafka_error_code(error);

	if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
		error__set(err, -EIO, "%s", rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	switch (code) {
	case RD_KAFKA_RESP_ERR__QUEUE_FULL: return -EAGAIN;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE: return -EMSGSIZE;
	default: return -EIO;
	}
}

/* NULL: no memory. The message takes them, if it is accepted. */
static rd_kafka_headers_t *headers_of(const struct kafka_producer *producer,
				      const struct kafka_event *event)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(3);

	if (headers &&
	    (rd_kafka_header_add(headers, "event", 5, event->name, (ssize_t)event->name_bytes) ||
	     rd_kafka_header_add(headers, "schema_version", 14, producer->schema_version, -1) ||
	     rd_kafka_header_add(headers, "host", 4, producer->host, -1))) {
		rd_kafka_headers_destroy(headers);
		return NULL;
	}
	return headers;
}

#define MEMORY(type, start, count)                                                                 \
	{                                                                                          \
		.vtype = RD_KAFKA_VTYPE_##type, .u.mem = {                                         \
			.ptr = (void *)(start),                                                    \
			.size = (count)                                                            \
		}                                                                                  \
	}

/* RD_KAFKA_VTYPE_HEADER, for single headers, would be shorter. With it, librdkafka 2.0.2 frees the
 * headers twice when it refuses the message, for example because there is no such topic. */
int kafka_producer__put(struct kafka_producer *producer, const struct kafka_message *message,
			struct error *err)
{
	const struct kafka_event *event = message->event;
	rd_kafka_headers_t *headers = headers_of(producer, event);
	const rd_kafka_vu_t parts[] = {
		{.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = producer->rkt},
		{.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message->context},
		{.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = 0}, /* the value is not copied */
		MEMORY(VALUE, message->text, message->bytes),
		MEMORY(KEY, event->key, event->key_bytes),
		{.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
	};
	rd_kafka_error_t *error;

	if (!headers)
		return error__set(err, -ENOMEM, "out of memory");
	error = rd_kafka_produceva(producer->handle, parts, sizeof(parts) / sizeof(parts[0]));
	if (!error)
		return 0;
	rd_kafka_headers_destroy(headers);
	return put_error(error, err);
}

void kafka_producer__serve(struct kafka_producer *producer)
{
	rd_kafka_poll(producer->handle, 0);
}

void kafka_producer__flush(struct kafka_producer *producer)
{
	rd_kafka_flush(producer->handle, FLUSH_MS);
}

void kafka_producer__give_up(struct kafka_producer *producer)
{
	rd_kafka_purge(producer->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
						 RD_KAFKA_PURGE_F_NON_BLOCKING);
}
