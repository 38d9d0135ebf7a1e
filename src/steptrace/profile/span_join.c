// SPDX-License-Identifier: BSD-2-Clause
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the execution out and calls the second macro. It never
 * calls exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/profile/profile_private.h"
#include "steptrace/stack_record.h"

/* An execution of which a step has ended with samples in it. */
struct profile_execution {
	struct profile_key key;
	bool is_in_table;
	struct sample_rows *rows; /* owned; `command` of their keys is 0 */
	uint64_t samples_count;
	size_t bytes;
	UT_hash_handle hh;
};

enum { EXECUTION_BYTES = sizeof(struct profile_execution) + 64 };

/* ---- executions that have not ended */

static void set_bytes(struct profile *profile, struct profile_execution *execution)
{
	size_t bytes = EXECUTION_BYTES + sample_rows__count(execution->rows) * SAMPLE_ROW_BYTES;

	profile->executions_bytes += bytes - execution->bytes;
	execution->bytes = bytes;
}

static void remove_execution(struct profile *profile, struct profile_execution *execution)
{
	profile->executions_bytes -= execution->bytes;
	if (execution->is_in_table)
		HASH_DEL(profile->executions, execution);
	sample_rows__free(execution->rows);
	free(execution);
}

void profile__drop_executions(struct profile *profile)
{
	while (profile->executions) {
		profile->other_count += profile->executions->samples_count;
		remove_execution(profile, profile->executions);
	}
}

static struct profile_execution *find(const struct profile *profile, const struct profile_key *key)
{
	struct profile_execution *execution;

	HASH_FIND(hh, profile->executions, key, sizeof(*key), execution);
	return execution;
}

static struct profile_execution *make(struct profile *profile, const struct profile_key *key)
{
	struct profile_execution *execution = calloc(1, sizeof(*execution));

	if (!execution)
		return NULL;
	execution->key = *key;
	execution->rows = sample_rows__new(SIZE_MAX);
	if (execution->rows) {
		execution->is_in_table = true;
		HASH_ADD(hh, profile->executions, key, sizeof(*key), execution);
	}
	if (execution->is_in_table) {
		set_bytes(profile, execution);
		return execution;
	}
	remove_execution(profile, execution);
	return NULL;
}

/* The oldest executions give way; the last one that does is the one that grew. */
static void keep_limit(struct profile *profile, const struct profile_execution *grown)
{
	while (profile->executions_bytes > profile->options.hold_bytes / 2) {
		struct profile_execution *oldest = profile->executions;

		if (oldest == grown && oldest->hh.next)
			oldest = oldest->hh.next;
		profile->dropped_count += oldest->samples_count;
		remove_execution(profile, oldest);
	}
}

/* ---- a span takes its samples */

struct taking {
	struct profile *profile;
	const struct ended_span *span;
	struct profile_execution *execution; /* NULL: none yet */
};

static enum stack_state state_of(const struct sample *sample)
{
	_Static_assert((int)STACK_STATES_COUNT - (int)STATE_DISK == (int)BLOCKED_KINDS_COUNT,
		       "the states are not those of the kernel side");
	return sample->blocked_kind < BLOCKED_KINDS_COUNT
		       ? (enum stack_state)(STATE_DISK + sample->blocked_kind)
		       : STATE_OTHER;
}

static int add(const struct taking *taking, const struct sample *sample, enum stack_state state,
	       uint64_t samples_count, uint64_t ns)
{
	const struct sample_sum sum = {
		.key = {0, taking->span->is_command ? 0 : taking->span->name, sample->stack, state},
		.samples_count = samples_count,
		.time_ns = ns,
	};

	return sample_rows__add(taking->execution->rows, &sum);
}

/* A time off the processor is one sample, also where it has two parts. */
static int add_sample(const struct taking *taking, const struct sample *sample)
{
	int code = 0;

	if (sample->kind == STACK_ON_CPU)
		return add(taking, sample, STATE_ON_CPU, 1,
			   sample->ticks * taking->profile->options.period_ns);
	if (sample->blocked_ns)
		code = add(taking, sample, state_of(sample), 1, sample->blocked_ns);
	if (!code && (sample->runnable_ns || !sample->blocked_ns))
		code = add(taking, sample, STATE_RUNNABLE, !sample->blocked_ns,
			   sample->runnable_ns);
	return code;
}

static void take(void *context, const struct sample *sample)
{
	struct taking *taking = context;
	struct profile *profile = taking->profile;

	if (!taking->span->is_command && !taking->span->is_wanted) {
		profile->other_count++;
		return;
	}
	if (!taking->execution)
		taking->execution = find(profile, &taking->span->key);
	if (!taking->execution)
		taking->execution = make(profile, &taking->span->key);
	if (!taking->execution || add_sample(taking, sample))
		profile->dropped_count++;
	else
		taking->execution->samples_count++;
}

/* ---- the end of an execution */

static bool is_wanted(const struct profile *profile, const struct ended_span *command)
{
	const struct profile_filter *filter = &profile->options.filter;
	const char *slug;

	if (filter->by_execution && memcmp(filter->execution_id, command->key.execution_id,
					   sizeof(filter->execution_id)) != 0)
		return false;
	slug = command->name ? interned__at(profile->names, command->name, NULL) : "";
	if (filter->by_command && !glob__matches(&filter->command, slug, UINT32_MAX))
		return false;
	if (filter->by_step_type)
		return true;
	return (!filter->only_failed || command->has_failed) &&
	       command->duration_ns >= filter->min_duration_ns;
}

static void add_rows(struct profile *profile, const struct profile_execution *execution,
		     uint32_t command)
{
	const struct sample_sum *row = NULL;

	while ((row = sample_rows__next(execution->rows, row))) {
		struct sample_sum sum = *row;

		sum.key.command = command;
		if (sample_rows__add(profile->rows, &sum))
			profile->dropped_count += sum.samples_count;
	}
}

static void end_execution(struct profile *profile, const struct ended_span *command)
{
	struct profile_execution *execution = find(profile, &command->key);
	bool wanted = is_wanted(profile, command);

	profile->executions_count += wanted;
	if (!execution)
		return;
	if (wanted)
		add_rows(profile, execution, command->name);
	else
		profile->other_count += execution->samples_count;
	remove_execution(profile, execution);
}

void profile__end_span(struct profile *profile, const struct ended_span *span)
{
	struct taking taking = {profile, span, NULL};
	bool takes = span->begin_ns && !(span->is_command && profile->options.filter.by_step_type);

	if (takes)
		held_samples__take(profile->samples, span->tid, span->begin_ns, span->end_ns, take,
				   &taking);
	if (taking.execution) {
		set_bytes(profile, taking.execution);
		keep_limit(profile, taking.execution);
	}
	if (span->is_command)
		end_execution(profile, span);
}
