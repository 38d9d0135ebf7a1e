// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/output/authorities.h"
#include "steptrace/output/http_sockets.h"
#include "steptrace/output/library_settings.h"
#include "steptrace/output/otlp_headers.h"
#include "steptrace/output/peer.h"
#include "steptrace/version.h"

/* ANSWER_NS: a server that sends its answer byte by byte must not hold the output for ever. */
enum { SLICE_MS = 200, CONNECT_MS = 10000, HEAD_BYTES_MAX = 256 * 1024 };
#define SECOND_NS 1000000000ull
#define ANSWER_NS 300000000000ull

struct http_client {
	struct otlp_address address;
	struct peer peer;
	struct write_state *state;
	uint64_t timeout_ns;
	CURL *curl;
	CURLM *multi;
	struct curl_slist *headers, *gzip_headers, *addresses;
	bool has_secrets;
	char *authorities; /* PEM; NULL: plain */
	char reason[CURL_ERROR_SIZE];
	struct http_sockets sockets;

	/* the request that is being sent */
	const struct http_request *request;
	size_t sent;       /* bytes of the body that libcurl has taken */
	uint64_t moved_ns; /* when a byte was sent or received last */
	uint64_t asked_ns; /* when all of the body had been sent */
	uint64_t bytes;    /* that moved on all connections, as note_progress() saw them last */
	unsigned int sent_again;
	bool was_sent;
	char body[HTTP_BODY_BYTES];
	size_t body_bytes;
	size_t head_bytes; /* with the lines behind the body */
	bool is_cut;
};

/* ---- opening */

static int add(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int add_to_both(struct http_client *client, const char *header)
{
	return add(&client->headers, header) || add(&client->gzip_headers, header) ? -ENOMEM : 0;
}

/* The default bundle of libcurl, which is that of ca-certificates. */
static const char *system_authorities(void)
{
	const curl_version_info_data *about = curl_version_info(CURLVERSION_NOW);

	return about->age >= CURLVERSION_SEVENTH && about->cainfo
		       ? about->cainfo
		       : "/etc/ssl/certs/ca-certificates.crt";
}

/* Read here and not by libcurl, which would read the file for each connection, without root. */
static int read_authorities(struct http_client *client, const char *given, struct error *err)
{
	return authorities__read(given, system_authorities(), "--otlp-ca", &client->authorities,
				 err);
}

static int read_headers(struct http_client *client, const char *path, struct error *err)
{
	struct otlp_headers *headers = calloc(1, sizeof(*headers));
	int code = headers ? otlp_headers__read(path, headers, err)
			   : error__set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; !code && i < headers->count; i++)
		if (add_to_both(client, headers->lines[i]))
			code = error__set(err, -ENOMEM, "out of memory");
	if (headers)
		otlp_headers__wipe(headers);
	free(headers);
	client->has_secrets = true;
	return code;
}

static int make_headers(struct http_client *client, const char *path, struct error *err)
{
	if (add_to_both(client, "Content-Type: application/json") ||
	    add_to_both(client, "Expect:") || add(&client->gzip_headers, "Content-Encoding: gzip"))
		return error__set(err, -ENOMEM, "out of memory");
	return path ? read_headers(client, path, err) : 0;
}

static int make_handles(struct http_client *client, struct error *err)
{
	library_settings__ignore();
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return error__set(err, -ENOMEM, "cannot set up libcurl");
	client->curl = curl_easy_init();
	client->multi = curl_multi_init();
	return client->curl && client->multi ? 0 : error__set(err, -ENOMEM, "out of memory");
}

static int read_files(struct http_client *client, const struct http_client_options *options,
		      struct error *err)
{
	int code = make_headers(client, options->headers, err);

	if (!code && options->address->is_tls)
		code = read_authorities(client, options->authorities, err);
	return code;
}

int http_client__check_files(const struct http_client_options *options, struct error *err)
{
	struct http_client *client = calloc(1, sizeof(*client));
	int code = client ? read_files(client, options, err)
			  : error__set(err, -ENOMEM, "out of memory");

	http_client__close(client);
	return code;
}

int http_client__open(const struct http_client_options *options, struct http_client **out,
		      struct error *err)
{
	struct http_client *client = calloc(1, sizeof(*client));
	int code;

	if (!client)
		return error__set(err, -ENOMEM, "out of memory");
	http_sockets__init(&client->sockets);
	client->address = *options->address;
	client->state = options->state;
	client->timeout_ns = options->timeout_ns;
	code = make_handles(client, err);
	if (!code)
		code = read_files(client, options, err);
	if (!code)
		code = peer__find_host(&client->peer, client->address.peer, err);
	if (code) {
		http_client__close(client);
		return code;
	}
	*out = client;
	return 0;
}

static void wipe_list(struct curl_slist *list)
{
	for (struct curl_slist *item = list; item; item = item->next)
		explicit_bzero(item->data, strlen(item->data));
	curl_slist_free_all(list);
}

void http_client__close(struct http_client *client)
{
	if (!client)
		return;
	if (client->curl)
		curl_easy_cleanup(client->curl);
	if (client->multi)
		curl_multi_cleanup(client->multi);
	wipe_list(client->headers);
	wipe_list(client->gzip_headers);
	curl_slist_free_all(client->addresses);
	peer__close(&client->peer);
	free(client->authorities);
	free(client);
}

bool http_client__has_secrets(const struct http_client *client)
{
	return client->has_secrets;
}

/* ---- what libcurl calls */

static size_t give(char *room, size_t size, size_t count, void *context)
{
	struct http_client *client = context;
	size_t left = client->request->bytes - client->sent, bytes = size * count;

	bytes = bytes < left ? bytes : left;
	memcpy(room, client->request->body + client->sent, bytes);
	client->sent += bytes;
	client->was_sent = true;
	return bytes;
}

/* The connection broke before the server answered, and libcurl sends the body over another one. */
static int seek(void *context, curl_off_t offset, int origin)
{
	struct http_client *client = context;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > client->request->bytes)
		return CURL_SEEKFUNC_FAIL;
	client->sent_again += client->sent > (size_t)offset;
	client->sent = (size_t)offset;
	client->asked_ns = 0;
	return CURL_SEEKFUNC_OK;
}

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
	struct http_client *client = context;
	size_t got = size * count, room = HTTP_BODY_BYTES - client->body_bytes;

	client->is_cut = got > room;
	memcpy(client->body + client->body_bytes, bytes, client->is_cut ? room : got);
	client->body_bytes += client->is_cut ? room : got;
	return client->is_cut ? 0 : got;
}

/* libcurl limits the head of an answer, but not the lines behind its body. */
static size_t count_head(char *bytes, size_t size, size_t count, void *context)
{
	struct http_client *client = context;

	(void)bytes;
	client->head_bytes += size * count;
	return client->head_bytes > HEAD_BYTES_MAX ? 0 : size * count;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_client *client = context;

	(void)purpose;
	return http_sockets__open(&client->sockets, address->family, address->socktype,
				  address->protocol);
}

static int close_socket(void *context, curl_socket_t fd)
{
	struct http_client *client = context;

	return http_sockets__close(&client->sockets, fd);
}

/* ---- addresses */

static bool is_numeric(const struct http_client *client)
{
	struct in6_addr address;

	return inet_pton(AF_INET, client->peer.named.host, &address) == 1 ||
	       strchr(client->peer.named.host, ':');
}

static void append_address(char *text, size_t room, const struct address *address, bool is_first)
{
	char host[64];
	size_t used = strlen(text);

	if (getnameinfo((const struct sockaddr *)&address->bytes, address->size, host, sizeof(host),
			NULL, 0, NI_NUMERICHOST))
		return;
	snprintf(text + used, room - used, strchr(host, ':') ? "%s[%s]" : "%s%s",
		 is_first ? "" : ",", host);
}

/* "collector:4318:192.0.2.1,[2001:db8::1]". The port may be a name: libcurl gets a number. */
static int set_addresses(struct http_client *client)
{
	const struct address_list *list = &client->peer.addresses;
	char text[1024];

	if (is_numeric(client))
		return 0;
	snprintf(text, sizeof(text), "%s:%s:", client->peer.named.host, client->peer.named.port);
	for (size_t i = 0; i < list->count; i++)
		append_address(text, sizeof(text), &list->items[i], i == 0);
	curl_slist_free_all(client->addresses);
	client->addresses = curl_slist_append(NULL, text);
	return client->addresses ? 0 : -ENOMEM;
}

/* The host may have moved. -ECANCELED: the output was given up. */
static int look_up_again(struct http_client *client)
{
	const struct address *first;

	peer__begin_again(&client->peer);
	return peer__next(&client->peer, client->state->give_up_fd, &first);
}

/* ---- a request */

static void set_tls(const struct http_client *client)
{
	struct curl_blob authorities = {client->authorities, strlen(client->authorities),
					CURL_BLOB_NOCOPY};
	CURL *curl = client->curl;

	curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &authorities);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void set_up(struct http_client *client, const struct http_request *request)
{
	CURL *curl = client->curl;
	char url[640];

	snprintf(url, sizeof(url), "%s%s", client->address.base, request->path);
	curl_easy_reset(curl); /* clears the options; the connection stays open */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, client->address.is_tls ? "https" : "http");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_RESOLVE, client->addresses);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER,
			 request->is_gzip ? client->gzip_headers : client->headers);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "steptrace/" STEPTRACE_VERSION);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->bytes);
	curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256 * 1024L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, client);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, client);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, count_head);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, client);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, client);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, client);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason);
	if (client->authorities)
		set_tls(client);
}

static void begin(struct http_client *client, const struct http_request *request)
{
	client->request = request;
	client->sent = client->body_bytes = client->head_bytes = 0;
	client->sent_again = 0;
	client->was_sent = client->is_cut = false;
	client->bytes = http_sockets__bytes(&client->sockets);
	client->moved_ns = clock__now_ns();
	client->asked_ns = 0;
	client->reason[0] = 0;
}

static void note_progress(struct http_client *client, uint64_t now)
{
	uint64_t bytes = http_sockets__bytes(&client->sockets);

	if (bytes == client->bytes)
		return;
	client->bytes = bytes;
	client->moved_ns = now;
	client->state->written_bytes++;
}

static bool is_stalled(struct http_client *client)
{
	uint64_t now = clock__now_ns();

	note_progress(client, now);
	if (client->sent < client->request->bytes)
		client->asked_ns = 0;
	else if (client->asked_ns == 0)
		client->asked_ns = now;
	return now - client->moved_ns >= client->timeout_ns ||
	       (client->asked_ns && now - client->asked_ns >= ANSWER_NS);
}

static CURLcode result_of(CURLM *multi)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left)))
		if (message->msg == CURLMSG_DONE)
			return message->data.result;
	return CURLE_FAILED_INIT;
}

/* 0 and *code; or -ECANCELED, -ETIMEDOUT. */
static int perform(struct http_client *client, CURLcode *code)
{
	struct curl_waitfd give_up = {.fd = client->state->give_up_fd, .events = CURL_WAIT_POLLIN};
	CURLMcode multi_code = CURLM_OK;
	int running = 1;

	while (running) {
		multi_code = curl_multi_perform(client->multi, &running);
		if (multi_code)
			break;
		if (!running)
			break;
		multi_code = curl_multi_poll(client->multi, &give_up, 1, SLICE_MS, NULL);
		if (multi_code)
			break;
		if (give_up.revents)
			return -ECANCELED;
		if (is_stalled(client))
			return -ETIMEDOUT;
	}
	*code = multi_code ? CURLE_FAILED_INIT : result_of(client->multi);
	return 0;
}

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_OUT_OF_MEMORY: return -ENOMEM;
	case CURLE_COULDNT_CONNECT: return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT: return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION: return -EPROTO;
	default: return -ECONNRESET;
	}
}

/* An answer that is too long, or an error whose text is torn, is no reason to send the request
 * again. */
static bool is_answered(const struct http_client *client, CURLcode code, long status)
{
	bool is_too_long = client->is_cut || client->head_bytes > HEAD_BYTES_MAX;

	return code == CURLE_OK || (is_too_long && status > 0) || status >= 300;
}

static int conclude(struct http_client *client, CURLcode code, struct http_answer *answer,
		    struct error *why)
{
	curl_off_t retry_after = 0;

	if (is_answered(client, code, answer->status)) {
		curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after);
		answer->retry_after_s = retry_after > 0 ? (uint64_t)retry_after : 0;
		return 0;
	}
	error__set(why, 0, "%s", client->reason[0] ? client->reason : curl_easy_strerror(code));
	if (!answer->was_sent && look_up_again(client) == -ECANCELED)
		return -ECANCELED;
	return errno_of(code);
}

int http_client__post(struct http_client *client, const struct http_request *request,
		      struct http_answer *answer, struct error *why)
{
	CURLcode code = CURLE_FAILED_INIT;
	int result;

	*answer = (struct http_answer){.body = client->body};
	begin(client, request);
	if (set_addresses(client))
		return error__set(why, -ENOMEM, "out of memory");
	set_up(client, request);
	if (curl_multi_add_handle(client->multi, client->curl))
		return error__set(why, -ENOMEM, "out of memory");
	result = perform(client, &code);
	answer->was_sent = client->was_sent;
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	if (result == -ETIMEDOUT)
		error__set(why, result,
			   "it did not answer for %d s, or neither took nor sent a byte for %llu s",
			   (int)(ANSWER_NS / SECOND_NS),
			   (unsigned long long)(client->timeout_ns / SECOND_NS));
	else if (result == 0)
		result = conclude(client, code, answer, why);
	answer->bytes = client->body_bytes;
	answer->sent_again = client->sent_again;
	curl_multi_remove_handle(client->multi, client->curl);
	return result;
}
