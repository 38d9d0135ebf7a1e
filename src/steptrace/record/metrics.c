// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/tcp_listener.h"

enum {
	CONNECTIONS_MAX = 64,
	CONNECTION_TIMEOUT_S = 3,
	CONNECTION_BYTES = 32 * 1024,
	TEXT_MAX_BYTES = 32 << 20,
};

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS_TYPE  "text/plain; version=0.0.4; charset=utf-8"

struct metrics {
	struct MHD_Daemon *daemon;
	metrics_text_fn *text;
	void *context;
	int fd; /* the daemon's epoll */
	char url[320];
};

/* ---- answers */

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned int status,
				   const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result = MHD_queue_response(connection, status, response);

	MHD_destroy_response(response);
	return result;
}

/* Prometheus asks for OpenMetrics first. */
static bool accepts_openmetrics(struct MHD_Connection *connection)
{
	const char *accepted =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);

	return accepted && strstr(accepted, "application/openmetrics-text");
}

static enum MHD_Result answer_metrics(struct metrics *metrics, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	struct strbuf text;
	const struct prometheus_text out = {&text, accepts_openmetrics(connection)};
	size_t bytes;
	char *taken;

	strbuf__init(&text, TEXT_MAX_BYTES);
	metrics->text(metrics->context, &out);
	bytes = text.length;
	taken = strbuf__take(&text);
	if (!taken) {
		strbuf__free(&text);
		return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	}
	response = MHD_create_response_from_buffer(bytes, taken, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(taken);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				out.is_open ? OPENMETRICS_TYPE : PROMETHEUS_TYPE);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_bytes, void **request)
{
	(void)version;
	(void)upload;
	(void)request;
	if (*upload_bytes) { /* a GET request has no body */
		*upload_bytes = 0;
		return MHD_NO;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET /metrics\n");
	if (strcmp(url, "/metrics") != 0)
		return answer_text(connection, MHD_HTTP_NOT_FOUND, "GET /metrics\n");
	return answer_metrics(context, connection);
}

/* ---- the listening socket */

static int split(const char *text, struct host_port *address, struct error *err)
{
	if (tcp_listener__split(text, address))
		return error__set(err, -EINVAL,
				  "--metrics is ADDRESS:PORT or PORT, not '%s' (for example: "
				  "--metrics 127.0.0.1:9464)",
				  text);
	return 0;
}

int metrics__check(const char *address, struct error *err)
{
	struct host_port parts;

	return split(address, &parts, err);
}

static int open_socket(struct metrics *metrics, const char *text, struct error *err)
{
	struct tcp_listener listener;
	struct host_port address;
	int code = split(text, &address, err);

	if (code)
		return code;
	code = tcp_listener__open(&listener, &address, CONNECTIONS_MAX, err);
	if (code)
		return error__prefix(err, code, "cannot serve metrics at '%s'", text);
	snprintf(metrics->url, sizeof(metrics->url), "http://%s/metrics", listener.name);
	return listener.fd;
}

int metrics__open(const char *address, metrics_text_fn *text, void *context, struct metrics **out,
		  struct error *err)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	const union MHD_DaemonInfo *info;
	int fd;

	if (!metrics)
		return error__set(err, -ENOMEM, "out of memory");
	metrics->text = text;
	metrics->context = context;
	fd = open_socket(metrics, address, err);
	if (fd < 0) {
		free(metrics);
		return fd;
	}
	metrics->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, answer, metrics, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CONNECTION_TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
	info = metrics->daemon ? MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			       : NULL;
	if (!info) {
		if (!metrics->daemon)
			close(fd);
		metrics__close(metrics);
		return error__set(err, -EIO, "cannot serve metrics at '%s'", address);
	}
	metrics->fd = info->epoll_fd;
	*out = metrics;
	return 0;
}

void metrics__close(struct metrics *metrics)
{
	if (!metrics)
		return;
	if (metrics->daemon)
		MHD_stop_daemon(metrics->daemon);
	free(metrics);
}

const char *metrics__url(const struct metrics *metrics)
{
	return metrics->url;
}

int metrics__fd(const struct metrics *metrics)
{
	return metrics->fd;
}

void metrics__serve(struct metrics *metrics)
{
	if (metrics)
		MHD_run(metrics->daemon);
}
