// SPDX-License-Identifier: BSD-2-Clause
#include "http_server.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { THREADS = 8, REQUEST_BYTES_MAX = 2 << 20, PATIENCE_MS = 5000 };

struct http_server {
	int listener, stop, port;
	pthread_t threads[THREADS];
	size_t thread_count;
	pthread_mutex_t lock; /* protects the fields below */
	struct http_reply reply;
	int request_count;
	char *last_request;
};

/* ------------------------------------------------------------------ one request */

/* True: `fd` is readable; false: the time is over or the server stops. */
static bool wait_for(const struct http_server *server, int fd, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = server->stop, .events = POLLIN},
			       {.fd = fd, .events = POLLIN}};

	return poll(fds, 2, timeout_ms) > 0 && !fds[0].revents;
}

static size_t body_length(const char *head)
{
	const char *field = strcasestr(head, "\r\ncontent-length:");

	return field ? (size_t)strtoul(field + 17, NULL, 10) : 0;
}

static bool is_complete(const char *text, size_t bytes)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end && (size_t)(text + bytes - (end + 4)) >= body_length(text);
}

static bool read_request(const struct http_server *server, int fd, char *text)
{
	size_t bytes = 0;
	ssize_t got;

	text[0] = 0;
	while (!is_complete(text, bytes) && bytes < REQUEST_BYTES_MAX) {
		if (!wait_for(server, fd, PATIENCE_MS))
			return false;
		got = recv(fd, text + bytes, REQUEST_BYTES_MAX - bytes, 0);
		if (got <= 0)
			return false;
		bytes += (size_t)got;
		text[bytes] = 0;
	}
	return true;
}

static bool send_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		count -= (size_t)sent;
	}
	return true;
}

static size_t body_bytes(const struct http_reply *reply)
{
	if (reply->body_bytes || !reply->body)
		return reply->body_bytes;
	return strlen(reply->body);
}

static void send_reply(int fd, const struct http_reply *reply)
{
	size_t bytes = body_bytes(reply);
	size_t times = reply->repeat ? reply->repeat : 1;
	char head[512];
	int length;

	length = snprintf(head, sizeof(head),
			  "HTTP/1.1 %d Canned\r\nContent-Type: application/json\r\n"
			  "Content-Length: %zu\r\nConnection: close\r\n%s%s%s\r\n",
			  reply->status ? reply->status : 200, bytes * times,
			  reply->location ? "Location: " : "",
			  reply->location ? reply->location : "", reply->location ? "\r\n" : "");
	if (!send_all(fd, head, (size_t)length))
		return;
	for (size_t i = 0; i < times; i++)
		if (!send_all(fd, reply->body, bytes))
			return;
}

/* Stores the request, of which it takes ownership, and returns the reply. The body of the reply is
 * a copy that the caller frees, because the test may free its own body as soon as the client has
 * read the last byte. */
static struct http_reply note_request(struct http_server *server, char *text)
{
	struct http_reply reply;

	pthread_mutex_lock(&server->lock);
	free(server->last_request);
	server->last_request = text;
	server->request_count++;
	reply = server->reply;
	if (reply.body) {
		char *copy = malloc(body_bytes(&reply) + 1);

		if (copy) {
			memcpy(copy, reply.body, body_bytes(&reply));
			copy[body_bytes(&reply)] = 0;
		}
		reply.body = copy;
	}
	pthread_mutex_unlock(&server->lock);
	return reply;
}

static void serve(struct http_server *server, int fd)
{
	char *text = malloc(REQUEST_BYTES_MAX + 1);
	struct http_reply reply;

	if (!text || !read_request(server, fd, text)) {
		free(text);
		return;
	}
	reply = note_request(server, text);
	if (reply.delay_ms)
		wait_for(server, -1, reply.delay_ms);
	if (!reply.hang_up)
		send_reply(fd, &reply);
	free((char *)(uintptr_t)reply.body);
}

static void *work(void *data)
{
	struct http_server *server = data;

	while (wait_for(server, server->listener, -1)) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue; /* another thread has accepted the connection */
		serve(server, fd);
		close(fd);
	}
	return NULL;
}

/* ------------------------------------------------------------------ the server */

static int open_listener(struct http_server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t bytes = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listener < 0 ||
	    bind(server->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(server->listener, 64) ||
	    getsockname(server->listener, (struct sockaddr *)&address, &bytes))
		return -errno;
	server->port = ntohs(address.sin_port);
	return 0;
}

struct http_server *http_server__start(const struct http_reply *reply)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	pthread_mutex_init(&server->lock, NULL);
	server->reply = *reply;
	server->stop = eventfd(0, EFD_CLOEXEC);
	if (server->stop < 0 || open_listener(server)) {
		http_server__stop(server);
		return NULL;
	}
	while (server->thread_count < THREADS &&
	       !pthread_create(&server->threads[server->thread_count], NULL, work, server))
		server->thread_count++;
	return server;
}

void http_server__stop(struct http_server *server)
{
	uint64_t one = 1;

	if (write(server->stop, &one, sizeof(one)) != sizeof(one))
		perror("http_server: cannot stop");
	for (size_t i = 0; i < server->thread_count; i++)
		pthread_join(server->threads[i], NULL);
	if (server->listener >= 0)
		close(server->listener);
	close(server->stop);
	free(server->last_request);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

int http_server__port(const struct http_server *server)
{
	return server->port;
}

void http_server__set_reply(struct http_server *server, const struct http_reply *reply)
{
	pthread_mutex_lock(&server->lock);
	server->reply = *reply;
	pthread_mutex_unlock(&server->lock);
}

int http_server__request_count(struct http_server *server)
{
	int count;

	pthread_mutex_lock(&server->lock);
	count = server->request_count;
	pthread_mutex_unlock(&server->lock);
	return count;
}

const char *http_server__last_request(struct http_server *server)
{
	return server->last_request;
}

char *http_server__completion(const char *content, int prompt_tokens, int completion_tokens)
{
	cJSON *reply = cJSON_CreateObject(), *choice = cJSON_CreateObject(), *part;
	char *text;

	part = cJSON_AddArrayToObject(reply, "choices");
	cJSON_AddItemToArray(part, choice);
	part = cJSON_AddObjectToObject(choice, "message");
	cJSON_AddStringToObject(part, "role", "assistant");
	cJSON_AddStringToObject(part, "content", content);
	part = cJSON_AddObjectToObject(reply, "usage");
	cJSON_AddNumberToObject(part, "prompt_tokens", prompt_tokens);
	cJSON_AddNumberToObject(part, "completion_tokens", completion_tokens);
	text = cJSON_PrintUnformatted(reply);
	cJSON_Delete(reply);
	return text;
}
