// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes requests of OTLP from any lines: they are JSON, and each event that was taken is in one of
 * them. Then reads the same bytes as the answer of a receiver: it rejects at most what was sent.
 *
 *	input:  lines of a recording, or the body of a response
 *
 * links: src/steptrace/recording/[a-z]*.c src/steptrace/otlp/[a-z]*.c STREAM -lcjson -lz
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/otlp/otlp_encoder.h"
#include "steptrace/otlp/otlp_response.h"
#include "steptrace/recording/recorded_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* The request as it would be sent. Returns how many events are in it, and empties it. */
static size_t take(struct otlp_encoder *encoder, enum otlp_signal signal)
{
	struct otlp_request *request = otlp_encoder__request(encoder, signal);
	size_t count = otlp_request__marks_count(request);
	struct json body = {.base = NULL};
	cJSON *json;

	require(otlp_request__write(request, "1", &body) == 0);
	json = cJSON_ParseWithLength(body.base, json__length(&body));
	require(json != NULL);
	cJSON_Delete(json);
	json__free(&body);
	otlp_request__clear(request);
	return count;
}

static size_t put_lines(struct otlp_encoder *encoder, const char *at, const char *end)
{
	static const struct line_mark mark = {.kind = EVENT_STEP_EXECUTED};
	struct recorded_line lines = {.room = NULL};
	struct recorded_event event;
	size_t taken = 0;

	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		next = next ? next : end;
		if (recorded_line__read(&lines, &event, at, (size_t)(next - at)) == 0)
			taken += otlp_encoder__put(encoder, &event, &mark) == 0;
		at = next + 1;
	}
	recorded_line__free(&lines);
	return taken;
}

static void check_events(const char *text, size_t bytes)
{
	struct otlp_encoder *encoder = otlp_encoder__new(NULL);
	struct line_mark mark;
	size_t taken, found = 0;

	require(encoder != NULL);
	taken = put_lines(encoder, text, text + bytes);
	while (otlp_encoder__let_go(encoder))
		continue;
	for (int i = 0; i < OTLP_SIGNALS_COUNT; i++)
		found += take(encoder, (enum otlp_signal)i);
	while (otlp_encoder__take_dropped(encoder, &mark))
		found++;
	require(found == taken);
	otlp_encoder__free(encoder);
}

static void check_response(const char *text, size_t bytes)
{
	struct otlp_partial partial;

	otlp_response__read(text, bytes, 7, &partial);
	require(partial.rejected <= 7);
	require(memchr(partial.message, 0, sizeof(partial.message)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of exact size: AddressSanitizer sees a read beyond it */
	char *text = malloc(size ? size : 1);

	require(text != NULL);
	memcpy(text, data, size);
	check_events(text, size);
	check_response(text, size);
	free(text);
	return 0;
}
