// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/setup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/attach/proc.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/record/lifecycle_events.h"
#include "steptrace/record/pseudonym_key.h"

/* What the looks for overdue commands take of --max-cpu, at most. */
#define OVERDUE_SHARE 0.2

static bool uses_stdout(const struct session_options *options)
{
	for (size_t i = 0; i < options->outputs_count; i++) {
		const char *where = options->outputs[i].sink.where;

		if (!where || strcmp(where, "-") == 0 || descriptor__named(where) == STDOUT_FILENO)
			return true;
	}
	return false;
}

/* Events and the output of the command are not mixed. */
static int start_command(struct session *session)
{
	char *const *command = session->options->watch.targets.command;
	bool is_result = session->options->takes_stdout;
	bool takes_stdout = is_result || uses_stdout(session->options);
	int code;

	if (!command)
		return 0;
	code = traced_command__start(&session->command, command, takes_stdout, session->err);
	if (!code && takes_stdout)
		log__info("%s written to standard output; the standard output of '%s' "
			  "goes to standard error (-o FILE leaves it in place)",
			  is_result ? "the result is" : "events are", command[0]);
	return code;
}

static int check_targets(struct session *session)
{
	const struct targets *targets = &session->options->watch.targets;
	int code = proc__check(session->err);

	for (size_t i = 0; i < targets->pids_count && !code && !targets->may_be_missing; i++)
		code = targets__check_pid(targets->pids[i], session->err);
	return code;
}

static int open_outputs(struct session *session)
{
	const struct session_options *options = session->options;

	return outputs__open(&session->outputs, options->outputs, options->outputs_count,
			     session->err);
}

/* The timer serves --flush and the follower, so it has the shorter of their intervals. */
static int open_wakeups(struct session *session)
{
	uint64_t flush_ns = session->options->flush_ns;

	return wakeups__open(&session->wakeups,
			     flush_ns < FOLLOWER_SCAN_NS ? flush_ns : FOLLOWER_SCAN_NS,
			     session->outputs.news_fd, !session->options->is_helper, session->err);
}

static int open_self_stats(struct session *session)
{
	const struct session_options *options = session->options;
	struct self_stats *stats = &session->self_stats;
	int code = self_stats__open(stats, options->metrics_address, options->shows_stats,
				    session->err);

	if (!code && stats->metrics)
		code = wakeups__watch_metrics(&session->wakeups, metrics__fd(stats->metrics));
	return code;
}

static int open_pseudonyms(struct session *session)
{
	const struct session_options *options = session->options;
	struct pseudonym_key key;
	int code;

	if (!options->pseudonyms_mask)
		return 0;
	code = pseudonym_key__read(options->pseudonym_key_path, &key, session->err);
	if (!code)
		code = pseudonyms__new(options->pseudonyms_mask, key.bytes, key.count,
				       &session->pseudonyms, session->err);
	pseudonym_key__wipe(&key);
	return code;
}

static int open_watch(struct session *session)
{
	const struct traced_command *command = session->command.pid ? &session->command : NULL;
	int code = watch__open(&session->watch, &session->options->watch, command, session->err);

	if (!code)
		code = wakeups__watch_records(&session->wakeups,
					      capture__wakeup_fd(session->watch.capture));
	if (!code)
		code = wakeups__watch_writers(&session->wakeups,
					      watch__writers_fd(&session->watch));
	if (!code)
		code = wakeups__watch_news(&session->wakeups, watch__news_fd(&session->watch));
	if (!code && command)
		code = wakeups__watch_command(&session->wakeups, command->pid);
	return code;
}

static int open_cgroups(struct session *session)
{
	session->cgroups = cgroups__new();
	return session->cgroups ? 0 : error__set(session->err, -ENOMEM, "out of memory");
}

/* Events are given to the reader of the command, or counted for --metrics. */
static int choose_reader(struct session *session, struct stream_options *stream_options)
{
	const struct event_reader *reader = session->options->reader;
	struct self_stats *stats = &session->self_stats;

	if (reader) {
		stream_options->on_event = reader->on_event;
		stream_options->on_event_context = reader->context;
		stream_options->leaves_out_lines = true;
	} else if (stats->metrics) {
		stats->durations =
			duration_metrics__new(&session->options->metrics_bounds,
					      clock_anchor__realtime_ns(&stream_options->clock, 0));
		if (!stats->durations)
			return -ENOMEM;
		stream_options->on_event = duration_metrics__on_event;
		stream_options->on_event_context = stats->durations;
	}
	return 0;
}

static int open_stream(struct session *session)
{
	const struct session_options *options = session->options;
	const struct clock_pair now = clock__read_pair();
	const struct steptrace_filters *filters = &options->watch.filters;
	struct stream_options stream_options = {
		.format = options->format,
		.text = options->text,
		.labels = options->labels,
		.cgroup_path = cgroups__path,
		.cgroup_path_context = session->cgroups,
		.seed_fields_only = options->seed_fields_only,
		.safe_integers = options->safe_integers,
		.fields = options->fields,
		.has_breakdown = options->watch.breakdown,
		.pseudonymize = session->pseudonyms ? pseudonyms__apply : NULL,
		.pseudonymize_context = session->pseudonyms,
		.whole = options->whole,
		.events_limit = options->events_limit,
		.min_duration_ns = filters->min_duration_ns,
		.steps_left_out = filters__leave_out_steps(filters),
		.starts_left_out = filters__leave_out_starts(filters),
		.step_starts_left_out =
			options->watch.ends_only || filters__leave_out_starts(filters),
		.last_lost_ns = capture__last_lost_ns(session->watch.capture),
	};

	clock_anchor__init(&stream_options.clock, &now);
	if (choose_reader(session, &stream_options))
		return error__set(session->err, -ENOMEM, "out of memory");
	if (stream__new(&stream_options, &session->stream))
		return error__set(session->err, -ENOMEM, "out of memory");
	return 0;
}

/* The line of trace.started is the header of every part of every output. */
static int make_header(struct session *session)
{
	int code = lifecycle_events__started(session->stream, &session->watch, session->pseudonyms);

	return code ? code : outputs__set_header(&session->outputs, session->stream, session->err);
}

/* The log is silent about what is attached during the setup: console__ready() sums that up. */
static void on_attached(void *context, const struct attachment *attachment, const uint32_t *pids,
			size_t pids_count)
{
	struct session *session = context;

	lifecycle_events__attached(session->stream, attachment, pids, pids_count);
	if (session->started_ns && pids_count && attachment->late_ns)
		log__info("attached to '%s' (process %u) %.1f ms after the process began to use "
			  "it; what it did before is not recorded",
			  attachment->binary->name, pids[0], (double)attachment->late_ns / 1e6);
	else if (session->started_ns && pids_count)
		log__info("attached to '%s' (process %u)", attachment->binary->name, pids[0]);
	else if (session->started_ns)
		log__info("attached to '%s'", attachment->binary->name);
}

static void on_detached(void *context, const struct attachment *attachment)
{
	struct session *session = context;

	lifecycle_events__detached(session->stream, attachment);
	log__info("detached from '%s'", attachment->binary->name);
}

static int attach(struct session *session)
{
	const struct follower_events events = {on_attached, on_detached, session};

	return watch__attach(&session->watch, &events, session->err);
}

static const struct reader_input *input_of(const struct session *session)
{
	const struct event_reader *reader = session->options->reader;

	return reader ? reader->input : NULL;
}

static struct lookout_options lookout_options(const struct session *session)
{
	const struct watch_options *watch = &session->options->watch;

	return (struct lookout_options){
		.targets = &watch->targets,
		.filters = &watch->filters,
		.cgroup = watch->filters.by_cgroup ? watch->cgroup.inner : NULL,
		.capture = session->watch.capture,
		.max_share = LOOKOUT_MAX_SHARE,
	};
}

/* After the attachment: a process that runs already has a start time in whatever it begins next. */
static int open_overdue(struct session *session)
{
	const struct overdue_times *times = &session->options->overdue;
	struct lookout_options options = lookout_options(session);
	double limit = session->governor.budget.max_share * OVERDUE_SHARE;
	double share = limit > 0 && limit < LOOKOUT_MAX_SHARE ? limit : LOOKOUT_MAX_SHARE;
	int code;

	if (!times->count)
		return 0;
	if (limit > 0) {
		session->governor.budget.max_share -= share;
		session->governor.others_share = share;
	}
	options.times = times;
	options.max_share = share;
	code = overdue_events__open(&session->overdue, &options, session->err);
	if (!code)
		code = wakeups__watch_lookout(&session->wakeups,
					      lookout__fd(&session->overdue.lookout));
	return code;
}

/* For a reader that wants to know what is open. It has no --overdue. */
static int open_looks(struct session *session)
{
	const struct event_reader *reader = session->options->reader;
	const struct lookout_options options = lookout_options(session);
	int code;

	if (!reader || !reader->open)
		return 0;
	code = open_looks__open(&session->looks, reader->open, reader->context, &options,
				session->err);
	if (!code)
		code = wakeups__watch_lookout(&session->wakeups,
					      lookout__fd(&session->looks.lookout));
	return code;
}

static int open_input(struct session *session)
{
	const struct reader_input *input = input_of(session);
	int fd;

	if (!input)
		return 0;
	fd = input->open(session->options->reader->context, session->err);
	return fd < 0 ? fd : wakeups__watch_input(&session->wakeups, fd);
}

static const struct reader_sampler *sampler_of(const struct session *session)
{
	const struct event_reader *reader = session->options->reader;

	return reader ? reader->sampler : NULL;
}

/* Wakes the loop up, as records do. */
static int open_sampler(struct session *session)
{
	const struct reader_sampler *sampler = sampler_of(session);
	int fd;

	if (!sampler)
		return 0;
	fd = sampler->open(session->options->reader->context, &session->watch, session->err);
	return fd < 0 ? fd : wakeups__watch_records(&session->wakeups, fd);
}

/* A session has one child at most: there is no reader that needs two. */
static pid_t child_of(const struct session *session)
{
	const struct reader_sampler *sampler = sampler_of(session);

	if (sampler)
		return sampler->child(session->options->reader->context);
	return session->overdue.lookout.child ? session->overdue.lookout.child
					      : session->looks.lookout.child;
}

static int give_up_privileges(struct session *session)
{
	const struct reader_input *input = input_of(session);
	struct privilege_needs needs = {
		.makes_files = outputs__make_files(&session->outputs),
		.connects = outputs__connect(&session->outputs),
		.sends_kafka = outputs__send_kafka(&session->outputs),
		.speaks_http = outputs__speak_http(&session->outputs),
		.serves = session->options->metrics_address != NULL,
		.draws = input && input->is_terminal,
		.ends_child = child_of(session),
	};
	int code;

	_Static_assert((int)OUTPUTS_MAX <= (int)PRIVILEGE_GROUPS_MAX, "too many groups");
	needs.groups_count = outputs__groups(&session->outputs, needs.groups);
	code = watch__drop_privileges(&session->watch, &needs, session->err);
	return code ? code : watch__confine(&session->watch, &needs, session->err);
}

static int start_outputs(struct session *session)
{
	return outputs__start(&session->outputs, session->stream, session->err);
}

/* What setup__close() must not close. */
static void prepare(struct session *session)
{
	session->wakeups = (struct wakeups){-1, -1, -1, -1, -1, -1, .command_runs = false};
	session->command.go_fd = -1;
	session->self_stats.usage.statm_fd = -1;
	session->overdue.lookout.fd = session->looks.lookout.fd = -1;
	session->governor.budget.max_share = session->options->max_cpu_percent / 100;
}

/* `as_caller`: it opens or starts what the command line names. */
struct step {
	int (*run)(struct session *session);
	bool as_caller;
};

static int run_step(const struct step *step, struct session *session)
{
	struct caller_rights saved = {.is_saved = false};
	int code = step->as_caller ? caller_rights__use(&saved, session->err) : 0;

	if (code)
		return code;
	code = step->run(session);
	caller_rights__end(&saved);
	return code;
}

int setup__open(struct session *session)
{
	static const struct step steps[] = {
		{.run = check_targets},
		{.run = start_command, .as_caller = true},
		{.run = open_outputs, .as_caller = true},
		{.run = open_wakeups},
		{.run = open_self_stats, .as_caller = true},
		{.run = open_pseudonyms, .as_caller = true},
		{.run = open_watch},
		{.run = open_cgroups},
		{.run = open_stream},
		{.run = make_header},
		{.run = attach},
		{.run = open_overdue},
		{.run = open_looks},
		{.run = open_sampler},
		{.run = open_input, .as_caller = true},
		{.run = give_up_privileges},
		{.run = start_outputs},
	};
	int code = 0;

	prepare(session);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !code; i++)
		code = run_step(&steps[i], session);
	return code;
}

void setup__close(struct session *session)
{
	overdue_events__close(&session->overdue);
	open_looks__close(&session->looks);
	watch__close(&session->watch);
	stream__free(session->stream);
	cgroups__free(session->cgroups);
	pseudonyms__free(session->pseudonyms);
	outputs__close(&session->outputs);
	self_stats__close(&session->self_stats);
	wakeups__close(&session->wakeups);
}
