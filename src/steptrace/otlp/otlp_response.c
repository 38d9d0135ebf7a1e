// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_response.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

enum otlp_verdict otlp_response__verdict(long status)
{
	if (status >= 200 && status < 300)
		return OTLP_ACCEPTED;
	return status == 429 || status == 502 || status == 503 || status == 504 ? OTLP_RETRY
										: OTLP_REFUSED;
}

/* An int64 is a string in the JSON of OTLP; some receivers send a number. */
static uint32_t count_of(const cJSON *value, uint32_t largest)
{
	double number = 0;
	char *end;

	if (cJSON_IsNumber(value))
		number = value->valuedouble;
	else if (cJSON_IsString(value) && value->valuestring[0]) {
		number = strtod(value->valuestring, &end);
		number = *end ? 0 : number;
	}
	if (!(number > 0))
		return 0;
	return number < largest ? (uint32_t)number : largest;
}

void otlp_response__read(const char *body, size_t bytes, uint32_t items_count,
			 struct otlp_partial *partial)
{
	cJSON *json = cJSON_ParseWithLength(body, bytes);
	const cJSON *part = cJSON_GetObjectItemCaseSensitive(json, "partialSuccess"), *message;

	*partial = (struct otlp_partial){.rejected = 0};
	partial->rejected =
		count_of(cJSON_GetObjectItemCaseSensitive(part, "rejectedSpans"), items_count);
	if (!partial->rejected)
		partial->rejected = count_of(
			cJSON_GetObjectItemCaseSensitive(part, "rejectedLogRecords"), items_count);
	message = cJSON_GetObjectItemCaseSensitive(part, "errorMessage");
	if (cJSON_IsString(message))
		snprintf(partial->message, sizeof(partial->message), "%s", message->valuestring);
	cJSON_Delete(json);
}

uint64_t otlp_retry__pause_ns(unsigned int attempts, uint64_t asked_s, uint32_t random)
{
	uint64_t pause_ns = OTLP_LONGEST_PAUSE_NS, asked_ns;

	if (attempts < 8)
		pause_ns = OTLP_FIRST_PAUSE_NS << (attempts - 1);
	if (pause_ns > OTLP_LONGEST_PAUSE_NS)
		pause_ns = OTLP_LONGEST_PAUSE_NS;
	pause_ns = pause_ns / 2 + pause_ns / 2 * (random % 1024) / 1024;
	asked_ns = asked_s < OTLP_LONGEST_ASKED_NS / 1000000000 ? asked_s * 1000000000
								: OTLP_LONGEST_ASKED_NS;
	return pause_ns > asked_ns ? pause_ns : asked_ns;
}
