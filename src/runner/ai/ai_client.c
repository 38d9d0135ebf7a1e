// SPDX-License-Identifier: BSD-2-Clause
#include "runner/ai/ai_client.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/foreign_text.h"

struct ai_client {
	/* Created at the first question, because that takes milliseconds. `multi` holds the
	 * connection. */
	CURL *curl;
	CURLM *multi;
	struct curl_slist *headers;
	char *base_url; /* without a user and a password: it is in messages and in the cache */
	char *model, *address;
};

/* The response body received so far. curl stops the transfer when `take` refuses a piece. */
struct body {
	char *bytes;
	size_t count;
	bool too_long;
};

/* ------------------------------------------------------------------ opening */

static char *address_of(const char *base_url)
{
	size_t length = strlen(base_url);
	char *address;

	while (length > 0 && base_url[length - 1] == '/')
		length--;
	if (asprintf(&address, "%.*s/chat/completions", (int)length, base_url) < 0)
		return NULL;
	return address;
}

/* Appends a header. After an error the list is unchanged. */
static int add_header(struct ai_client *client, const char *header)
{
	struct curl_slist *longer = curl_slist_append(client->headers, header);

	if (!longer)
		return -ENOMEM;
	client->headers = longer;
	return 0;
}

static int add_headers(struct ai_client *client, const char *key)
{
	char *authorization;
	int err = add_header(client, "Content-Type: application/json");

	if (!err)
		err = add_header(client, "Expect:"); /* do not wait for "100 Continue" */
	if (err || !key || !*key)
		return err;
	if (asprintf(&authorization, "Authorization: Bearer %s", key) < 0)
		return -ENOMEM;
	err = add_header(client, authorization);
	free(authorization);
	return err;
}

/* The address without the user and password that it may contain. */
static char *shown_url(const char *url)
{
	const char *host = strstr(url, "://"), *at;
	size_t authority;
	char *shown;

	host = host ? host + 3 : url;
	authority = strcspn(host, "/?#");
	at = memrchr(host, '@', authority);
	if (asprintf(&shown, "%.*s%s", (int)(host - url), url, at ? at + 1 : host) < 0)
		return NULL;
	return shown;
}

static int fill(struct ai_client *client, const char *base_url, const char *model, const char *key)
{
	client->base_url = base_url ? shown_url(base_url) : NULL;
	client->address = base_url ? address_of(base_url) : NULL;
	client->model = model ? strdup(model) : NULL;
	if ((base_url && (!client->base_url || !client->address)) || (model && !client->model))
		return -ENOMEM;
	return add_headers(client, key);
}

static int refuse_address(const char *base_url, struct error *err)
{
	char *shown = shown_url(base_url);
	int code =
		error__set(err, -EINVAL, "the model's address '%s' is neither http:// nor https://",
			   shown ? shown : "");

	free(shown);
	return code;
}

int ai_client__open(const char *base_url, const char *model, const char *key,
		    struct ai_client **result, struct error *err)
{
	struct ai_client *client;

	if (base_url && strncmp(base_url, "http://", 7) && strncmp(base_url, "https://", 8))
		return refuse_address(base_url, err);
	if (key && strpbrk(key, "\r\n"))
		return error__set(err, -EINVAL, "the model's key contains a line break");
	client = calloc(1, sizeof(*client));
	if (!client || fill(client, base_url, model, key)) {
		ai_client__close(client);
		return error__set(err, -ENOMEM, "out of memory");
	}
	*result = client;
	return 0;
}

void ai_client__close(struct ai_client *client)
{
	if (!client)
		return;
	curl_slist_free_all(client->headers);
	if (client->curl)
		curl_easy_cleanup(client->curl);
	if (client->multi)
		curl_multi_cleanup(client->multi);
	free(client->base_url);
	free(client->address);
	free(client->model);
	free(client);
}

const char *ai_client__model(const struct ai_client *client)
{
	return client->model;
}

const char *ai_client__base_url(const struct ai_client *client)
{
	return client->base_url;
}

/* ------------------------------------------------------------------ asking */

static bool add_message(cJSON *request, const char *prompt)
{
	cJSON *messages = cJSON_AddArrayToObject(request, "messages");
	cJSON *message = cJSON_CreateObject();

	if (!messages || !message || !cJSON_AddItemToArray(messages, message)) {
		cJSON_Delete(message);
		return false;
	}
	return cJSON_AddStringToObject(message, "role", "user") &&
	       cJSON_AddStringToObject(message, "content", prompt);
}

static char *write_request(const struct ai_client *client, const struct ai_question *question)
{
	cJSON *request = cJSON_CreateObject();
	char *text = NULL;
	bool done;

	done = request && cJSON_AddStringToObject(request, "model", client->model) &&
	       add_message(request, question->prompt);
	if (done && question->max_tokens > 0)
		done = cJSON_AddNumberToObject(request, "max_tokens", (double)question->max_tokens);
	if (done && question->temperature >= 0)
		done = cJSON_AddNumberToObject(request, "temperature", question->temperature);
	if (done)
		text = cJSON_PrintUnformatted(request);
	cJSON_Delete(request);
	return text;
}

static size_t take(char *piece, size_t size, size_t count, void *data)
{
	struct body *body = data;
	size_t bytes = size * count;
	char *longer;

	if (bytes > AI_ANSWER_BYTES_MAX - body->count) {
		body->too_long = true;
		return 0;
	}
	longer = realloc(body->bytes, body->count + bytes + 1);
	if (!longer)
		return 0;
	memcpy(longer + body->count, piece, bytes);
	body->bytes = longer;
	body->count += bytes;
	body->bytes[body->count] = 0;
	return bytes;
}

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT: return -ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR: return -ENOMEM; /* `take` could not allocate memory */
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL: return -EINVAL;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST: return -ECONNREFUSED;
	default: return -ECONNRESET;
	}
}

static int check_status(const struct ai_client *client, struct error *err)
{
	long status = 0;

	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return 0;
	if (status == 401 || status == 403)
		return error__set(
			err, -EACCES,
			"the model's server refused the key (HTTP %ld): check STEPRUN_AI_KEY",
			status);
	if (status == 408 || status == 504)
		return error__set(err, -ETIMEDOUT, "the model's server timed out (HTTP %ld)",
				  status);
	return error__set(err, -EPROTO, "the model's server answered HTTP %ld", status);
}

static void set_up(const struct ai_client *client, const struct ai_question *question,
		   const char *request, struct body *body)
{
	CURL *curl = client->curl;

	curl_easy_reset(curl); /* clears the options; the connection stays open */
	curl_easy_setopt(curl, CURLOPT_URL, client->address);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* it does not wait for a look-up */
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)question->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "steprun");
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

/* Waits in slices, so that the deadline ends it. *over: it did. */
static CURLcode perform(const struct ai_client *client, const struct ai_question *question,
			bool *over)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;
	CURLMcode multi_code = CURLM_OK;
	int running = 1;

	if (curl_multi_add_handle(client->multi, client->curl))
		return code;
	while (!multi_code && running && !*over) {
		multi_code = curl_multi_perform(client->multi, &running);
		if (!multi_code && running)
			multi_code =
				curl_multi_poll(client->multi, NULL, 0, DEADLINE_SLICE_MS, NULL);
		*over = running && deadline__check_wait(question->deadline, NULL) != 0;
	}
	if (!multi_code && !running)
		code = result_of(client->multi);
	curl_multi_remove_handle(client->multi, client->curl);
	return code;
}

static int talk(const struct ai_client *client, const struct ai_question *question,
		struct body *body, struct error *err)
{
	char *request = write_request(client, question);
	bool over = false;
	CURLcode code;

	if (!request)
		return error__set(err, -ENOMEM, "out of memory");
	set_up(client, question, request, body);
	code = perform(client, question, &over);
	cJSON_free(request);
	if (over)
		return deadline__check_wait(question->deadline, err);
	if (body->too_long)
		return error__set(err, -E2BIG, "the model's answer is longer than %d bytes",
				  AI_ANSWER_BYTES_MAX);
	if (code)
		return error__set(err, errno_of(code), "cannot ask the model at '%s': %s",
				  client->base_url, curl_easy_strerror(code));
	return check_status(client, err);
}

/* ------------------------------------------------------------------ reading the answer */

static uint32_t token_count(const cJSON *reply, const char *key)
{
	const cJSON *usage = cJSON_GetObjectItemCaseSensitive(reply, "usage");
	const cJSON *count = cJSON_GetObjectItemCaseSensitive(usage, key);

	if (!cJSON_IsNumber(count) || !(count->valuedouble >= 0))
		return 0;
	return count->valuedouble >= UINT32_MAX ? UINT32_MAX : (uint32_t)count->valuedouble;
}

static const char *content_of(const cJSON *reply)
{
	const cJSON *choices = cJSON_GetObjectItemCaseSensitive(reply, "choices");
	const cJSON *message =
		cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(choices, 0), "message");

	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(message, "content"));
}

static int read_answer(const struct body *body, struct ai_answer *answer, struct error *err)
{
	const char *content;
	cJSON *reply = NULL;
	int code = foreign_json__parse(body->bytes ? body->bytes : "", body->count,
				       "the answer of the model's server", &reply, err);

	if (code)
		return -EPROTO;
	content = content_of(reply);
	if (content) {
		answer->text = strdup(content);
		answer->prompt_tokens = token_count(reply, "prompt_tokens");
		answer->completion_tokens = token_count(reply, "completion_tokens");
		if (!answer->text)
			code = error__set(err, -ENOMEM, "out of memory");
	} else {
		code = error__set(err, -EPROTO,
				  "the answer of the model's server is not a chat completion");
	}
	cJSON_Delete(reply);
	return code;
}

int ai_client__ask(struct ai_client *client, const struct ai_question *question,
		   struct ai_answer *answer, struct error *err)
{
	struct body body = {0};
	int code;

	*answer = (struct ai_answer){0};
	if (!client->base_url)
		return error__set(err, -EINVAL,
				  "no model address given: use --ai-url or set STEPRUN_AI_URL");
	if (!client->model)
		return error__set(err, -EINVAL,
				  "no model name given: use --ai-model or set STEPRUN_AI_MODEL");
	if (!client->curl)
		client->curl = curl_easy_init();
	if (!client->multi)
		client->multi = curl_multi_init();
	if (!client->curl || !client->multi)
		return error__set(err, -ENOMEM, "out of memory");
	code = talk(client, question, &body, err);
	if (!code)
		code = read_answer(&body, answer, err);
	free(body.bytes);
	return code;
}
