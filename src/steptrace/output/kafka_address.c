// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/kafka_address.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/host_port.h"

#define PREFIX     "kafka:"
#define TOPIC_TEXT "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* Kafka does not allow "." and "..". */
static bool is_topic(const char *text)
{
	size_t bytes = strlen(text);

	return bytes > 0 && bytes < KAFKA_TOPIC_BYTES && strspn(text, TOPIC_TEXT) == bytes &&
	       strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* A name or an address, without or with a port. "://" would be the prefix of a protocol, which is a
 * setting. */
static bool is_broker(const char *text)
{
	struct host_port named;
	const char *bracket = strrchr(text, ']'), *colon = strchr(bracket ? bracket : text, ':');

	if (!*text || strpbrk(text, " /@"))
		return false;
	if (colon)
		return host_port__split(text, &named) == 0 &&
		       strspn(named.port, "0123456789") == strlen(named.port);
	return !strchr(text, ']') || (text[0] == '[' && bracket > text + 1 && !bracket[1]);
}

static bool are_brokers(char *text)
{
	while (text) {
		char *comma = strchr(text, ',');
		bool is_one;

		if (comma)
			*comma = 0;
		is_one = is_broker(text);
		if (comma)
			*comma = ',';
		if (!is_one)
			return false;
		text = comma ? comma + 1 : NULL;
	}
	return true;
}

int kafka_address__parse(struct kafka_address *address, const char *where, struct error *err)
{
	const char *brokers = where + strlen(PREFIX), *slash = strrchr(brokers, '/');
	size_t bytes = slash ? (size_t)(slash - brokers) : 0;

	if (slash && bytes < sizeof(address->brokers)) {
		snprintf(address->brokers, sizeof(address->brokers), "%.*s", (int)bytes, brokers);
		if (!are_brokers(address->brokers))
			slash = NULL;
	}
	if (!slash || bytes >= sizeof(address->brokers))
		return error__set(err, -EINVAL,
				  "'%s' is not kafka:BROKER[,BROKER...]/TOPIC, where BROKER is "
				  "HOST or HOST:PORT (for example: kafka:broker1:9092/steptrace)",
				  where);
	if (!is_topic(slash + 1))
		return error__set(err, -EINVAL,
				  "'%s' names no topic of Kafka: a topic has 1 to %d letters, "
				  "digits, dots, underscores and dashes",
				  where, KAFKA_TOPIC_BYTES - 1);
	snprintf(address->topic, sizeof(address->topic), "%s", slash + 1);
	return 0;
}
