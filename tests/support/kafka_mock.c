// SPDX-License-Identifier: BSD-2-Clause
/*
 * A cluster of Kafka for the tests: the mock cluster of librdkafka. It keeps the last megabytes of
 * a partition only, so it is read while it is written. It prints its brokers, takes orders from
 * stdin, answers each with a line, and ends at the end of stdin.
 *
 *	$ kafka_mock BROKERS TOPIC PARTITIONS
 *	127.0.0.1:37003,127.0.0.1:41127
 *	messages                     how many messages the topic got: "messages 7014"
 *	fail REQUEST ERROR COUNT     the next COUNT requests of this kind fail (0: produce)
 *	delay BROKER REQUEST MS COUNT   the answers to the next requests come late
 *	leader PARTITION BROKER      -1: none
 *	topic-error ERROR            for requests of metadata
 *	down BROKER, up BROKER
 */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 5, QUERY_MS = 60000 };

struct cluster {
	rd_kafka_t *client;
	rd_kafka_mock_cluster_t *mock;
	const char *topic;
	int partitions;
};

static bool answer_messages(const struct cluster *cluster)
{
	int64_t low, high, sum = 0;

	for (int i = 0; i < cluster->partitions; i++) {
		if (rd_kafka_query_watermark_offsets(cluster->client, cluster->topic, i, &low,
						     &high, QUERY_MS))
			return false;
		sum += high;
	}
	printf("messages %lld\n", (long long)sum);
	return true;
}

static bool fail(const struct cluster *cluster, const int *numbers)
{
	for (int i = 0; i < numbers[2]; i++)
		rd_kafka_mock_push_request_errors(cluster->mock, (int16_t)numbers[0], 1,
						  (rd_kafka_resp_err_t)numbers[1]);
	return true;
}

static bool delay(const struct cluster *cluster, const int *numbers)
{
	bool is_done = true;

	for (int i = 0; i < numbers[3] && is_done; i++)
		is_done = !rd_kafka_mock_broker_push_request_error_rtts(
			cluster->mock, numbers[0], (int16_t)numbers[1], 1,
			RD_KAFKA_RESP_ERR_NO_ERROR, numbers[2]);
	return is_done;
}

static bool obey(const struct cluster *cluster, const char *order, const int *numbers)
{
	if (strcmp(order, "fail") == 0)
		return fail(cluster, numbers);
	if (strcmp(order, "delay") == 0)
		return delay(cluster, numbers);
	if (strcmp(order, "leader") == 0)
		return !rd_kafka_mock_partition_set_leader(cluster->mock, cluster->topic,
							   numbers[0], numbers[1]);
	if (strcmp(order, "down") == 0)
		return !rd_kafka_mock_broker_set_down(cluster->mock, numbers[0]);
	if (strcmp(order, "up") == 0)
		return !rd_kafka_mock_broker_set_up(cluster->mock, numbers[0]);
	if (strcmp(order, "topic-error") != 0)
		return false;
	rd_kafka_mock_topic_set_error(cluster->mock, cluster->topic,
				      (rd_kafka_resp_err_t)numbers[0]);
	return true;
}

static void take_orders(const struct cluster *cluster)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin)) {
		const char *order = strtok(line, " \n"), *word;
		int numbers[WORDS_MAX] = {0};

		for (int i = 0; i < WORDS_MAX && (word = strtok(NULL, " \n")); i++)
			numbers[i] = atoi(word);
		if (order && strcmp(order, "messages") == 0 && answer_messages(cluster))
			continue;
		puts(order && obey(cluster, order, numbers) ? "done" : "error");
	}
}

static bool begin(struct cluster *cluster, int brokers)
{
	char why[512];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	cluster->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!cluster->client)
		return false;
	cluster->mock = rd_kafka_mock_cluster_new(cluster->client, brokers);
	if (!cluster->mock ||
	    rd_kafka_mock_topic_create(cluster->mock, cluster->topic, cluster->partitions, brokers))
		return false;
	return rd_kafka_brokers_add(cluster->client,
				    rd_kafka_mock_cluster_bootstraps(cluster->mock)) > 0;
}

int main(int argc, char **argv)
{
	struct cluster cluster;

	if (argc != 4)
		return 2;
	cluster = (struct cluster){.topic = argv[2], .partitions = atoi(argv[3])};
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!begin(&cluster, atoi(argv[1])))
		return 1;
	puts(rd_kafka_mock_cluster_bootstraps(cluster.mock));
	take_orders(&cluster);
	rd_kafka_mock_cluster_destroy(cluster.mock);
	rd_kafka_destroy(cluster.client);
	return 0;
}
