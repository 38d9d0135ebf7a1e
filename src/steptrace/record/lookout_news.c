// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/lookout_news.h"

#include "common/log.h"

#define KEEP_LARGER(member) told->member = now->member > told->member ? now->member : told->member

/* A number that rises and falls is said again only when it is higher than ever. */
static void keep_largest(struct lookout_state *told, const struct lookout_state *now)
{
	KEEP_LARGER(older_headers);
	KEEP_LARGER(newer_headers);
	KEEP_LARGER(unreadable);
	KEEP_LARGER(unseen);
	KEEP_LARGER(swapped_bytes);
	KEEP_LARGER(partial);
	KEEP_LARGER(left_out);
	KEEP_LARGER(revisited);
	if (now->broken.text[0])
		told->broken = now->broken;
	if (now->no_times.text[0])
		told->no_times = now->no_times;
}

void lookout_news__say(struct lookout_state *told, const struct lookout_state *now,
		       const char *subject, bool sees_events)
{
	const char *sees = sees_events ? "sees only what they began, or executed a step of, since "
					 "it attached"
				       : "does not see what they have open";

	if (now->older_headers > told->older_headers)
		log__warn("%llu runners were built with an older steptrace.h: %s %s",
			  (unsigned long long)now->older_headers, subject, sees);
	if (now->newer_headers > told->newer_headers)
		log__warn("%llu runners were built with a steptrace.h that is newer than this "
			  "steptrace: %s %s",
			  (unsigned long long)now->newer_headers, subject, sees);
	if (now->unreadable > told->unreadable)
		log__warn("%s does not see what %llu runners have open: %s", subject,
			  (unsigned long long)now->unreadable, now->failure.text);
	if (now->unseen > told->unseen)
		log__info("%s does not see what %llu processes have open: permission denied",
			  subject, (unsigned long long)now->unseen);
	if (now->swapped_bytes && !told->swapped_bytes)
		log__info("%s does not see what is open in memory that is swapped out: %.1f "
			  "MiB of runners",
			  subject, (double)now->swapped_bytes / 1048576);
	if (now->broken.text[0] && !told->broken.text[0])
		log__warn("%s could not look at the runners: %s", subject, now->broken.text);
	if (now->partial > told->partial)
		log__warn("%s searches only a part of the memory of %llu processes: they "
			  "have too much",
			  subject, (unsigned long long)now->partial);
	if (now->left_out > told->left_out)
		log__warn("%s leaves out %llu commands or steps: there are too many", subject,
			  (unsigned long long)now->left_out);
	if (now->no_times.text[0] && !told->no_times.text[0])
		log__warn("%s does not know the ages of commands that began before the "
			  "recording: %s",
			  subject, now->no_times.text);
	if (now->revisited && !told->revisited)
		log__info("%s searches the whole memory of the runners about every %.1f s (more "
			  "often would take too much processor time); between these searches it "
			  "reads the stacks of their threads, and the pages where it found "
			  "commands or steps before",
			  subject, (double)now->whole_period_ns / 1e9);
	keep_largest(told, now);
}
