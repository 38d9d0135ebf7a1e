// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/unread_text.h"

#include <inttypes.h>
#include <stdio.h>

/* After the count. */
struct unread_words {
	const char *one, *many;
};

static const char no_kernel[] =
	"/proc/kallsyms shows no addresses, so functions of the kernel have no names: run "
	"steptrace as root, and look at the sysctl kernel.kptr_restrict";
static const char no_time[] =
	"20 s for reading symbols were used up: stacks may be cut, and names may be missing";

static const struct unread_words file_unread = {
	"file could not be opened or read: its functions have no names",
	"files could not be opened or read: their functions have no names"};
static const struct unread_words file_forbidden = {
	"file was not read because the user of its process may not read it: its functions have no "
	"names",
	"files were not read because the users of their processes may not read them: their "
	"functions have no names"};
static const struct unread_words file_slow = {
	"file took too long to read: some of its functions have no names",
	"files took too long to read: some of their functions have no names"};
static const struct unread_words map_refused = {
	"perf map was not read: it is not a file of the user of its process, is too large or no "
	"text, or too many files are open",
	"perf maps were not read: they are not files of the users of their processes, are too "
	"large or no text, or too many files are open"};
static const struct unread_words reader_lost = {
	"process that reads symbols ended or did not answer: the file that it was reading has no "
	"names",
	"processes that read symbols ended or did not answer: the files that they were reading "
	"have no names"};

void unread_text__each(const struct folded_facts *facts,
		       void (*say)(void *context, const char *sentence), void *context)
{
	const struct {
		uint64_t count;
		const struct unread_words *words;
	} kinds[] = {
		{facts->files_unread, &file_unread}, {facts->files_forbidden, &file_forbidden},
		{facts->files_slow, &file_slow},     {facts->maps_refused, &map_refused},
		{facts->readers_lost, &reader_lost},
	};
	char text[240];

	if (facts->kernel_hidden)
		say(context, no_kernel);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!kinds[i].count)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64 " %s", kinds[i].count,
			 kinds[i].count == 1 ? kinds[i].words->one : kinds[i].words->many);
		say(context, text);
	}
	if (facts->symbols_time_used_up)
		say(context, no_time);
}
