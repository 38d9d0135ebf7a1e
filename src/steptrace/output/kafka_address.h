/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of an output to Kafka, split. Nothing is looked up here.
 *
 *	"kafka:b1.example:9092,[::1]:9093/steps"	brokers "b1.example:9092,[::1]:9093"
 *							topic "steps"
 *	"kafka:b1.example/steps"			brokers "b1.example" (port 9092)
 */
#ifndef STEPTRACE_KAFKA_ADDRESS_H
#define STEPTRACE_KAFKA_ADDRESS_H

#include "common/error.h"

enum { KAFKA_BROKERS_BYTES = 2048, KAFKA_TOPIC_BYTES = 250 };

struct kafka_address {
	char brokers[KAFKA_BROKERS_BYTES];
	char topic[KAFKA_TOPIC_BYTES];
};

/* 0, or -EINVAL with a sentence. */
int kafka_address__parse(struct kafka_address *address, const char *where, struct error *err);

#endif
