// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/otlp_sender.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/otlp/otlp_encoder.h"
#include "steptrace/otlp/otlp_response.h"
#include "steptrace/output/gzip.h"
#include "steptrace/output/otlp_words.h"
#include "steptrace/recording/recorded_line.h"
#include "steptrace/version.h"

/* A request is sent when it is so large or so old. */
enum { REQUEST_BYTES = 1 << 20, SLICE_MS = 200 };
#define REQUEST_NS 1000000000ull

/* After the recording has ended, a receiver that answers "later" is asked for so long since it last
 * accepted something; and one that cannot be reached. */
#define LATER_NS       30000000000ull
#define UNREACHABLE_NS 5000000000ull

/* An answer of success that breaks off is believed when a request got so many of them. */
enum { TORN_MAX = 3 };

struct missed {
	struct line_mark mark;
	bool is_refused;
};

struct otlp_sender {
	const char *name; /* the text of -o; borrowed */
	struct otlp_encoder *encoder;
	struct http_client *client;
	struct gzip *gzip; /* NULL: requests are not compressed */
	struct write_state *state;
	struct recorded_line lines;
	struct json body;
	struct json missed;                    /* an array of struct missed */
	uint64_t begun_ns[OTLP_SIGNALS_COUNT]; /* when the request got its first item; 0: empty */
	bool is_over;                          /* nothing is sent any more */
	bool gzip_was_accepted;                /* so the receiver can decompress */
	uint64_t unreachable_ns;               /* see above */
	uint64_t last_success_ns, ending_ns;   /* 0: not yet */
	struct otlp_words words;
	struct otlp_counts counts;
	uint32_t random;
};

/* ---- opening */

static int open_all(struct otlp_sender *sender, const struct otlp_sender_options *options,
		    struct error *err)
{
	struct otlp_address address;
	int code = otlp_address__parse(options->where, &address, err);
	const struct http_client_options client = {
		.address = &address,
		.headers = options->otlp.headers,
		.authorities = options->otlp.authorities,
		.timeout_ns = options->timeout_ns,
		.state = options->state,
	};

	if (code)
		return code;
	sender->encoder = otlp_encoder__new(options->otlp.service);
	if (!options->otlp.is_plain)
		sender->gzip = gzip__new();
	if (!sender->encoder || (!options->otlp.is_plain && !sender->gzip))
		return error__set(err, -ENOMEM, "out of memory");
	code = http_client__open(&client, &sender->client, err);
	sender->words.name = options->where;
	sender->words.has_secrets = !code && http_client__has_secrets(sender->client);
	return code;
}

int otlp_sender__open(const struct otlp_sender_options *options, struct otlp_sender **out,
		      struct error *err)
{
	struct otlp_sender *sender = calloc(1, sizeof(*sender));
	int code;

	if (!sender)
		return error__set(err, -ENOMEM, "out of memory");
	sender->name = options->where;
	sender->state = options->state;
	sender->unreachable_ns = options->unreachable_ns ? options->unreachable_ns : UNREACHABLE_NS;
	sender->random = (uint32_t)clock__now_ns();
	code = open_all(sender, options, err);
	if (code) {
		otlp_sender__close(sender);
		return code;
	}
	*out = sender;
	return 0;
}

void otlp_sender__close(struct otlp_sender *sender)
{
	if (!sender)
		return;
	otlp_encoder__free(sender->encoder);
	http_client__close(sender->client);
	gzip__free(sender->gzip);
	recorded_line__free(&sender->lines);
	json__free(&sender->body);
	json__free(&sender->missed);
	free(sender);
}

/* ---- missed events */

static void miss(struct otlp_sender *sender, const struct line_mark *mark, bool is_refused)
{
	const struct missed missed = {*mark, is_refused};

	if (json__reserve(&sender->missed, sizeof(missed)) == 0)
		json__bytes(&sender->missed, (const char *)&missed, sizeof(missed));
	sender->counts.refused += is_refused;
}

bool otlp_sender__take_missed(struct otlp_sender *sender, struct line_mark *mark, bool *is_refused)
{
	struct missed missed;

	*is_refused = false;
	if (otlp_encoder__take_dropped(sender->encoder, mark))
		return true;
	if (json__length(&sender->missed) == 0)
		return false;
	sender->missed.at -= sizeof(missed);
	memcpy(&missed, sender->missed.at, sizeof(missed));
	*mark = missed.mark;
	*is_refused = missed.is_refused;
	return true;
}

/* The events of the last `items` items. */
static void miss_items(struct otlp_sender *sender, const struct otlp_request *request,
		       uint32_t items, bool is_refused)
{
	const struct otlp_mark *marks = otlp_request__marks(request);

	for (size_t i = 0; i < otlp_request__marks_count(request); i++)
		if (marks[i].item >= request->items_count - items)
			miss(sender, &marks[i].mark, is_refused);
}

/* ---- one request */

struct attempt {
	const struct otlp_request *request;
	struct http_request http;
	unsigned int failures;
	unsigned int torn; /* answers of success that broke off */
};

static const char *const paths[OTLP_SIGNALS_COUNT] = {"/v1/traces", "/v1/logs"};

static void choose_body(struct otlp_sender *sender, struct attempt *attempt)
{
	const char *packed;
	size_t bytes = 0;

	attempt->http = (struct http_request){
		.path = paths[attempt->request->signal],
		.body = sender->body.base,
		.bytes = json__length(&sender->body),
	};
	if (sender->gzip)
		bytes = gzip__member(sender->gzip, attempt->http.body, attempt->http.bytes,
				     &packed);
	if (bytes == 0) /* or no memory for it */
		return;
	attempt->http.body = packed;
	attempt->http.bytes = bytes;
	attempt->http.is_gzip = true;
}

static void count_again(struct otlp_sender *sender, const struct attempt *attempt,
			unsigned int times)
{
	sender->counts.sent_again += times * otlp_request__marks_count(attempt->request);
}

static void on_accepted(struct otlp_sender *sender, const struct attempt *attempt,
			const struct http_answer *answer)
{
	const struct otlp_request *request = attempt->request;
	struct otlp_partial partial;

	otlp_response__read(answer->body, answer->bytes, request->items_count, &partial);
	miss_items(sender, request, partial.rejected, true);
	otlp_words__partial(&sender->words, request->signal, request->items_count, &partial);
	if (request->signal == OTLP_TRACES)
		sender->counts.spans += request->items_count - partial.rejected;
	else
		sender->counts.logs += request->items_count - partial.rejected;
	sender->gzip_was_accepted = sender->gzip_was_accepted || attempt->http.is_gzip;
	sender->last_success_ns = clock__now_ns();
	sender->counts.requests++;
	if (attempt->torn < TORN_MAX)
		otlp_words__accepted(&sender->words, request->signal,
				     request->items_count - partial.rejected);
	else
		otlp_words__torn(&sender->words, request->signal,
				 request->items_count - partial.rejected);
}

static void on_refused(struct otlp_sender *sender, const struct attempt *attempt, long status)
{
	const struct otlp_request *request = attempt->request;

	miss_items(sender, request, request->items_count, true);
	otlp_words__refused(&sender->words, request->signal, request->items_count, status);
	sender->last_success_ns = clock__now_ns();
	sender->counts.requests++;
}

/* 415 is about the compression; 400 may be, as long as nothing compressed was ever accepted. */
static bool may_refuse_gzip(const struct otlp_sender *sender, const struct attempt *attempt,
			    long status)
{
	return attempt->http.is_gzip &&
	       (status == 415 || (status == 400 && !sender->gzip_was_accepted));
}

/* Sends the same without compression. When it is accepted, so is everything after it. */
static int post_plain(struct otlp_sender *sender, struct attempt *attempt,
		      struct http_answer *answer, struct error *why)
{
	struct gzip *gzip = sender->gzip;
	int code;

	sender->gzip = NULL;
	choose_body(sender, attempt);
	code = http_client__post(sender->client, &attempt->http, answer, why);
	if (code || otlp_response__verdict(answer->status) != OTLP_ACCEPTED) {
		sender->gzip = gzip;
		if (code == 0 && otlp_response__verdict(answer->status) == OTLP_RETRY)
			choose_body(sender, attempt);
		return code;
	}
	gzip__free(gzip);
	log__info("%s takes no compressed requests; steptrace sends them uncompressed "
		  "(--otlp-compression none)",
		  sender->name);
	return 0;
}

static int post(struct otlp_sender *sender, struct attempt *attempt, struct http_answer *answer,
		struct error *why)
{
	int code = http_client__post(sender->client, &attempt->http, answer, why);

	if (!code && may_refuse_gzip(sender, attempt, answer->status))
		code = post_plain(sender, attempt, answer, why);
	count_again(sender, attempt, answer->sent_again);
	return code;
}

/* After the recording has ended, the receiver is given up at some time. */
static bool is_out_of_patience(struct otlp_sender *sender, bool answers)
{
	uint64_t now = clock__now_ns(), since;

	if (!sender->state->is_ending)
		return false;
	if (sender->ending_ns == 0)
		sender->ending_ns = now;
	since = sender->last_success_ns > sender->ending_ns ? sender->last_success_ns
							    : sender->ending_ns;
	return now - since >= (answers ? LATER_NS : sender->unreachable_ns);
}

/* 0: it is time for the next attempt. -ECANCELED. */
static int pause_for(struct otlp_sender *sender, uint64_t ns, bool answers)
{
	struct pollfd fd = {.fd = sender->state->give_up_fd, .events = POLLIN};
	uint64_t begun_ns = clock__now_ns(), passed_ns = 0;

	while (passed_ns < ns) {
		uint64_t left_ms = (ns - passed_ns + 999999) / 1000000;

		if (poll(&fd, 1, left_ms < SLICE_MS ? (int)left_ms : SLICE_MS) > 0 ||
		    is_out_of_patience(sender, answers))
			return -ECANCELED;
		passed_ns = clock__now_ns() - begun_ns;
	}
	return 0;
}

static uint32_t next_random(struct otlp_sender *sender)
{
	sender->random = sender->random * 1664525u + 1013904223u;
	return sender->random >> 8;
}

/* An answer may have this status and still break off. */
static bool is_success(const struct http_answer *answer)
{
	return otlp_response__verdict(answer->status) == OTLP_ACCEPTED;
}

/* The receiver could not be reached (`code`), or asked to come back later. */
static int try_later(struct otlp_sender *sender, struct attempt *attempt, int code,
		     const struct http_answer *answer, const struct error *why)
{
	struct error text;

	if (code && is_success(answer))
		error__set(&text, 0, "an answer of %s broke off (%s)", sender->name, why->text);
	else if (code)
		error__set(&text, 0, "%s cannot be reached (%s)", sender->name, why->text);
	else
		error__set(&text, 0, "%s answers HTTP status %ld", sender->name, answer->status);
	otlp_words__away(&sender->words, &text);
	if (answer->was_sent)
		count_again(sender, attempt, 1);
	attempt->failures++;
	return pause_for(
		sender,
		otlp_retry__pause_ns(attempt->failures, answer->retry_after_s, next_random(sender)),
		code == 0);
}

/* 0: the fate of all its events is known. -ECANCELED. */
static int deliver(struct otlp_sender *sender, struct attempt *attempt)
{
	struct http_answer answer;
	struct error why = {""};
	int code;

	for (;;) {
		code = post(sender, attempt, &answer, &why);
		if (code == -ECANCELED)
			return code;
		attempt->torn += code && is_success(&answer);
		/* The missing part may say how many items were refused. But a receiver that tears
		 * every answer would be asked for ever. */
		if (is_success(&answer) && (code == 0 || attempt->torn >= TORN_MAX)) {
			on_accepted(sender, attempt, &answer);
			return 0;
		}
		if (code == 0 && otlp_response__verdict(answer.status) == OTLP_REFUSED) {
			on_refused(sender, attempt, answer.status);
			return 0;
		}
		if (try_later(sender, attempt, code, &answer, &why))
			return -ECANCELED;
	}
}

static int send_request(struct otlp_sender *sender, enum otlp_signal signal)
{
	struct otlp_request *request = otlp_encoder__request(sender->encoder, signal);
	struct attempt attempt = {.request = request};
	int code = 0;

	sender->begun_ns[signal] = 0;
	if (otlp_request__is_empty(request))
		return 0;
	if (sender->is_over) {
		code = -ECANCELED;
	} else if (otlp_request__write(request, STEPTRACE_VERSION, &sender->body) == 0) {
		choose_body(sender, &attempt);
		code = deliver(sender, &attempt);
	} else {
		miss_items(sender, request, request->items_count, false);
	}
	if (code)
		miss_items(sender, request, request->items_count, false);
	sender->is_over = sender->is_over || code;
	otlp_request__clear(request);
	return code;
}

/* ---- events */

static int over(const struct otlp_sender *sender, struct error *err)
{
	if (sender->words.away.text[0])
		return error__set(err, -ECANCELED, "stopped because %s", sender->words.away.text);
	return error__set(err, -ECANCELED, "stopped because %s did not answer", sender->name);
}

static bool is_large(const struct otlp_request *request)
{
	return request->bytes >= REQUEST_BYTES || otlp_request__is_full(request);
}

/* Nothing is sent any more, so what waits for later spans is not sent either. */
static void miss_held(struct otlp_sender *sender)
{
	while (otlp_encoder__let_go(sender->encoder)) {
		send_request(sender, OTLP_LOGS);
		send_request(sender, OTLP_TRACES);
	}
}

/* Log records first: they are older than most of the spans. */
static int send_all(struct otlp_sender *sender, struct error *err)
{
	int code = send_request(sender, OTLP_LOGS);

	code = send_request(sender, OTLP_TRACES) || code;
	if (sender->is_over)
		miss_held(sender);
	return code || sender->is_over ? over(sender, err) : 0;
}

/* Notes when a request began, and sends both when one of them is large. */
static int send_large(struct otlp_sender *sender, struct error *err)
{
	bool has_large = false;

	for (int i = 0; i < OTLP_SIGNALS_COUNT; i++) {
		const struct otlp_request *request =
			otlp_encoder__request(sender->encoder, (enum otlp_signal)i);

		if (!otlp_request__is_empty(request) && sender->begun_ns[i] == 0)
			sender->begun_ns[i] = clock__now_ns();
		has_large = has_large || is_large(request);
	}
	return has_large || sender->is_over ? send_all(sender, err) : 0;
}

int otlp_sender__put(struct otlp_sender *sender, const struct recorded_event *event,
		     const struct line_mark *mark, struct error *err)
{
	if (sender->is_over) {
		miss(sender, mark, false);
		return over(sender, err);
	}
	if (otlp_encoder__put(sender->encoder, event, mark))
		miss(sender, mark, false);
	return send_large(sender, err);
}

void otlp_sender__learn(struct otlp_sender *sender, const struct recorded_event *event)
{
	otlp_encoder__learn(sender->encoder, event);
}

int otlp_sender__put_line(struct otlp_sender *sender, const char *line, size_t bytes,
			  const struct line_mark *mark, struct error *err)
{
	struct recorded_event event;

	if (recorded_line__read(&sender->lines, &event, line, bytes)) {
		miss(sender, mark, false);
		return 0;
	}
	return otlp_sender__put(sender, &event, mark, err);
}

int otlp_sender__flush(struct otlp_sender *sender, struct error *err)
{
	return send_all(sender, err);
}

int otlp_sender__settle(struct otlp_sender *sender, struct error *err)
{
	while (otlp_encoder__let_go(sender->encoder))
		send_large(sender, err);
	return send_all(sender, err);
}

uint64_t otlp_sender__due_ns(const struct otlp_sender *sender)
{
	uint64_t now = clock__now_ns(), first_ns = UINT64_MAX;

	for (int i = 0; i < OTLP_SIGNALS_COUNT; i++) {
		uint64_t age_ns = now - sender->begun_ns[i];

		if (sender->begun_ns[i] == 0)
			continue;
		age_ns = age_ns < REQUEST_NS ? REQUEST_NS - age_ns : 0;
		first_ns = age_ns < first_ns ? age_ns : first_ns;
	}
	return first_ns;
}

const struct otlp_counts *otlp_sender__counts(const struct otlp_sender *sender)
{
	return &sender->counts;
}

const char *otlp_sender__failure(const struct otlp_sender *sender)
{
	return otlp_words__failure(&sender->words);
}
