#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads a topic of Kafka from the beginning, until it is killed. A line for each message:
partition, offset, key, headers and value, with tabs between them.

    consume.py BROKERS TOPIC PARTITIONS
"""
import sys

import confluent_kafka


def main(brokers, topic, partitions):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": "test",
                                         "enable.auto.commit": False})
    consumer.assign([confluent_kafka.TopicPartition(topic, partition, 0)
                     for partition in range(int(partitions))])
    while True:
        for message in consumer.consume(1000, 0.1):
            if message.error():
                raise SystemExit(str(message.error()))
            headers = ",".join("%s=%s" % (name, value.decode())
                               for name, value in message.headers())
            print(message.partition(), message.offset(), message.key().decode(), headers,
                  message.value().decode(), sep="\t")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
