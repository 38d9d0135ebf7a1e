// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/json_members.h"

#include <math.h>
#include <stdio.h>

#include "steptrace/stream/clock_anchor.h"

/* A comma, unless this is the first in its bracket, and the name. False: there is no memory. */
static bool begin(struct json_members *out, const char *name, size_t bytes)
{
	struct json *json = &out->json;

	out->has_failed =
		out->has_failed || json__reserve(json, bytes + 64 + (name ? strlen(name) : 0));
	if (out->has_failed)
		return false;
	if (json->at > json->base && json->at[-1] != '{' && json->at[-1] != '[')
		json__raw(json, ",");
	if (name) {
		json__raw(json, "\"");
		json__word(json, name);
		json__raw(json, "\":");
	}
	return true;
}

void json_members__open(struct json_members *out, const char *name, char bracket)
{
	if (begin(out, name, 1))
		*out->json.at++ = bracket;
}

void json_members__close(struct json_members *out, char bracket)
{
	out->has_failed = out->has_failed || json__reserve(&out->json, 2);
	if (!out->has_failed)
		*out->json.at++ = bracket;
}

void json_members__u64(struct json_members *out, const char *name, uint64_t value)
{
	if (begin(out, name, JSON_U64_BYTES))
		json__u64(&out->json, value);
}

void json_members__null(struct json_members *out, const char *name)
{
	if (begin(out, name, 8))
		json__raw(&out->json, "null");
}

void json_members__double(struct json_members *out, const char *name, double value)
{
	char text[32];

	snprintf(text, sizeof(text), isfinite(value) ? "%.12g" : "null", value);
	if (begin(out, name, sizeof(text)))
		json__word(&out->json, text);
}

void json_members__bool(struct json_members *out, const char *name, bool value)
{
	if (begin(out, name, 8))
		json__bool(&out->json, value);
}

void json_members__text(struct json_members *out, const char *name, const char *text)
{
	if (!begin(out, name, JSON_TEXT_BYTES(strlen(text))))
		return;
	if (text[0])
		json__text(&out->json, text, strlen(text));
	else
		json__raw(&out->json, "null");
}

void json_members__time(struct json_members *out, const char *name, uint64_t ns, bool is_known)
{
	struct clock_anchor unix_time = {0};

	if (!begin(out, name, 64))
		return;
	if (!is_known) {
		json__raw(&out->json, "null");
		return;
	}
	json__raw(&out->json, "\"");
	clock_anchor__timestamp(&unix_time, &out->json, ns);
	json__raw(&out->json, "\"");
}

void json_members__share(struct json_members *out, const char *name, uint64_t part, uint64_t whole)
{
	if (begin(out, name, JSON_MILLISECONDS_BYTES))
		json__milliseconds(&out->json,
				   whole ? (uint64_t)((double)part / (double)whole * 1e6 + 0.5)
					 : 0);
}
