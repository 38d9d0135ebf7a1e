// SPDX-License-Identifier: BSD-2-Clause
#include "runner/ai/ai_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/store/store_query.h"

/* FNV-1a with 128 bits. The hash only finds the row; the key's text is compared afterwards. */
static void hash_text(const char *text, char hash[33])
{
	const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;
	unsigned __int128 sum =
		((unsigned __int128)0x6c62272e07bb0142u << 64) | 0x62b821756295c58du;

	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * prime;
	snprintf(hash, 33, "%016llx%016llx", (unsigned long long)(sum >> 64),
		 (unsigned long long)sum);
}

static const char *text_of(const cJSON *row, const char *column)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, column));
}

static double number_of(const cJSON *row, const char *column)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, column);

	return cJSON_IsNumber(value) ? value->valuedouble : 0;
}

/* Reads the row with this hash: a list with no item or one item. */
static int read_row(struct store *store, const char *hash, cJSON **rows, struct error *err)
{
	cJSON *wanted = cJSON_CreateString(hash);
	struct store_query query;
	int code;

	store_query__init(&query, store__table(store, "ai_cache"));
	code = store_query__add(&query, "key_hash", "=", wanted, NULL, err);
	if (!code)
		code = store__select(store, &query, rows, err);
	store_query__free(&query);
	cJSON_Delete(wanted);
	return code;
}

/* Another program may have written the row. */
static uint32_t tokens_of(const cJSON *row, const char *key)
{
	double count = number_of(row, key);

	if (!(count >= 0))
		return 0;
	return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

static int take_answer(const cJSON *row, const char *key, int64_t now_s, struct ai_answer *answer)
{
	const char *text = text_of(row, "answer"), *asked = text_of(row, "key_text");

	if (!text || !asked || strcmp(asked, key) || number_of(row, "expires_at") <= (double)now_s)
		return -ENOENT;
	answer->text = strdup(text);
	answer->prompt_tokens = tokens_of(row, "prompt_tokens");
	answer->completion_tokens = tokens_of(row, "completion_tokens");
	return answer->text ? 0 : -ENOMEM;
}

int ai_cache__find(struct store *store, const char *key, int64_t now_s, struct ai_answer *answer,
		   struct error *err)
{
	char hash[33];
	cJSON *rows;
	int code;

	*answer = (struct ai_answer){0};
	hash_text(key, hash);
	code = read_row(store, hash, &rows, err);
	if (code)
		return code;
	code = take_answer(rows->child, key, now_s, answer);
	cJSON_Delete(rows);
	return code;
}

/* Deletes the older entry with the same hash and every expired entry. */
static int sweep(struct store *store, const cJSON *hash, int64_t now_s, struct error *err)
{
	cJSON now = {.type = cJSON_Number, .valuedouble = (double)now_s};
	struct store_query query;
	int64_t changed;
	int code;

	store_query__init(&query, store__table(store, "ai_cache"));
	code = store_query__add(&query, "key_hash", "=", hash, NULL, err);
	if (!code)
		code = store_query__add(&query, "expires_at", "<=", &now, "or", err);
	if (!code)
		code = store__delete(store, &query, &changed, err);
	store_query__free(&query);
	return code;
}

static cJSON *make_row(const char *key, int64_t expires_at_s, const struct ai_answer *answer)
{
	cJSON *row = cJSON_CreateObject();
	char hash[33];

	hash_text(key, hash);
	if (row && cJSON_AddStringToObject(row, "key_hash", hash) &&
	    cJSON_AddStringToObject(row, "key_text", key) &&
	    cJSON_AddStringToObject(row, "answer", answer->text) &&
	    cJSON_AddNumberToObject(row, "prompt_tokens", answer->prompt_tokens) &&
	    cJSON_AddNumberToObject(row, "completion_tokens", answer->completion_tokens) &&
	    cJSON_AddNumberToObject(row, "expires_at", (double)expires_at_s))
		return row;
	cJSON_Delete(row);
	return NULL;
}

int ai_cache__keep(struct store *store, const char *key, int64_t now_s, int64_t ttl_s,
		   const struct ai_answer *answer, struct error *err)
{
	cJSON *row = make_row(key, now_s + ttl_s, answer);
	int64_t id;
	int code;

	if (!row)
		return error__set(err, -ENOMEM, "out of memory");
	code = store__begin(store, err);
	if (!code) {
		code = sweep(store, row->child, now_s, err);
		if (!code)
			code = store__insert(store, store__table(store, "ai_cache"), row, &id, err);
		if (!code)
			code = store__commit(store, err);
		else
			store__rollback(store);
	}
	cJSON_Delete(row);
	return code;
}
