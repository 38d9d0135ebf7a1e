// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/kafka_setting_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct kafka_setting_row accepted[] = {
	{"allow.auto.create.topics", NULL},
	{"api.version.request", NULL},
	{"api.version.request.timeout.ms", NULL},
	{"batch.num.messages", NULL},
	{"batch.size", NULL},
	{"broker.address.family", NULL},
	{"broker.address.ttl", NULL},
	{"client.id", NULL},
	{"client.rack", NULL},
	{"compression.codec", NULL},
	{"compression.level", NULL},
	{"compression.type", NULL},
	{"connections.max.idle.ms", NULL},
	{"delivery.timeout.ms", NULL},
	{"enable.ssl.certificate.verification", NULL},
	{"linger.ms", NULL},
	{"max.in.flight", NULL},
	{"max.in.flight.requests.per.connection", NULL},
	{"message.max.bytes", NULL},
	{"message.send.max.retries", NULL},
	{"message.timeout.ms", NULL},
	{"metadata.max.age.ms", NULL},
	{"partitioner", NULL},
	{"queue.buffering.max.ms", NULL},
	{"reconnect.backoff.max.ms", NULL},
	{"reconnect.backoff.ms", NULL},
	{"request.timeout.ms", NULL},
	{"retries", NULL},
	{"retry.backoff.max.ms", NULL},
	{"retry.backoff.ms", NULL},
	{"sasl.mechanism", NULL},
	{"sasl.mechanisms", NULL},
	{"sasl.password", NULL},
	{"sasl.username", NULL},
	{"security.protocol", NULL},
	{"socket.connection.setup.timeout.ms", NULL},
	{"socket.keepalive.enable", NULL},
	{"socket.max.fails", NULL},
	{"socket.nagle.disable", NULL},
	{"socket.receive.buffer.bytes", NULL},
	{"socket.send.buffer.bytes", NULL},
	{"socket.timeout.ms", NULL},
	{"ssl.ca.location", "ssl.ca.pem"},
	{"ssl.certificate.location", "ssl.certificate.pem"},
	{"ssl.cipher.suites", NULL},
	{"ssl.curves.list", NULL},
	{"ssl.endpoint.identification.algorithm", NULL},
	{"ssl.key.location", "ssl.key.pem"},
	{"ssl.key.password", NULL},
	{"ssl.sigalgs.list", NULL},
	{"topic.metadata.propagation.max.ms", NULL},
	{"topic.metadata.refresh.fast.interval.ms", NULL},
	{"topic.metadata.refresh.interval.ms", NULL},
};

static const char loads_code[] = "it loads or starts code, which steptrace does not allow";
static const char is_decided[] = "steptrace chooses it itself";
static const char no_oauth[] = "steptrace fetches no tokens (use SCRAM-SHA-512, PLAIN, or a "
			       "certificate of the client)";

/* `name` with a dot at its end: all settings that begin so. The rest of the sentence says why. */
static const struct {
	const char *name, *why;
} refused[] = {
	{"plugin.library.paths", loads_code},
	{"interceptors", loads_code},
	{"ssl.engine.", loads_code},
	{"ssl_engine_callback_data", loads_code},
	{"ssl.providers", loads_code},
	{"sasl.kerberos.", "Kerberos starts the program kinit, which steptrace does not allow"},
	{"sasl.oauthbearer.", no_oauth},
	{"enable.sasl.oauthbearer.unsecure.jwt", no_oauth},
	{"debug", "its messages would contain what is sent"},
	{"log_level", is_decided},
	{"log.", is_decided},
	{"bootstrap.servers", "the brokers are those of -o kafka:BROKER/TOPIC"},
	{"metadata.broker.list", "the brokers are those of -o kafka:BROKER/TOPIC"},
	{"acks", is_decided},
	{"request.required.acks", is_decided},
	{"enable.idempotence", is_decided},
	{"enable.gapless.guarantee", is_decided},
	{"transactional.", is_decided},
	{"transaction.", is_decided},
	{"delivery.report.only.error", is_decided},
	{"queuing.strategy", is_decided},
	{"statistics.interval.ms", is_decided},
	{"enable.metrics.push", is_decided},
	{"queue.buffering.max.messages", "--queue limits what waits for the brokers"},
	{"queue.buffering.max.kbytes", "--queue limits what waits for the brokers"},
	{"ssl.ca.pem", "give its file with ssl.ca.location"},
	{"ssl.certificate.pem", "give its file with ssl.certificate.location"},
	{"ssl.key.pem", "give its file with ssl.key.location"},
	{"ssl.keystore.", "give ssl.certificate.location and ssl.key.location (convert the file "
			  "with: openssl pkcs12)"},
	{"ssl.crl.location", "steptrace has given up its rights when librdkafka would read the "
			     "file, and librdkafka takes no text instead"},
};

const char *kafka_setting_row__refusal(const char *name)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		size_t bytes = strlen(refused[i].name);
		bool is_group = refused[i].name[bytes - 1] == '.';

		if (is_group ? strncmp(name, refused[i].name, bytes) == 0
			     : strcmp(name, refused[i].name) == 0)
			return refused[i].why;
	}
	return NULL;
}

const struct kafka_setting_row *kafka_setting_row__named(const char *name)
{
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
		if (strcmp(accepted[i].name, name) == 0)
			return &accepted[i];
	return NULL;
}
