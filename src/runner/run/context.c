// SPDX-License-Identifier: BSD-2-Clause
#include "runner/run/context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "runner/run/clock_file.h"

/* ------------------------------------------------------------------ time */

int id_source__fix_now(struct id_source *source, const char *text, struct error *err)
{
	if (time_text__read(text, &source->fixed_now_us))
		return error__set(err, -EINVAL,
				  "'%s' is not a time like 2025-03-01T08:30:00Z (UTC)", text);
	source->has_fixed_now = true;
	return 0;
}

static int64_t system_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t id_source__now_us(const struct id_source *source)
{
	int64_t now_us;

	if (source->has_fixed_now)
		return source->fixed_now_us;
	if (!source->clock_path)
		return system_now_us();
	return clock_file__now(source->clock_path, &now_us, NULL) ? clock_file__last_us() : now_us;
}

int64_t id_source__system_us(const struct id_source *source, int64_t us)
{
	int64_t ago_us;

	if (!source->has_fixed_now && !source->clock_path)
		return us;
	ago_us = id_source__now_us(source) - us; /* first: a clock file may run fast */
	return system_now_us() - ago_us;
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

enum { ID_BYTES = 16 }; /* of random numbers, for one id */

/* For several ids at once: each call of getrandom() takes time. */
static void random_bytes(struct id_source *source, void *bytes, size_t count)
{
	uint64_t word;

	if (!source->is_seeded && getrandom(bytes, count, 0) == (ssize_t)count)
		return;
	for (size_t at = 0; at < count; at += sizeof(word)) {
		word = next_seeded(source);
		memcpy((char *)bytes + at, &word, sizeof(word));
	}
}

static void write_uuid(unsigned char id[ID_BYTES], char text[37])
{
	static const char digits[] = "0123456789abcdef";
	int at = 0;

	id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
	id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[at++] = '-';
		text[at++] = digits[id[i] >> 4];
		text[at++] = digits[id[i] & 15];
	}
	text[at] = 0;
}

void id_source__uuid(struct id_source *source, char text[37])
{
	unsigned char noise[ID_BYTES];

	random_bytes(source, noise, sizeof(noise));
	write_uuid(noise, text);
}

/* A ULID: 48 bits of milliseconds since 1970 and 80 random bits, five bits in each letter. */
static void write_ulid(const unsigned char noise[ID_BYTES], int64_t now_us, char text[27])
{
	static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t millis = (uint64_t)(now_us / 1000);

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
	unsigned char noise[2 * ID_BYTES];
	char uuid[37], ulid[27];
	cJSON *root = context->root;

	random_bytes(source, noise, sizeof(noise));
	write_uuid(noise, uuid);
	write_ulid(noise + ID_BYTES, context->now_us, ulid);
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
	time_text__write(context->now_us, context->now);
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
