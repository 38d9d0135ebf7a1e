// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/whole.h"

#include <errno.h>
#include <string.h>

#include "common/parse.h"

struct reason {
	const char *name;
	bool is_condition;
};

#define REASON(reason, name, is_condition) {name, is_condition},

static const struct reason reasons[] = {STEPTRACE_WHOLE_REASONS(REASON)};

/* ---- the command line */

/* One word of the list. */
struct word {
	const char *text;
	size_t bytes;    /* of the word */
	const char *arg; /* behind the first colon; NULL: there is none */
	size_t arg_bytes;
};

static struct word word_at(const char *text)
{
	size_t bytes = strcspn(text, ",");
	const char *colon = memchr(text, ':', bytes);

	if (!colon)
		return (struct word){text, bytes, NULL, 0};
	return (struct word){text, (size_t)(colon - text), colon + 1,
			     bytes - (size_t)(colon + 1 - text)};
}

/* The bit of the condition; 0: there is none of this name. */
static unsigned int condition_of(const struct word *word)
{
	for (int i = 0; i < WHOLE_REASONS_COUNT; i++)
		if (reasons[i].is_condition && strlen(reasons[i].name) == word->bytes &&
		    memcmp(reasons[i].name, word->text, word->bytes) == 0)
			return 1u << i;
	return 0;
}

static int set_slower(struct whole *whole, const struct word *word, struct error *err)
{
	char time[32] = "";
	uint64_t ns;

	if (word->arg && word->arg_bytes < sizeof(time))
		memcpy(time, word->arg, word->arg_bytes);
	if (parse__duration_ns(time, &ns) || ns == 0)
		return error__set(err, -EINVAL,
				  "--whole slower needs a time, not '%.*s' (for example: --whole "
				  "slower:10s)",
				  (int)word->arg_bytes, word->arg ? word->arg : "");
	if (whole->conditions & WHOLE_SLOWER && whole->slower_ns != ns)
		return error__set(err, -EINVAL,
				  "--whole has two times for slower: give the shorter one, which "
				  "contains the other");
	whole->slower_ns = ns;
	return 0;
}

static int add_condition(struct whole *whole, const struct word *word, struct error *err)
{
	unsigned int condition = condition_of(word);
	int code = 0;

	if (!condition || (word->arg && condition != WHOLE_SLOWER))
		return error__set(err, -EINVAL,
				  "--whole cannot be '%.*s': give failed, slower:TIME or aborted, "
				  "or several of them (for example: --whole failed,slower:10s)",
				  (int)strcspn(word->text, ","), word->text);
	if (condition == WHOLE_SLOWER)
		code = set_slower(whole, word, err);
	whole->conditions |= condition;
	return code;
}

int whole__parse(struct whole *whole, const char *list, struct error *err)
{
	for (const char *at = list;; at++) {
		struct word word = word_at(at);
		int code = add_condition(whole, &word, err);

		if (code)
			return code;
		at += strcspn(at, ",");
		if (!*at)
			return 0;
	}
}

/* ---- executions */

unsigned int whole__met(const struct whole *whole, const struct event *event, uint64_t open_ns)
{
	unsigned int met = 0;
	uint64_t ns;

	if (event->command->outcome == OUTCOME_FAILURE)
		met |= WHOLE_FAILED;
	if (event->command->outcome == OUTCOME_ABORTED)
		met |= WHOLE_ABORTED;
	if (!event__duration_ns(event, &ns))
		ns = open_ns;
	if (ns >= whole->slower_ns)
		met |= WHOLE_SLOWER;
	return met & whole->conditions;
}

bool whole__samples(const struct whole *whole, const uint8_t execution_id[16])
{
	uint64_t id[2];

	memcpy(id, execution_id, sizeof(id));
	return whole->sample_every && sample__selects(id[0], id[1], whole->sample_every);
}

void whole__json(unsigned int selected_by, struct json *json)
{
	char separator = '[';

	json__raw(json, ",\"selected_by\":");
	for (int i = 0; i < WHOLE_REASONS_COUNT; i++) {
		if (!(selected_by & 1u << i))
			continue;
		*json->at++ = separator;
		json__raw(json, "\"");
		json__word(json, reasons[i].name);
		json__raw(json, "\"");
		separator = ',';
	}
	if (separator == '[')
		json__raw(json, "[");
	json__raw(json, "]");
}
