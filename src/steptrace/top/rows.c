// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the row out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "common/printable.h"
#include "steptrace/stream/executions.h"
#include "steptrace/stream/text_hash.h"

enum {
	SLUG_BYTES = sizeof(((struct command_span *)0)->slug),
	TYPE_BYTES = sizeof(((struct step_span *)0)->type),
	NAME_BYTES = sizeof(((struct step_span *)0)->name),
	KEY_BYTES = SLUG_BYTES + 1 + TYPE_BYTES + 1 + NAME_BYTES + 1,
};

/* Of a command "slug\0", of a step "slug\0type\0name\0". */
struct key {
	char bytes[KEY_BYTES];
	size_t count;
};

struct row {
	struct top_row row;
	bool is_in_table;
	UT_hash_handle hh;
	char key[];
};

struct top_rows {
	struct row *table; /* the head of a uthash table of commands and steps */
	struct top_row *commands;
	struct top_row other;
	size_t commands_count, steps_count, limit;
	uint64_t lost;
	struct text_hash hash; /* keys come from the traced processes */
};

/* ---- making and removing */

static char other_text[] = "(other)";

static struct top_row make_other(void)
{
	return (struct top_row){
		.text = other_text, .columns = sizeof(other_text) - 1, .is_other = true};
}

struct top_rows *top_rows__new(size_t limit)
{
	struct top_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return NULL;
	rows->limit = limit;
	rows->other = make_other();
	text_hash__init(&rows->hash);
	return rows;
}

static void empty(struct top_row *row)
{
	const struct top_row kept = {
		.text = row->text, .columns = row->columns, .is_other = row->is_other};

	histogram__clear(&row->durations);
	if (row->other_steps)
		histogram__clear(&row->other_steps->durations);
	free(row->other_steps);
	*row = kept;
}

static void remove_row(struct top_rows *rows, struct row *row)
{
	HASH_DEL(rows->table, row);
	empty(&row->row);
	free(row->row.text);
	free(row);
}

void top_rows__reset(struct top_rows *rows, struct top_row *keep)
{
	struct row *next;

	for (struct row *row = rows->table; row; row = next) {
		next = row->hh.next;
		if (&row->row != keep)
			remove_row(rows, row);
	}
	empty(&rows->other);
	if (keep)
		empty(keep);
	rows->commands = keep && !keep->is_other ? keep : NULL;
	rows->commands_count = rows->commands != NULL;
	rows->steps_count = 0;
}

void top_rows__free(struct top_rows *rows)
{
	if (!rows)
		return;
	top_rows__reset(rows, NULL);
	free(rows);
}

/* ---- keys */

static void append(struct key *key, const char *text, size_t limit)
{
	size_t length = strnlen(text, limit);

	memcpy(key->bytes + key->count, text, length);
	key->count += length;
	key->bytes[key->count++] = 0;
}

static struct key key_of_command(const char *slug)
{
	struct key key;

	key.count = 0;
	append(&key, slug, SLUG_BYTES);
	return key;
}

static struct key key_of_step(const char *slug, const char *type, const char *name)
{
	struct key key = key_of_command(slug);

	append(&key, type, TYPE_BYTES);
	append(&key, name, NAME_BYTES);
	return key;
}

/* What people read: the slug, or the name and the type of the step. */
static char *text_of(const struct key *key)
{
	size_t slug_bytes = strlen(key->bytes) + 1;
	char text[KEY_BYTES];
	const char *type, *name;

	if (slug_bytes == key->count)
		return printable__duplicate(key->bytes);
	type = key->bytes + slug_bytes;
	name = type + strlen(type) + 1;
	snprintf(text, sizeof(text), "%s%s%s", name, name[0] ? " " : "", type);
	return printable__duplicate(text);
}

/* ---- finding */

static struct top_row *make_row(struct top_rows *rows, const struct key *key, unsigned int hash)
{
	struct row *row = calloc(1, sizeof(*row) + key->count);

	if (!row)
		return NULL;
	row->row.text = text_of(key);
	memcpy(row->key, key->bytes, key->count);
	row->is_in_table = row->row.text != NULL;
	if (row->is_in_table)
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, rows->table, row->key, key->count, hash, row);
	if (!row->is_in_table) {
		free(row->row.text);
		free(row);
		return NULL;
	}
	row->row.columns = (unsigned int)printable__columns(row->row.text, SIZE_MAX);
	return &row->row;
}

static unsigned int hash_of(const struct top_rows *rows, const struct key *key)
{
	return (unsigned int)text_hash__of(&rows->hash, key->bytes, key->count);
}

/* NULL: there is none yet. */
static struct top_row *find(const struct top_rows *rows, const struct key *key, unsigned int hash)
{
	struct row *row;

	HASH_FIND_BYHASHVALUE(hh, rows->table, key->bytes, key->count, hash, row);
	return row ? &row->row : NULL;
}

/* The functions below return NULL where there is no memory. */

static struct top_row *command_of(struct top_rows *rows, const char *slug)
{
	const struct key key = key_of_command(slug);
	unsigned int hash = hash_of(rows, &key);
	struct top_row *row = find(rows, &key, hash);

	if (row)
		return row;
	if (rows->commands_count >= rows->limit)
		return &rows->other;
	row = make_row(rows, &key, hash);
	if (!row)
		return NULL;
	row->next = rows->commands;
	rows->commands = row;
	rows->commands_count++;
	return row;
}

static struct top_row *other_steps_of(struct top_row *command)
{
	if (command->other_steps)
		return command->other_steps;
	command->other_steps = calloc(1, sizeof(*command->other_steps));
	if (command->other_steps)
		*command->other_steps = make_other();
	return command->other_steps;
}

static struct top_row *step_of(struct top_rows *rows, const char *slug, const char *type,
			       const char *name)
{
	const struct key key = key_of_step(slug, type, name);
	unsigned int hash = hash_of(rows, &key);
	struct top_row *row = find(rows, &key, hash), *command;

	if (row)
		return row;
	command = command_of(rows, slug);
	if (!command)
		return NULL;
	if (command->is_other || rows->steps_count >= rows->limit)
		return other_steps_of(command);
	row = make_row(rows, &key, hash);
	if (!row)
		return NULL;
	row->next = command->steps;
	command->steps = row;
	rows->steps_count++;
	return row;
}

/* ---- what ended */

static struct top_row *row_of(struct top_rows *rows, const struct event *event)
{
	const char *slug = event->execution->command.slug;

	if (event->kind == EVENT_COMMAND_COMPLETED)
		return command_of(rows, slug);
	return step_of(rows, slug, event->step->type, event->step->name);
}

void top_rows__on_event(struct top_rows *rows, const struct event *event)
{
	const struct steptrace_cpu *cpu = event__cpu(event);
	struct top_row *row;
	uint64_t ns;

	if (event->kind != EVENT_COMMAND_COMPLETED && event->kind != EVENT_STEP_EXECUTED)
		return;
	row = row_of(rows, event);
	if (!row || (event__duration_ns(event, &ns) && histogram__add(&row->durations, ns, 1))) {
		rows->lost++;
		return;
	}
	row->count++;
	row->failures += event__has_failed(event);
	rate__add(&row->rate, event->record->time_ns);
	if (cpu)
		cpu_sums__add(&row->cpu, cpu);
}

/* ---- what is open */

static void close_row(struct top_row *row)
{
	row->open = row->open_since_ns = 0;
	row->is_open_older = false;
}

void top_rows__begin_open(struct top_rows *rows)
{
	for (struct row *row = rows->table; row; row = row->hh.next) {
		close_row(&row->row);
		if (row->row.other_steps)
			close_row(row->row.other_steps);
	}
	close_row(&rows->other);
	if (rows->other.other_steps)
		close_row(rows->other.other_steps);
}

void top_rows__add_open(void *context, const struct open_span_now *span)
{
	struct top_rows *rows = context;
	struct top_row *row =
		span->step_type ? step_of(rows, span->command, span->step_type, span->step_name)
				: command_of(rows, span->command);

	if (!row) {
		rows->lost++;
		return;
	}
	if (!row->open++ || span->since_ns < row->open_since_ns)
		row->open_since_ns = span->since_ns;
	row->is_open_older = row->is_open_older || span->is_older;
}

/* ---- reading */

void top_rows__each(struct top_rows *rows, const struct top_row *command,
		    void (*each)(void *context, struct top_row *row), void *context)
{
	struct top_row *other = command ? command->other_steps : &rows->other;

	for (struct top_row *row = command ? command->steps : rows->commands; row; row = row->next)
		each(context, row);
	if (other)
		each(context, other);
}

uint64_t top_rows__lost(const struct top_rows *rows)
{
	return rows->lost;
}

static size_t bytes_of(const struct top_row *row)
{
	const struct top_row *other = row->other_steps;

	return histogram__bytes(&row->durations) +
	       (other ? sizeof(*other) + histogram__bytes(&other->durations) : 0);
}

size_t top_rows__bytes(const struct top_rows *rows)
{
	size_t bytes = sizeof(*rows) + bytes_of(&rows->other);

	for (const struct row *row = rows->table; row; row = row->hh.next)
		bytes += sizeof(*row) + row->hh.keylen + strlen(row->row.text) + 1 +
			 bytes_of(&row->row);
	return bytes;
}

static double rate_of(const struct top_row *row, const struct top_window *window)
{
	double seconds = (double)(window->now_ns - window->from_ns) / 1e9;

	if (!window->is_whole)
		return rate__per_second(&row->rate, window->from_ns, window->now_ns);
	return seconds > 0 ? (double)row->count / seconds : 0;
}

/* A percentile takes some time, so it is computed only where there are new values. */
static void update_durations(struct top_numbers *shown, const struct histogram *durations)
{
	if (shown->timed == durations->count)
		return;
	shown->timed = durations->count;
	shown->p50_ns = histogram__percentile_ns(durations, 0.5);
	shown->p99_ns = histogram__percentile_ns(durations, 0.99);
	shown->max_ns = durations->max_ns;
}

static void update_cpu(struct top_numbers *shown, const struct cpu_sums *cpu)
{
	double all_ns = (double)cpu->threads_ns;

	shown->is_measured = all_ns > 0;
	if (!shown->is_measured)
		return;
	shown->blocked_kind = cpu_sums__longest_kind(cpu);
	shown->cpu_share = (double)cpu->on_cpu_ns / all_ns;
	shown->blocked_share = (double)cpu->blocked_ns[shown->blocked_kind] / all_ns;
}

void top_row__update(struct top_row *row, const struct top_window *window)
{
	struct top_numbers *shown = &row->shown;

	shown->count = row->count;
	shown->failures = row->failures;
	shown->rate = rate_of(row, window);
	update_durations(shown, &row->durations);
	update_cpu(shown, &row->cpu);
	shown->open = row->open;
	shown->is_age_more = row->is_open_older;
	shown->age_ns = row->open && window->now_ns > row->open_since_ns
				? window->now_ns - row->open_since_ns
				: 0;
}
