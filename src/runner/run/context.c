// SPDX-License-Identifier: BSD-2-Clause
#include "runner/run/context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* ------------------------------------------------------------------ time */

/* Reads the decimals of a second: ".25" is 250000 microseconds. -1: not valid. */
static int read_decimals(const char *text, const char **end)
{
	int scale = 100000, sum = 0;

	*end = text;
	if (*text != '.')
		return 0;
	for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10)
		sum += (*text - '0') * scale;
	if (text == *end + 1 || text > *end + 7)
		return -1;
	*end = text;
	return sum;
}

int id_source__fix_now(struct id_source *source, const char *text, struct error *err)
{
	struct tm when = {0}, asked;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &when);
	int micros = rest ? read_decimals(rest, &rest) : -1;
	time_t seconds;

	asked = when;
	seconds = timegm(&when);
	if (micros < 0 || strcmp(rest, "Z") != 0 || when.tm_mday != asked.tm_mday)
		return error__set(err, -EINVAL,
				  "'%s' is not a time like 2025-03-01T08:30:00Z (UTC)", text);
	source->fixed_now_us = (int64_t)seconds * 1000000 + micros;
	source->has_fixed_now = true;
	return 0;
}

int64_t id_source__now_us(const struct id_source *source)
{
	struct timespec now;

	if (source->has_fixed_now)
		return source->fixed_now_us;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void context__write_time(int64_t us, char text[CONTEXT_NOW_BYTES])
{
	int64_t micros = ((us % 1000000) + 1000000) % 1000000;
	time_t seconds = (time_t)((us - micros) / 1000000);
	struct tm when;
	size_t at;

	gmtime_r(&seconds, &when);
	at = strftime(text, CONTEXT_NOW_BYTES, "%Y-%m-%dT%H:%M:%S", &when);
	snprintf(text + at, CONTEXT_NOW_BYTES - at, ".%06dZ", (int)micros);
}

/* ------------------------------------------------------------------ ids */

void id_source__seed(struct id_source *source, uint64_t seed)
{
	source->seed = seed;
	source->is_seeded = true;
}

/* The next number of the splitmix64 generator. */
static uint64_t next_seeded(struct id_source *source)
{
	uint64_t word = source->seed += 0x9e3779b97f4a7c15u;

	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
	word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
	return word ^ (word >> 31);
}

static void random_bytes(struct id_source *source, unsigned char bytes[16])
{
	uint64_t words[2];

	if (source->is_seeded || getrandom(words, sizeof(words), 0) != sizeof(words)) {
		words[0] = next_seeded(source);
		words[1] = next_seeded(source);
	}
	memcpy(bytes, words, sizeof(words));
}

static void write_uuid(struct id_source *source, char text[37])
{
	unsigned char id[16];
	int at = 0;

	random_bytes(source, id);
	id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
	id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		at += snprintf(text + at, 3, "%02x", id[i]);
	}
}

/* A ULID: 48 bits of milliseconds since 1970 and 80 random bits, five bits in each letter. */
static void write_ulid(struct id_source *source, int64_t now_us, char text[27])
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t millis = (uint64_t)(now_us / 1000);
	unsigned char noise[16];

	random_bytes(source, noise);
	for (int i = 9; i >= 0; i--, millis >>= 5)
		text[i] = letters[millis & 31];
	for (int i = 0; i < 16; i++)
		text[10 + i] = letters[noise[i] & 31];
	text[26] = 0;
}

/* ------------------------------------------------------------------ the root object */

const cJSON *context__unwrapped(const cJSON *input)
{
	const cJSON *only = cJSON_IsObject(input) ? input->child : NULL;

	return only && !only->next && strcmp(only->string, "ctx") == 0 ? only : input;
}

static bool add_borrowed(cJSON *object, const char *key, const cJSON *value)
{
	if (!value)
		return cJSON_AddObjectToObject(object, key) != NULL;
	return cJSON_AddItemReferenceToObject(object, key, (cJSON *)value);
}

static bool fill(struct context *context, struct id_source *source, const cJSON *input,
		 const cJSON *prompts)
{
	char uuid[37], ulid[27];
	cJSON *root = context->root;

	write_uuid(source, uuid);
	write_ulid(source, context->now_us, ulid);
	if (!add_borrowed(root, "ctx", context__unwrapped(input)))
		return false;
	context->steps = cJSON_AddObjectToObject(root, "steps");
	return context->steps && cJSON_AddStringToObject(root, "now", context->now) &&
	       cJSON_AddStringToObject(root, "uuid", uuid) &&
	       cJSON_AddStringToObject(root, "ulid", ulid) &&
	       cJSON_AddObjectToObject(root, "env") && add_borrowed(root, "prompts", prompts);
}

int context__init(struct context *context, struct id_source *source, const cJSON *input,
		  const cJSON *prompts)
{
	*context = (struct context){.root = cJSON_CreateObject()};
	context->now_us = id_source__now_us(source);
	context__write_time(context->now_us, context->now);
	if (context->root && fill(context, source, input, prompts))
		return 0;
	context__free(context);
	return -ENOMEM;
}

void context__free(struct context *context)
{
	cJSON_Delete(context->root);
	context->root = context->steps = NULL;
}

int context__set_output(struct context *context, const char *step_id, cJSON *output)
{
	cJSON *entry = cJSON_AddObjectToObject(context->steps, step_id);

	if (entry && output && cJSON_AddItemToObject(entry, "output", output))
		return 0;
	cJSON_Delete(output);
	return -ENOMEM;
}
