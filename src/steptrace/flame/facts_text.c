// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/facts_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "steptrace/flame/unread_text.h"
#include "steptrace/stack_record.h"
#include "steptrace/stream/duration_text.h"

const char *count_text__write(uint64_t count, char text[COUNT_TEXT_BYTES])
{
	char digits[COUNT_TEXT_BYTES];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *at = text;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return text;
}

static void say(struct facts_text *text, bool is_loss, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct facts_text *text, bool is_loss, const char *format, ...)
{
	struct facts_sentence *sentence = &text->sentences[text->count];
	va_list args;

	if (text->count == FACTS_SENTENCES)
		return;
	text->count++;
	sentence->is_loss = is_loss;
	va_start(args, format);
	vsnprintf(sentence->text, sizeof(sentence->text), format, args);
	va_end(args);
}

/* "1 sample was", "2 samples were" */
static const char *samples_were(uint64_t count, char text[64])
{
	char digits[COUNT_TEXT_BYTES];

	snprintf(text, 64, "%s %s", count_text__write(count, digits),
		 count == 1 ? "sample was" : "samples were");
	return text;
}

static void say_losses(struct facts_text *text, const struct folded_facts *facts)
{
	char count[64], all[COUNT_TEXT_BYTES];

	if (facts->lost_count)
		say(text, true, "%s lost between the kernel and steptrace. Their time is missing.",
		    samples_were(facts->lost_count, count));
	if (facts->dropped_count)
		say(text, true, "%s dropped: --hold had no room for more. Their time is missing.",
		    samples_were(facts->dropped_count, count));
	if (facts->events_lost)
		say(text, true,
		    "%s events of commands and steps were lost. Their samples are missing, or "
		    "shown with the command in place of the step.",
		    count_text__write(facts->events_lost, count));
	if (facts->cut_count)
		say(text, true,
		    "%s of %s samples have cut stacks: the outermost functions are missing. "
		    "These stacks begin with [cut].",
		    count_text__write(facts->cut_count, count),
		    count_text__write(facts->samples_count, all));
	if (text->count == 0)
		say(text, false, "No sample is known to be lost, dropped or cut.");
	if (facts->outside_count)
		say(text, false,
		    "%s taken outside of the executions that ended and passed the filters. "
		    "%s not shown.",
		    samples_were(facts->outside_count, count),
		    facts->outside_count == 1 ? "It is" : "They are");
}

static void say_unread(void *context, const char *sentence)
{
	say(context, true, "%s.", sentence);
}

static void say_when(struct facts_text *text, const struct folded_facts *facts)
{
	time_t seconds = (time_t)(facts->started_at_ns / 1000000000);
	char duration[DURATION_TEXT_BYTES], when[64] = "", executions[COUNT_TEXT_BYTES];
	struct tm utc;

	duration_text__age(facts->duration_ns, duration);
	if (gmtime_r(&seconds, &utc))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &utc);
	say(text, false, "%s from %s. %s %s ended and passed the filters.", duration, when,
	    count_text__write(facts->executions_count, executions),
	    facts->executions_count == 1 ? "execution" : "executions");
}

static void say_how(struct facts_text *text, const struct folded_facts *facts)
{
	char shortest[DURATION_TEXT_BYTES], samples[COUNT_TEXT_BYTES];

	if (facts->on_cpu)
		say(text, false,
		    "On-CPU: %" PRIu32 " samples a second of each running thread, "
		    "unwound by %s.",
		    facts->frequency_hz, facts->on_cpu_unwind);
	duration_text__write(facts->min_blocked_ns, shortest);
	if (facts->off_cpu && facts->min_blocked_ns)
		say(text, false, "Off-CPU: each wait of %s or more, unwound by %s.", shortest,
		    facts->off_cpu_unwind);
	else if (facts->off_cpu)
		say(text, false, "Off-CPU: each wait, unwound by %s.", facts->off_cpu_unwind);
	say(text, false, "%s samples. The kernel records at most %d frames of a stack.",
	    count_text__write(facts->samples_count, samples), STACK_FRAMES_MAX);
}

void facts_text__write(struct facts_text *text, const struct folded_facts *facts)
{
	text->count = 0;
	say_losses(text, facts);
	unread_text__each(facts, say_unread, text);
	say_when(text, facts);
	say_how(text, facts);
}
