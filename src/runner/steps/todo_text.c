// SPDX-License-Identifier: BSD-2-Clause
#include "runner/steps/todo_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "runner/value/value.h"

/* TAGS_MAX: further words with # or @ stay in the title. */
enum {
	TAGS_MAX = 100,
	DAY_S = 86400,
	HOUR_S = 3600,
	TITLE_CHARACTERS = 80,
	DATE_BYTES = 16,
	AMOUNT_MAX = 100000
};

/* The text is cut into words, between blanks. What says something is taken away. */
struct word {
	const char *at;
	size_t length;
	bool is_taken;
};

struct reading {
	struct word *words;
	size_t count;
	int64_t now_s;
};

/* ---- words */

static int cut(struct reading *reading, const char *text)
{
	static const char blanks[] = " \t\r\n";

	reading->words = calloc(strlen(text) / 2 + 1, sizeof(*reading->words));
	if (!reading->words)
		return -1;
	for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
		size_t length = strcspn(text, blanks);

		reading->words[reading->count++] = (struct word){text, length, false};
		text += length;
	}
	return 0;
}

/* The word without what punctuates it. */
static struct word core(const struct word *word)
{
	struct word core = *word;

	while (core.length && strchr(".,;:!?()\"'", core.at[core.length - 1]))
		core.length--;
	while (core.length && strchr("(\"'", *core.at)) {
		core.at++;
		core.length--;
	}
	return core;
}

static bool is_word(const struct word *word, const char *text)
{
	struct word wanted = core(word);

	return wanted.length == strlen(text) && strncasecmp(wanted.at, text, wanted.length) == 0;
}

static bool is_one_of(const struct word *word, const char *const *texts)
{
	for (; *texts; texts++)
		if (is_word(word, *texts))
			return true;
	return false;
}

static void take(struct reading *reading, size_t from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		reading->words[from + i].is_taken = true;
}

static bool has(const struct reading *reading, size_t at)
{
	return at < reading->count && !reading->words[at].is_taken;
}

/* ---- due dates */

static void write_date(int64_t seconds, char date[DATE_BYTES])
{
	time_t when = (time_t)seconds;
	struct tm day;

	gmtime_r(&when, &day);
	strftime(date, DATE_BYTES, "%Y-%m-%d", &day);
}

/* "2025-02-30" is no date. */
static bool is_date(const struct word *word)
{
	struct tm day = {0}, asked;
	char text[11];
	const char *end;

	if (word->length != 10)
		return false;
	memcpy(text, word->at, 10);
	text[10] = 0;
	for (int i = 0; i < 10; i++)
		if ((i == 4 || i == 7) ? text[i] != '-' : !isdigit((unsigned char)text[i]))
			return false;
	end = strptime(text, "%Y-%m-%d", &day);
	asked = day;
	if (!end || *end)
		return false;
	timegm(&day);
	return day.tm_mday == asked.tm_mday;
}

static bool find_date(struct reading *reading, char date[DATE_BYTES])
{
	for (size_t i = 0; i < reading->count; i++) {
		struct word word = core(&reading->words[i]);

		if (!has(reading, i) || !is_date(&word))
			continue;
		snprintf(date, DATE_BYTES, "%.10s", word.at);
		take(reading, i, 1);
		return true;
	}
	return false;
}

static bool find_day_word(struct reading *reading, char date[DATE_BYTES])
{
	static const struct {
		const char *first, *second;
		int days;
	} words[] = {
		{"today", NULL, 0},  {"tomorrow", NULL, 1}, {"tmr", NULL, 1},
		{"next", "week", 7}, {"next", "month", 30},
	};

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		size_t count = words[w].second ? 2 : 1;

		for (size_t i = 0; i + count <= reading->count; i++) {
			if (!has(reading, i) || !is_word(&reading->words[i], words[w].first) ||
			    (words[w].second && !is_word(&reading->words[i + 1], words[w].second)))
				continue;
			write_date(reading->now_s + (int64_t)words[w].days * DAY_S, date);
			take(reading, i, count);
			return true;
		}
	}
	return false;
}

/* The next such day: in one to seven days. */
static bool find_weekday(struct reading *reading, char date[DATE_BYTES])
{
	static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
					    "thursday", "friday", "saturday"};
	time_t now = (time_t)reading->now_s;
	struct tm today;

	gmtime_r(&now, &today);
	for (size_t i = 0; i < reading->count; i++) {
		for (int day = 0; has(reading, i) && day < 7; day++) {
			if (!is_word(&reading->words[i], names[day]))
				continue;
			write_date(reading->now_s +
					   (int64_t)((day - today.tm_wday + 6) % 7 + 1) * DAY_S,
				   date);
			take(reading, i, 1);
			return true;
		}
	}
	return false;
}

static int64_t unit_seconds(const struct word *word)
{
	static const struct {
		const char *const names[3];
		int64_t seconds;
	} units[] = {
		{{"hour", "hours", NULL}, HOUR_S},
		{{"day", "days", NULL}, DAY_S},
		{{"week", "weeks", NULL}, 7 * DAY_S},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (is_one_of(word, units[i].names))
			return units[i].seconds;
	return 0;
}

static long amount_of(const struct word *word)
{
	long amount = 0;

	for (size_t i = 0; i < word->length; i++) {
		if (!isdigit((unsigned char)word->at[i]) || amount > AMOUNT_MAX)
			return -1;
		amount = 10 * amount + (word->at[i] - '0');
	}
	return word->length && amount <= AMOUNT_MAX ? amount : -1;
}

static bool find_distance(struct reading *reading, char date[DATE_BYTES])
{
	for (size_t i = 0; i + 3 <= reading->count; i++) {
		long amount = amount_of(&reading->words[i + 1]);
		int64_t unit = unit_seconds(&reading->words[i + 2]);

		if (!has(reading, i) || !is_word(&reading->words[i], "in") || amount < 0 || !unit)
			continue;
		write_date(reading->now_s + amount * unit, date);
		take(reading, i, 3);
		return true;
	}
	return false;
}

static bool find_due(struct reading *reading, char date[DATE_BYTES])
{
	return find_date(reading, date) || find_day_word(reading, date) ||
	       find_weekday(reading, date) || find_distance(reading, date);
}

/* ---- priorities */

static const char *priority_of(const struct word *word)
{
	static const char *const high[] = {"urgent",    "critical", "asap", "high",
					   "important", "p1",       NULL};
	static const char *const low[] = {"low", "minor", "p3", NULL};
	static const char *const marks[] = {"low", "medium", "high"};
	size_t exclamations = strspn(word->at, "!");

	if (exclamations >= word->length)
		return word->length <= 3 ? marks[word->length - 1] : NULL;
	if (is_one_of(word, high))
		return "high";
	if (is_one_of(word, low))
		return "low";
	return is_word(word, "p2") ? "medium" : NULL;
}

/* The first word counts; all such words are taken. */
static const char *find_priority(struct reading *reading)
{
	const char *priority = NULL;

	for (size_t i = 0; i < reading->count; i++) {
		const char *found = has(reading, i) ? priority_of(&reading->words[i]) : NULL;

		if (!found)
			continue;
		take(reading, i, 1);
		if (!priority)
			priority = found;
	}
	return priority ? priority : "medium";
}

/* ---- tags */

static bool is_tag_byte(char byte)
{
	return isalnum((unsigned char)byte) || strchr("-_", byte) || (unsigned char)byte >= 0x80;
}

static bool add_tag(cJSON *tags, const char *tag)
{
	const cJSON *each;

	cJSON_ArrayForEach (each, tags) {
		if (strcmp(each->valuestring, tag) == 0)
			return true;
	}
	return cJSON_AddItemToArray(tags, cJSON_CreateString(tag));
}

static bool find_tags(struct reading *reading, cJSON *tags)
{
	bool added = true;
	int count = 0;

	for (size_t i = 0; i < reading->count && added && count < TAGS_MAX; i++) {
		const struct word *word = &reading->words[i];
		size_t length = 0;
		char tag[128];

		if (!has(reading, i) || !strchr("#@", *word->at))
			continue;
		while (1 + length < word->length && is_tag_byte(word->at[1 + length]))
			length++;
		if (length == 0 || length > sizeof(tag) - sizeof("ctx-"))
			continue;
		snprintf(tag, sizeof(tag), "%s%.*s", *word->at == '@' ? "ctx-" : "", (int)length,
			 word->at + 1);
		added = add_tag(tags, tag);
		count++;
		take(reading, i, 1);
	}
	return added;
}

/* ---- the title */

static bool ends_sentence(const struct word *word)
{
	return strchr(".?!", word->at[word->length - 1]) != NULL;
}

static char *title_of(const struct reading *reading)
{
	struct strbuf title;
	size_t cut_at;

	strbuf__init(&title, SIZE_MAX);
	for (size_t i = 0; i < reading->count; i++) {
		const struct word *word = &reading->words[i];

		if (!has(reading, i))
			continue;
		if (title.length)
			strbuf__char(&title, ' ');
		strbuf__bytes(&title, word->at, word->length);
		if (ends_sentence(word))
			break;
	}
	if (title.err || !title.text)
		return strbuf__take(&title);
	cut_at = utf8__offset(title.text, title.length, TITLE_CHARACTERS);
	title.length = cut_at;
	while (title.length && strchr(" .", title.text[title.length - 1]))
		title.length--;
	title.text[title.length] = 0;
	return strbuf__take(&title);
}

/* ---- all of it */

static bool add_all(cJSON *result, struct reading *reading, const struct todo_rules *rules)
{
	char date[DATE_BYTES] = "";
	const char *priority = "medium";
	cJSON *tags = cJSON_AddArrayToObject(result, "tags");
	char *title;
	bool added = tags && add_tag(tags, "todo");

	if (added && rules->tags)
		added = find_tags(reading, tags);
	if (rules->due_date)
		find_due(reading, date);
	if (rules->priority)
		priority = find_priority(reading);
	title = title_of(reading);
	added = added && title && cJSON_AddStringToObject(result, "title", title) &&
		(date[0] ? cJSON_AddStringToObject(result, "due_date", date)
			 : cJSON_AddNullToObject(result, "due_date")) &&
		cJSON_AddStringToObject(result, "priority", priority) &&
		cJSON_AddStringToObject(result, "status", "open");
	free(title);
	return added;
}

cJSON *todo_text__parse(const char *text, const struct todo_rules *rules, int64_t now_s)
{
	struct reading reading = {.now_s = now_s};
	cJSON *result = cJSON_CreateObject();

	if (!result || cut(&reading, text) || !add_all(result, &reading, rules)) {
		cJSON_Delete(result);
		result = NULL;
	}
	free(reading.words);
	return result;
}
