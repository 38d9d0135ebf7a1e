// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/otlp_words.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#define LOG_NS 10000000000ull

static bool is_time(uint64_t *logged_ns)
{
	uint64_t now = clock__now_ns();

	if (*logged_ns && now - *logged_ns < LOG_NS)
		return false;
	*logged_ns = now;
	return true;
}

/* A reason that was not logged yet is logged at once. */
void otlp_words__away(struct otlp_words *words, const struct error *why)
{
	bool is_same = strcmp(words->away.text, why->text) == 0;

	if (!is_same)
		words->logged_away_ns = 0;
	words->away = *why;
	if ((is_same && words->logged_away) || !is_time(&words->logged_away_ns))
		return;
	log__info("%s; trying again", why->text);
	words->logged_away = true;
}

void otlp_words__accepted(struct otlp_words *words, enum otlp_signal signal, uint32_t items)
{
	if (words->logged_away)
		log__info("%s works again", words->name);
	words->logged_away = false;
	words->away.text[0] = 0;
	words->has_accepted = words->has_accepted || items > 0;
	if (signal == OTLP_LOGS)
		words->refusal.text[0] = 0;
}

static const char *advice(long status)
{
	switch (status) {
	case 401:
	case 403: return " (--otlp-headers gives a token)";
	case 404: return " (does the address have the right port and path?)";
	case 413: return " (the receiver must take requests of 2 MB)";
	default: return status >= 300 && status < 400 ? " (steptrace follows no redirect)" : "";
	}
}

static const char *words_of(enum otlp_signal signal)
{
	return signal == OTLP_TRACES ? "spans" : "log records";
}

static bool takes_none(long status)
{
	return status == 404 || status == 405 || status == 501;
}

void otlp_words__torn(struct otlp_words *words, enum otlp_signal signal, uint32_t items)
{
	words->has_accepted = words->has_accepted || items > 0;
	if (signal == OTLP_LOGS)
		words->refusal.text[0] = 0;
	if (is_time(&words->logged_torn_ns))
		log__warn("%s accepts requests, but its answers break off; the %u %s of this "
			  "request count as accepted",
			  words->name, items, words_of(signal));
}

void otlp_words__refused(struct otlp_words *words, enum otlp_signal signal, uint32_t items,
			 long status)
{
	struct error text;

	error__set(&text, 0, "%s refused %u %s: HTTP status %ld%s", words->name, items,
		   words_of(signal), status, advice(status));
	if (is_time(&words->logged_refusal_ns[signal]))
		log__error("%s", text.text);
	if (signal == OTLP_LOGS && !takes_none(status))
		words->refusal = text;
	if (signal == OTLP_TRACES || !words->nothing.text[0])
		words->nothing = text;
	words->logged_away = false;
	words->away.text[0] = 0;
}

const char *otlp_words__failure(const struct otlp_words *words)
{
	if (words->refusal.text[0])
		return words->refusal.text;
	return !words->has_accepted && words->nothing.text[0] ? words->nothing.text : NULL;
}

void otlp_words__partial(struct otlp_words *words, enum otlp_signal signal, uint32_t items,
			 const struct otlp_partial *partial)
{
	bool is_shown = partial->message[0] && !words->has_secrets;
	struct error text;

	if (!partial->rejected)
		return;
	error__set(&text, 0, "%s refused %u of %u %s of a request%s%s", words->name,
		   partial->rejected, items, words_of(signal), is_shown ? ": " : "",
		   is_shown ? partial->message : "");
	if (is_time(&words->logged_partial_ns))
		log__error("%s", text.text);
	if (partial->rejected == items && !words->nothing.text[0])
		words->nothing = text;
}
