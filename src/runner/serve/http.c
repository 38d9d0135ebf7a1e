// SPDX-License-Identifier: BSD-2-Clause
#include "runner/serve/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

enum {
	CONNECTION_BYTES = 32 * 1024, /* for the headers of a request */
	/* So much of a body that is too large is read before its connection is cut off. */
	DISCARDED_BYTES_MAX = 8 << 20,
	BODY_BYTES_FIRST = 1024,
};

struct http {
	struct MHD_Daemon *daemon;
	struct http_settings settings;
	pthread_mutex_t lock;
	pthread_cond_t all_sent;
	int quiet_listener; /* -1: it still listens */
	size_t unsent;      /* requests that were begun, and whose answer is not sent yet */
};

struct http_reply {
	unsigned int status;
	struct MHD_Response *response;
};

/* ------------------------------------------------------------------ bodies */

static bool make_room(struct http_exchange *exchange, size_t bytes)
{
	size_t room = exchange->room ? exchange->room : BODY_BYTES_FIRST;
	char *longer;

	while (room < bytes)
		room *= 2;
	if (room == exchange->room)
		return true;
	longer = realloc(exchange->body, room);
	if (!longer)
		return false;
	exchange->body = longer;
	exchange->room = room;
	return true;
}

/* The client sends nothing more, and the rest of the body is missing. With epoll, libmicrohttpd
 * does not see the end of a connection that has come together with the last bytes, and would keep
 * the connection for HTTP_IDLE_S. With poll() it would see the end too early, and send no answer
 * to a client that has sent all of its request and closed its half of the connection. */
static bool is_cut_off(const struct http_exchange *exchange)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	char next;

	return exchange->body_bytes < exchange->announced_bytes && info &&
	       recv(info->connect_fd, &next, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Returns false when the connection has to end. */
static bool take_body(struct http_exchange *exchange, const char *bytes, size_t count)
{
	size_t total = exchange->body_bytes + count;

	if (!exchange->is_too_large && total > exchange->http->settings.body_bytes_max)
		exchange->is_too_large = true;
	exchange->body_bytes = total;
	if (is_cut_off(exchange))
		return false;
	if (exchange->is_too_large || exchange->is_unwanted)
		return total <= DISCARDED_BYTES_MAX;
	if (!make_room(exchange, total))
		return false;
	memcpy(exchange->body + total - count, bytes, count);
	return true;
}

/* ------------------------------------------------------------------ heads */

struct head {
	size_t lengths, encodings; /* headers Content-Length and Transfer-Encoding */
	bool has_bad_encoding, has_bad_name;
};

static bool is_header_name(const char *name, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789!#$%&'*+-.^_`|~";

	return length && strspn(name, allowed) == length;
}

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct head *head = context;

	(void)kind;
	if (!is_header_name(name, strlen(name)))
		head->has_bad_name = true;
	if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
		head->lengths++;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		head->encodings++;
		head->has_bad_encoding = !value || strcasecmp(value, "chunked") != 0;
	}
	return MHD_YES;
}

/* Whether it is clear where the body ends. libmicrohttpd takes the first length of two, prefers
 * chunks to a length, and takes a header whose name ends with a blank for another one. A proxy in
 * front of the server may decide otherwise; then what it takes for a body is a request here. */
static bool has_clear_end(const struct http_exchange *exchange, const char *version)
{
	struct head head = {.lengths = 0};

	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, note_header, &head);
	return !head.has_bad_name && head.lengths + head.encodings <= 1 &&
	       !(head.encodings && (head.has_bad_encoding || strcmp(version, "HTTP/1.0") == 0));
}

/* Returns true if the body need not be read. A client that does not wait for a permission sends its
 * body in any case, and finds the answer only behind it. */
static bool look_at_head(struct http_exchange *exchange, const char *version)
{
	const struct http *http = exchange->http;
	const char *length = http__header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
	unsigned long long bytes = length ? strtoull(length, NULL, 10) : 0;

	exchange->announced_bytes = bytes;
	exchange->is_unclear = !has_clear_end(exchange, version);
	exchange->has_query = MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND,
							NULL, NULL) > 0;
	if (exchange->is_unclear)
		return true;
	exchange->is_too_large = bytes > http->settings.body_bytes_max;
	exchange->is_unwanted = !http->settings.wants_body(http->settings.context, exchange);
	return exchange->is_too_large &&
	       (bytes > DISCARDED_BYTES_MAX || http__header(exchange, MHD_HTTP_HEADER_EXPECT));
}

/* ------------------------------------------------------------------ one exchange */

static void begin(struct http_exchange *exchange)
{
	struct http *http = exchange->http;

	exchange->is_begun = true;
	pthread_mutex_lock(&http->lock);
	http->unsent++;
	pthread_mutex_unlock(&http->lock);
	http->settings.begin(http->settings.context, exchange);
}

static enum MHD_Result send_reply(struct http_exchange *exchange)
{
	struct http_reply *reply = exchange->reply;
	enum MHD_Result result;

	if (!reply->response)
		return MHD_NO;
	result = MHD_queue_response(exchange->connection, reply->status, reply->response);
	MHD_destroy_response(reply->response);
	reply->response = NULL;
	return result;
}

static struct http_exchange *new_exchange(struct http *http, struct MHD_Connection *connection,
					  const char *method, const char *path)
{
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	*exchange = (struct http_exchange){.method = method,
					   .path = path,
					   .http = http,
					   .connection = connection,
					   .reply = calloc(1, sizeof(*exchange->reply))};
	if (exchange->reply)
		return exchange;
	free(exchange);
	return NULL;
}

/* Called for the headers, for each piece of the body, at its end, and when a deferred answer has
 * come. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
				  const char *path, const char *method, const char *version,
				  const char *bytes, size_t *count, void **request)
{
	struct http_exchange *exchange = *request;
	bool is_first = !exchange;

	if (is_first)
		exchange = *request = new_exchange(context, connection, method, path);
	if (!exchange)
		return MHD_NO;
	if (is_first && !look_at_head(exchange, version))
		return MHD_YES;
	if (*count) {
		bool goes_on = take_body(exchange, bytes, *count);

		*count = 0;
		return goes_on ? MHD_YES : MHD_NO;
	}
	if (!exchange->is_begun) {
		begin(exchange);
		if (exchange->is_deferred)
			return MHD_YES; /* it is suspended until its answer has come */
	}
	return send_reply(exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request,
			 enum MHD_RequestTerminationCode code)
{
	struct http_exchange *exchange = *request;
	struct http *http = context;

	(void)connection;
	(void)code;
	if (!exchange)
		return;
	if (exchange->is_begun) {
		pthread_mutex_lock(&http->lock);
		if (--http->unsent == 0)
			pthread_cond_broadcast(&http->all_sent);
		pthread_mutex_unlock(&http->lock);
	}
	if (exchange->reply->response)
		MHD_destroy_response(exchange->reply->response);
	free(exchange->reply);
	free(exchange->body);
	free(exchange);
	*request = NULL;
}

const char *http__header(const struct http_exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

struct search {
	const char *name;
	size_t found;
};

static enum MHD_Result count_header(void *context, enum MHD_ValueKind kind, const char *name,
				    const char *value)
{
	struct search *search = context;

	(void)kind;
	(void)value;
	search->found += strcasecmp(name, search->name) == 0;
	return MHD_YES;
}

bool http__is_repeated(const struct http_exchange *exchange, const char *name)
{
	struct search search = {.name = name};

	MHD_get_connection_values(exchange->connection, MHD_HEADER_KIND, count_header, &search);
	return search.found > 1;
}

/* ------------------------------------------------------------------ answers */

void http__defer(struct http_exchange *exchange)
{
	exchange->is_deferred = true;
	MHD_suspend_connection(exchange->connection);
}

static void add_headers(struct MHD_Response *response, const struct http_answer *answer)
{
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (answer->correlation_id)
		MHD_add_response_header(response, "X-Correlation-ID", answer->correlation_id);
	if (answer->allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
	if (answer->retry_later)
		MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
	if (answer->status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	if (answer->close)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static struct MHD_Response *no_memory_response(void)
{
	static const char text[] = "{\"success\":false,\"error\":{\"category\":\"memory\","
				   "\"message\":\"out of memory\"}}";

	return MHD_create_response_from_buffer(sizeof(text) - 1, (void *)(uintptr_t)text,
					       MHD_RESPMEM_PERSISTENT);
}

/* The text with a newline, so that it ends a line in a terminal. Takes ownership of `body`. */
static struct MHD_Response *response_of(char *body)
{
	size_t length = body ? strlen(body) : 0;
	char *line = body ? realloc(body, length + 2) : NULL;
	struct MHD_Response *response;

	if (!line) {
		free(body);
		return NULL;
	}
	line[length++] = '\n';
	line[length] = 0;
	response = MHD_create_response_from_buffer(length, line, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(line);
	return response;
}

void http__answer(struct http_exchange *exchange, const struct http_answer *answer)
{
	struct http_reply *reply = exchange->reply;
	bool is_deferred = exchange->is_deferred;

	reply->status = answer->status;
	reply->response = response_of(answer->body);
	if (!reply->response) {
		reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		reply->response = no_memory_response();
	}
	if (reply->response)
		add_headers(reply->response, answer);
	if (is_deferred)
		MHD_resume_connection(exchange->connection);
}

/* ------------------------------------------------------------------ the server */

static void init_waiting(struct http *http)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&http->lock, NULL);
	pthread_cond_init(&http->all_sent, &attributes);
	pthread_condattr_destroy(&attributes);
}

/* No path of the server has a character that is escaped, and a filter in front of it may compare
 * paths as they come. */
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text)
{
	(void)context;
	(void)connection;
	return strlen(text);
}

int http__open(const struct tcp_listener *listener, const struct http_settings *settings,
	       struct http **result, struct error *err)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return error__set(err, -ENOMEM, "out of memory");
	http->quiet_listener = -1;
	http->settings = *settings;
	init_waiting(http);
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_ITC,
		0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET, listener->fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, http, MHD_OPTION_END);
	if (!http->daemon) {
		http__close(http);
		return error__set(err, -EIO, "cannot start the HTTP server");
	}
	*result = http;
	return 0;
}

void http__stop_listening(struct http *http)
{
	http->quiet_listener = MHD_quiesce_daemon(http->daemon);
	if (http->quiet_listener >= 0)
		shutdown(http->quiet_listener, SHUT_RDWR);
}

size_t http__wait_sent(struct http *http, uint64_t timeout_ns)
{
	uint64_t until_ns = clock__now_ns() + timeout_ns;
	const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
				       .tv_nsec = (long)(until_ns % 1000000000)};
	size_t unsent;
	int err = 0;

	pthread_mutex_lock(&http->lock);
	while (http->unsent && !err)
		err = pthread_cond_timedwait(&http->all_sent, &http->lock, &until);
	unsent = http->unsent;
	pthread_mutex_unlock(&http->lock);
	return unsent;
}

void http__close(struct http *http)
{
	if (!http)
		return;
	if (http->daemon)
		MHD_stop_daemon(http->daemon);
	if (http->quiet_listener >= 0)
		close(http->quiet_listener); /* not earlier: the thread may use it */
	pthread_cond_destroy(&http->all_sent);
	pthread_mutex_destroy(&http->lock);
	free(http);
}
