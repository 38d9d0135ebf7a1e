// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/open_commands.h"

#include <stdlib.h>

/* When memory is short, HASH_ADD leaves the entry out and calls the second macro. */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/id_hash.h"

struct entry {
	struct open_command command; /* first: a pointer to it is one to the entry */
	bool is_in_table;
	UT_hash_handle hh;
};

struct open_commands {
	struct entry *entries; /* in the order in which they were added */
	struct id_hash hash;
	size_t bytes; /* of the held events */
};

struct open_commands *open_commands__new(void)
{
	struct open_commands *commands = calloc(1, sizeof(*commands));

	if (commands)
		id_hash__init(&commands->hash);
	return commands;
}

void open_commands__free(struct open_commands *commands)
{
	struct open_command *command;

	while (commands && (command = open_commands__excess(commands, true)))
		open_commands__remove(commands, command);
	free(commands);
}

/* Runners choose the ids: the hash of the table has a secret key. */
static unsigned int hash_of(const struct open_commands *commands, uint64_t span)
{
	uint8_t id[16] = {0};

	memcpy(id, &span, sizeof(span));
	return (unsigned int)id_hash__of(&commands->hash, id);
}

struct open_command *open_commands__find(struct open_commands *commands, uint64_t span)
{
	unsigned int hash = hash_of(commands, span);
	struct entry *entry;

	HASH_FIND_BYHASHVALUE(hh, commands->entries, &span, sizeof(span), hash, entry);
	return entry ? &entry->command : NULL;
}

struct open_command *open_commands__add(struct open_commands *commands, uint64_t span)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	unsigned int hash = hash_of(commands, span);

	if (!entry)
		return NULL;
	entry->command.span = span;
	entry->is_in_table = true;
	HASH_ADD_BYHASHVALUE(hh, commands->entries, command.span, sizeof(span), hash, entry);
	if (entry->is_in_table)
		return &entry->command;
	free(entry);
	return NULL;
}

struct open_command *open_commands__excess(struct open_commands *commands, bool all)
{
	if (!commands->entries || (!all && HASH_COUNT(commands->entries) <= OPEN_COMMANDS_MAX))
		return NULL;
	return &commands->entries->command;
}

size_t open_commands__bytes(const struct open_commands *commands)
{
	return commands->bytes;
}

bool open_command__may_hold(const struct open_command *command, size_t bytes)
{
	return bytes <= HELD_COMMAND_BYTES_MAX && command->bytes <= HELD_COMMAND_BYTES_MAX - bytes;
}

struct open_command *open_commands__in_the_way(struct open_commands *commands,
					       const struct open_command *command, size_t bytes)
{
	struct entry *oldest = commands->entries;

	if (commands->bytes + bytes <= HELD_BYTES_MAX)
		return NULL;
	if (oldest && &oldest->command == command)
		oldest = oldest->hh.next;
	return oldest ? &oldest->command : NULL;
}

static void count_in(struct open_commands *commands, struct open_command *command,
		     const struct held_event *event)
{
	command->bytes += held_event__bytes(event);
	commands->bytes += held_event__bytes(event);
}

static void count_out(struct open_commands *commands, struct open_command *command,
		      const struct held_event *event)
{
	command->bytes -= held_event__bytes(event);
	commands->bytes -= held_event__bytes(event);
}

void open_commands__remove(struct open_commands *commands, struct open_command *command)
{
	struct entry *entry = (struct entry *)command;
	struct held_event *fragment;

	while ((fragment = open_commands__take_fragment(commands, command, 0, true)))
		held_event__free(fragment);
	held_event__free(open_commands__swap_start(commands, command, NULL));
	HASH_DEL(commands->entries, entry);
	free(entry);
}

struct held_event *held_event__new(const struct line_mark *mark, struct recorded_text line,
				   const struct json *part)
{
	size_t part_bytes = json__length(part);
	struct held_event *event = malloc(sizeof(*event) + line.bytes + part_bytes);

	if (!event)
		return NULL;
	*event = (struct held_event){
		.mark = *mark, .line_bytes = line.bytes, .part_bytes = part_bytes};
	memcpy(event->text, line.text, line.bytes);
	memcpy(event->text + line.bytes, part->base, part_bytes);
	return event;
}

void held_event__free(struct held_event *event)
{
	free(event);
}

struct held_event *open_commands__take_fragment(struct open_commands *commands,
						struct open_command *command, uint64_t step,
						bool any)
{
	struct held_event **link = &command->fragments, *fragment;

	while (*link && !any && (*link)->step != step)
		link = &(*link)->next;
	fragment = *link;
	if (!fragment)
		return NULL;
	*link = fragment->next;
	fragment->next = NULL;
	command->fragments_count--;
	count_out(commands, command, fragment);
	return fragment;
}

void open_commands__hold_fragment(struct open_commands *commands, struct open_command *command,
				  struct held_event *fragment)
{
	struct held_event **link = &command->fragments;

	while (*link)
		link = &(*link)->next;
	*link = fragment;
	command->fragments_count++;
	count_in(commands, command, fragment);
}

struct held_event *open_commands__swap_start(struct open_commands *commands,
					     struct open_command *command, struct held_event *start)
{
	struct held_event *before = command->start;

	if (before)
		count_out(commands, command, before);
	command->start = start;
	if (start)
		count_in(commands, command, start);
	return before;
}
