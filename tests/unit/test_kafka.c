// SPDX-License-Identifier: BSD-2-Clause
/* The output to Kafka: its text, its settings, the keys of messages, and its books. The brokers are
 * the mock cluster of librdkafka. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/output/kafka_address.h"
#include "steptrace/output/kafka_event.h"
#include "steptrace/output/kafka_settings.h"
#include "steptrace/output/sink.h"

/* ---- the text of -o */

static void an_address_is_split(void **state)
{
	struct kafka_address address;
	struct error err;

	(void)state;
	assert_int_equal(kafka_address__parse(&address, "kafka:a:1,[::1]:2,b/t.o-p_1", &err), 0);
	assert_string_equal(address.brokers, "a:1,[::1]:2,b");
	assert_string_equal(address.topic, "t.o-p_1");
	assert_int_equal(kafka_address__parse(&address, "kafka:[fe80::1]/t", &err), 0);
	assert_string_equal(address.brokers, "[fe80::1]");
}

static void a_wrong_address_is_refused(void **state)
{
	static const char *const wrong[] = {
		"kafka:",      "kafka:/t",        "kafka:a:1",   "kafka:a:1/",    "kafka:a,/t",
		"kafka:,a/t",  "kafka:a:99999/t", "kafka:::1/t", "kafka:a:1/t u", "kafka:ssl://a/t",
		"kafka:a/.",   "kafka:a/..",      "kafka:u@a/t", "kafka:[]/t",    "kafka:[::1]x/t",
		"kafka:a b/t", "kafka:a:x/t",
	};
	struct kafka_address address;
	struct error err;
	char name[300];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err.text[0] = 0;
		assert_int_equal(kafka_address__parse(&address, wrong[i], &err), -EINVAL);
		assert_non_null(strstr(err.text, wrong[i]));
	}
	snprintf(name, sizeof(name), "kafka:a/%0249d", 0);
	assert_int_equal(kafka_address__parse(&address, name, &err), 0);
	snprintf(name, sizeof(name), "kafka:a/%0250d", 0);
	assert_int_equal(kafka_address__parse(&address, name, &err), -EINVAL);
}

/* ---- keys */

static void check_event(const char *line, const char *name, const char *key)
{
	struct kafka_event event;
	char *copy = malloc(strlen(line)); /* without its end, for the sanitizer */

	memcpy(copy, line, strlen(line));
	kafka_event__find(&event, copy, strlen(line), "host");
	assert_int_equal(event.name_bytes, strlen(name));
	assert_memory_equal(event.name ? event.name : "", name, strlen(name));
	assert_int_equal(event.key_bytes, strlen(key));
	assert_memory_equal(event.key, key, strlen(key));
	free(copy);
}

static void a_key_is_the_correlation_id(void **state)
{
	(void)state;
	check_event("{\"event\":\"e\",\"correlation_id\":\"c\",\"execution_id\":\"x\"}", "e", "c");
	check_event("{\"event\":\"e\",\"correlation_id\":\"a\\\"b\\\\\"}", "e", "a\\\"b\\\\");
	check_event("{\"event\":\"e\",\"execution_id\":\"x\"}", "e", "x");
	check_event("{\"event\":\"trace.lost\",\"kind\":\"e\"}", "trace.lost", "host");
	/* a target of trace.started may have any name */
	check_event(
		"{\"event\":\"trace.started\",\"targets\":[\"\\\",\\\"correlation_id\\\":\\\"\"]}",
		"trace.started", "host");
	check_event("{\"event\":\"e\",\"correlation_id\":\"\"}", "e", "host");
	check_event("{\"event\":\"e\",\"correlation_id\":\"cut", "e", "host");
	check_event("{\"event\":\"cut\\", "", "host");
	check_event("no event", "", "host");
}

#define HOST(line) kafka_event__host(line, sizeof(line) - 1, host, sizeof(host))

static void the_host_is_in_trace_started(void **state)
{
	char host[8] = "";

	(void)state;
	assert_true(HOST("{\"event\":\"trace.started\",\"host\":\"vm\",\"x\":1}"));
	assert_string_equal(host, "vm");
	assert_false(HOST("{\"event\":\"trace.started\"}"));
	assert_false(HOST("{\"event\":\"trace.started\",\"host\":\"cut"));
	assert_string_equal(host, "vm");
	assert_true(HOST("{\"event\":\"trace.started\",\"host\":\"much-too-long\"}"));
	assert_string_equal(host, "much-to");
}

/* ---- settings */

#define SECRET "hunter2"

static char folder[64], file[128], other[128];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/steptrace-test-kafka-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof(file), "%s/settings", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	unlink(other);
	return rmdir(folder);
}

static void write_file(const char *path, const char *text, size_t bytes)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, bytes, out), bytes);
	assert_int_equal(fclose(out), 0);
}

static int read_settings(struct kafka_settings *settings, const char *text, struct error *err)
{
	*settings = (struct kafka_settings){.count = 0};
	err->text[0] = 0;
	write_file(file, text, strlen(text));
	return kafka_settings__read(settings, file, err);
}

static void settings_are_read(void **state)
{
	struct kafka_settings settings;
	char text[512];
	struct error err;

	(void)state;
	write_file(other, "a certificate\n", 14);
	snprintf(text, sizeof(text),
		 "# a comment\r\n\n  sasl.password = a=b # c \r\nssl.ca.location=%s\nlinger.ms=7",
		 other);
	assert_int_equal(read_settings(&settings, text, &err), 0);
	assert_int_equal(settings.count, 3);
	assert_string_equal(kafka_settings__value(&settings, "sasl.password"), "a=b # c");
	assert_string_equal(kafka_settings__value(&settings, "ssl.ca.pem"), "a certificate\n");
	assert_string_equal(kafka_settings__value(&settings, "linger.ms"), "7");
	assert_int_equal(settings.items[2].line, 5);
	assert_null(kafka_settings__value(&settings, "ssl.ca.location"));
	kafka_settings__free(&settings);
	assert_int_equal(kafka_settings__read(&settings, NULL, &err), 0);
	assert_int_equal(settings.count, 0);
}

static void check_refused(const char *text, const char *words)
{
	struct kafka_settings settings;
	struct error err;

	assert_true(read_settings(&settings, text, &err) < 0);
	kafka_settings__free(&settings);
	if (!strstr(err.text, words))
		fail_msg("'%s' is not in: %s", words, err.text);
	assert_non_null(strstr(err.text, file));
	assert_null(strstr(err.text, SECRET));
}

/* Each line of one setting alone. */
static void settings_that_start_code_are_refused(void **state)
{
	static const char *const names[] = {
		"plugin.library.paths",     "interceptors",
		"ssl.engine.location",      "ssl.engine.id",
		"ssl_engine_callback_data", "ssl.providers",
		"sasl.kerberos.kinit.cmd",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "\n%s=" SECRET "\n", names[i]);
		check_refused(text, "line 2: '");
		check_refused(text, names[i]);
		check_refused(text, i < 6 ? "loads or starts code" : "starts the program kinit");
	}
}

static void settings_of_steptrace_are_refused(void **state)
{
	static const char *const names[] = {
		"bootstrap.servers",
		"metadata.broker.list",
		"acks",
		"request.required.acks",
		"enable.idempotence",
		"transactional.id",
		"queue.buffering.max.kbytes",
		"queue.buffering.max.messages",
		"delivery.report.only.error",
		"enable.gapless.guarantee",
		"log_level",
		"debug",
		"ssl.keystore.location",
		"ssl.crl.location",
		"ssl.key.pem",
		"sasl.oauthbearer.client.secret",
		"sasl.oauthbearer.token.endpoint.url",
		"enable.sasl.oauthbearer.unsecure.jwt",
		"enable.metrics.push",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "%s=" SECRET, names[i]);
		check_refused(text, names[i]);
		check_refused(text, "line 1: '");
		check_refused(text, "cannot be set: ");
	}
}

/* The name of an unknown setting may be a password that is in the wrong place. */
static void no_message_has_a_secret(void **state)
{
	(void)state;
	check_refused(SECRET, "line 1: this is not NAME=VALUE");
	check_refused(SECRET "==", "line 1: steptrace passes no setting of this name on");
	check_refused("sasl.mechanism=" SECRET, "SCRAM-SHA-512");
	check_refused("sasl.mechanisms=GSSAPI", "SCRAM-SHA-512");
	check_refused("sasl.mechanism=OAUTHBEARER", "SCRAM-SHA-512");
	check_refused("partitioner=random", "in order");
	check_refused("linger.ms=", "linger.ms has no value");
	check_refused("linger.ms=1\nlinger.ms=2", "line 2: linger.ms was set by an earlier line");
	check_refused("security.protocol=SASL_SSL", "needs sasl.mechanism");
	check_refused("ssl.key.location=/nonesuch/key", "'/nonesuch/key'");
}

static void wrong_files_are_refused(void **state)
{
	struct kafka_settings settings = {.count = 0};
	struct error err;

	(void)state;
	assert_true(kafka_settings__read(&settings, folder, &err) < 0);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_true(kafka_settings__read(&settings, "/nonesuch", &err) < 0);
	assert_non_null(strstr(err.text, "No such file"));
	write_file(file, "client.id=a\0b", 13);
	assert_true(kafka_settings__read(&settings, file, &err) < 0);
	assert_non_null(strstr(err.text, "not text"));
	write_file(file, "", 0);
	assert_int_equal(truncate(file, KAFKA_FILE_BYTES_MAX + 1), 0);
	assert_true(kafka_settings__read(&settings, file, &err) < 0);
	assert_non_null(strstr(err.text, "too large"));
}

/* ---- the books */

enum { PRODUCE = 0, QUEUE_BYTES = 1 << 20 };

struct books {
	rd_kafka_t *client;
	rd_kafka_mock_cluster_t *brokers;
	char where[256];
	struct sink *sink;
	int give_up_fd;
	unsigned int lost[EVENT_KINDS_COUNT];
};

static void count_lost(void *context, const struct line_mark *mark, bool is_refused)
{
	assert_false(is_refused);
	((struct books *)context)->lost[mark->kind]++;
}

static void open_brokers(struct books *books)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	*books = (struct books){.client = NULL};
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	books->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(books->client);
	books->brokers = rd_kafka_mock_cluster_new(books->client, 1);
	assert_non_null(books->brokers);
	snprintf(books->where, sizeof(books->where), "kafka:%s/topic",
		 rd_kafka_mock_cluster_bootstraps(books->brokers));
}

static void open_sink(struct books *books, bool drops, const char *settings)
{
	const struct sink_options options = {.where = books->where,
					     .queue_bytes = QUEUE_BYTES,
					     .drops = drops,
					     .kafka_settings = settings};
	struct error err = {""};

	if (sink__open(&options, &books->sink, &err))
		fail_msg("%s", err.text);
	books->give_up_fd = eventfd(0, EFD_NONBLOCK);
	books->sink->write_state.give_up_fd = books->give_up_fd;
	books->sink->lose = count_lost;
	books->sink->lose_context = books;
}

static void close_books(struct books *books)
{
	sink__close(books->sink);
	close(books->give_up_fd);
	rd_kafka_mock_cluster_destroy(books->brokers);
	rd_kafka_destroy(books->client);
}

static int put(struct books *books, const char *lines, const struct line_mark *marks,
	       struct error *err)
{
	size_t written;

	books->sink->marks = marks;
	return sink__write(books->sink, lines, strlen(lines), &written, err);
}

static const struct line_mark two_marks[] = {{.kind = EVENT_STEP_EXECUTED},
					     {.kind = EVENT_COMMAND_COMPLETED}};

static void what_is_delivered_is_not_lost(void **state)
{
	struct books books;
	struct error err = {""};

	(void)state;
	open_brokers(&books);
	open_sink(&books, true, NULL);
	assert_int_equal(put(&books, "one\ntwo\n", two_marks, &err), 0);
	assert_int_equal(sink__settle(books.sink, &err), 0);
	assert_int_equal(books.sink->write_state.written_bytes, 8);
	assert_int_equal(books.sink->held_bytes, 0);
	assert_int_equal(books.lost[EVENT_STEP_EXECUTED] + books.lost[EVENT_COMMAND_COMPLETED], 0);
	close_books(&books);
}

/* An error that librdkafka does not repair: only the lines of that request are lost. */
static void what_is_refused_is_lost_with_its_mark(void **state)
{
	struct books books;
	struct error err = {""};

	(void)state;
	open_brokers(&books);
	open_sink(&books, true, NULL);
	assert_int_equal(put(&books, "one\n", two_marks, &err), 0);
	assert_int_equal(sink__settle(books.sink, &err), 0);
	rd_kafka_mock_push_request_errors(books.brokers, PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	assert_int_equal(put(&books, "one\ntwo\n", two_marks, &err), 0);
	assert_int_equal(sink__settle(books.sink, &err), -EIO);
	assert_non_null(strstr(err.text, "2 lines were not delivered to kafka:127.0.0.1"));
	assert_non_null(strstr(err.text, "size too large"));
	assert_int_equal(put(&books, "one\n", two_marks, &err), 0);
	assert_int_equal(sink__settle(books.sink, &err), 0);
	assert_int_equal(books.lost[EVENT_STEP_EXECUTED], 1);
	assert_int_equal(books.lost[EVENT_COMMAND_COMPLETED], 1);
	assert_int_equal(books.sink->write_state.written_bytes, 8);
	close_books(&books);
}

/* With --when-full block. */
static void the_first_loss_ends_an_output_that_blocks(void **state)
{
	struct books books;
	struct error err = {""};

	(void)state;
	open_brokers(&books);
	open_sink(&books, false, NULL);
	rd_kafka_mock_push_request_errors(books.brokers, PRODUCE, 1,
					  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	assert_int_equal(put(&books, "one\n", two_marks, &err), 0);
	while (books.sink->held_bytes)
		books.sink->ops->on_readable(books.sink);
	assert_int_equal(put(&books, "one\n", two_marks, &err), -EIO);
	assert_non_null(strstr(err.text, "1 lines were not delivered"));
	close_books(&books);
}

/* The messages that wait occupy no more than the half of the queue. The writer waits there, until
 * the output is given up; then each line is lost. */
static void what_waits_is_limited(void **state)
{
	static char text[2 * QUEUE_BYTES];
	static struct line_mark marks[2 * QUEUE_BYTES / 256];
	struct books books;
	struct error err = {""};
	size_t written = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		memset(text + 256 * i, 'x', 255);
		text[256 * i + 255] = '\n';
		marks[i].kind = EVENT_STEP_EXECUTED;
	}
	open_brokers(&books);
	rd_kafka_mock_broker_set_down(books.brokers, 1);
	open_sink(&books, true, NULL);
	assert_int_equal(write(books.give_up_fd, &(uint64_t){1}, 8), 8);
	books.sink->marks = marks;
	assert_int_equal(sink__write(books.sink, text, sizeof(text), &written, &err), -ECANCELED);
	assert_int_equal(written % 256, 0);
	assert_in_range(written, 256, QUEUE_BYTES / 2);
	assert_in_range(books.sink->held_bytes, QUEUE_BYTES / 4, QUEUE_BYTES / 2);
	assert_int_equal(sink__settle(books.sink, &err), -ECANCELED);
	assert_int_equal(books.sink->held_bytes, 0);
	assert_int_equal(books.lost[EVENT_STEP_EXECUTED], written / 256);
	close_books(&books);
}

/* The child process that makes a producer on trial finds what no single setting tells. */
static void settings_that_do_not_fit_together_are_refused_at_once(void **state)
{
	const struct sink_options options = {
		.where = "kafka:127.0.0.1:1/t", .queue_bytes = QUEUE_BYTES, .kafka_settings = file};
	static const char *const texts[][2] = {
		{"max.in.flight=6", "max.in.flight"},
		{"linger.ms=" SECRET, "does not accept the value of linger.ms"},
		{"message.timeout.ms=10\nlinger.ms=20", "message.timeout.ms"},
	};
	struct sink *sink = NULL;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(file, texts[i][0], strlen(texts[i][0]));
		err.text[0] = 0;
		assert_true(sink__open(&options, &sink, &err) < 0);
		if (!strstr(err.text, texts[i][1]) || !strstr(err.text, file))
			fail_msg("'%s' is not in: %s", texts[i][1], err.text);
		assert_null(strstr(err.text, SECRET));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_split),
		cmocka_unit_test(a_wrong_address_is_refused),
		cmocka_unit_test(a_key_is_the_correlation_id),
		cmocka_unit_test(the_host_is_in_trace_started),
		cmocka_unit_test(settings_are_read),
		cmocka_unit_test(settings_that_start_code_are_refused),
		cmocka_unit_test(settings_of_steptrace_are_refused),
		cmocka_unit_test(no_message_has_a_secret),
		cmocka_unit_test(wrong_files_are_refused),
		cmocka_unit_test(what_is_delivered_is_not_lost),
		cmocka_unit_test(what_is_refused_is_lost_with_its_mark),
		cmocka_unit_test(the_first_loss_ends_an_output_that_blocks),
		cmocka_unit_test(what_waits_is_limited),
		cmocka_unit_test(settings_that_do_not_fit_together_are_refused_at_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
