// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/setup.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"
#include "steptrace/record/lifecycle_events.h"

static int open_stream(struct session *session)
{
	const struct clock_pair now = clock__read_pair();
	const struct session_options *options = session->options;
	struct stream_options stream_options = {
		.format = options->format,
		.seed_fields_only = options->seed_fields_only,
		.fields = options->fields,
		.pseudonymize = session->pseudonyms ? pseudonyms__apply : NULL,
		.pseudonymize_context = session->pseudonyms,
		.events_limit = options->events_limit,
		.min_duration_ns = options->filters.min_duration_ns,
		.steps_left_out = filters__leave_out_steps(&options->filters),
		.starts_left_out = filters__leave_out_starts(&options->filters),
		.step_starts_left_out =
			options->ends_only || filters__leave_out_starts(&options->filters),
		.last_lost_ns = capture__last_lost_ns(session->capture),
	};

	clock_anchor__init(&stream_options.clock, &now);
	if (stream__new(&stream_options, &session->stream))
		return error__set(session->err, -ENOMEM, "out of memory");
	return 0;
}

static int open_pseudonyms(struct session *session)
{
	const struct session_options *options = session->options;

	if (!options->pseudonyms_mask)
		return 0;
	return pseudonyms__open(options->pseudonyms_mask, options->pseudonym_key_path,
				&session->pseudonyms, session->err);
}

static void on_attached(void *context, const struct attachment *attachment, const uint32_t *pids,
			size_t pids_count)
{
	struct session *session = context;

	lifecycle_events__attached(session->stream, attachment, pids, pids_count);
	if (session->started_ns && pids_count)
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

/* Standard output where nothing was named. */
static int open_outputs(struct session *session)
{
	const struct session_options *options = session->options;
	const struct output_options standard = {.queue_bytes = options->queue_bytes};
	bool named = options->outputs_count > 0;
	int code;

	code = outputs__open(&session->outputs, named ? options->outputs : &standard,
			     named ? options->outputs_count : 1, session->err);
	return code;
}

/* Who follows looks around more often than somebody may want to write. */
static int open_wakeups(struct session *session)
{
	uint64_t flush_ns = session->options->flush_ns;

	return wakeups__open(&session->wakeups,
			     flush_ns < FOLLOWER_LOOK_NS ? flush_ns : FOLLOWER_LOOK_NS,
			     session->outputs.news_fd, session->err);
}

static int open_pulse(struct session *session)
{
	struct self_stats *pulse = &session->pulse;
	int code = self_stats__open(pulse, session->options->metrics_address, session->err);

	pulse->says = session->options->shows_stats;
	if (!code && pulse->metrics)
		code = wakeups__watch_questions(&session->wakeups, metrics__fd(pulse->metrics));
	return code;
}

static int use_site(struct session *session, enum site_kind site)
{
	int code = attachments__use_site(&session->attachments, site);

	return code ? error__set(session->err, code,
				 "probes at %s do not fire on this kernel (steptrace doctor shows "
				 "which do)",
				 sites[site].name)
		    : 0;
}

static int open_capture(struct session *session)
{
	const struct capture_options options = {
		.buffer_bytes = session->options->ring_sizes.buffer_bytes,
		.rings_count = session->options->ring_sizes.rings_count,
		.only_wanted_pids = targets__are_processes(&session->options->targets),
		.filters = &session->options->filters,
		.ends_only = session->options->ends_only,
	};
	int code;

	attachments__begin(&session->attachments);
	code = capture__open(&options, &session->capture, session->err);
	if (!code)
		code = wakeups__watch_records(&session->wakeups,
					      capture__wakeup_fd(session->capture));
	if (!code)
		code = capture__watch_processes(session->capture, session->err);
	if (!code)
		code = attachments__open(&session->attachments, session->capture, session->err);
	if (!code && session->options->site >= 0)
		code = use_site(session, (enum site_kind)session->options->site);
	return code;
}

/* A process that ended before it was watched will not be reported. */
static int want(struct session *session, pid_t pid)
{
	int code = capture__want_pid(session->capture, pid);

	if (code)
		return error__set(session->err, code, "cannot trace process %d: %s", pid,
				  strerror(-code));
	code = targets__check_pid(pid, session->err);
	if (code)
		capture__unwant_pid(session->capture, pid);
	return code;
}

static int want_targets(struct session *session)
{
	const struct targets *targets = &session->options->targets;
	int code = 0;

	if (session->child.pid) {
		code = want(session, session->child.pid);
		return code ? code : wakeups__watch_child(&session->wakeups, session->child.pid);
	}
	for (size_t i = 0; i < targets->pids_count && !code; i++)
		code = want(session, targets->pids[i]);
	return code;
}

static const char *command_path(const struct session *session)
{
	return session->child.pid ? session->child.path : NULL;
}

static int attach_targets(struct session *session)
{
	session->follower = (struct follower){
		.targets = &session->options->targets,
		.capture = session->capture,
		.attachments = &session->attachments,
		.events = {on_attached, on_detached, session},
		.linger_ns = session->options->linger_ns,
	};
	return follower__start(&session->follower, command_path(session), session->err);
}

static int give_privileges_up(struct session *session)
{
	const struct privilege_needs needs = {
		.perf_links = capture__method(session->capture) == UPROBE_PERF,
		.signals_child = session->child.pid != 0,
		.makes_files = outputs__have_files(&session->outputs),
		.connects = session->options->connects,
		.serves = session->options->metrics_address != NULL,
	};
	int code = privilege__drop(&needs, session->err);

	if (!code)
		code = outputs__check_rights(&session->outputs, session->err);
	return code ? code : seccomp__confine(&needs, session->err);
}

static void prepare(struct session *session, const struct session_options *options,
		    struct error *err)
{
	session->options = options;
	session->err = err;
	session->wakeups = (struct wakeups){-1, -1, -1, -1, -1, -1, .child_runs = false};
	session->child.go_fd = -1;
	session->pulse.usage.statm_fd = -1;
	session->governor.budget.max_share = options->max_cpu_percent / 100;
}

int setup__open(struct session *session, const struct session_options *options, struct error *err)
{
	int code = 0;

	prepare(session, options, err);
	for (size_t i = 0; i < options->targets.pids_count && !code; i++)
		code = targets__check_pid(options->targets.pids[i], session->err);
	if (!code && options->targets.command)
		code = traced_command__start(&session->child, options->targets.command,
					     session->err);
	if (!code)
		code = open_outputs(session);
	if (!code)
		code = open_wakeups(session);
	if (!code)
		code = open_pulse(session);
	if (!code)
		code = open_pseudonyms(session);
	if (!code)
		code = open_capture(session);
	if (!code)
		code = open_stream(session);
	if (!code)
		code = want_targets(session);
	if (!code)
		code = lifecycle_events__started(session->stream, &options->targets,
						 command_path(session), &session->attachments,
						 session->pseudonyms);
	if (!code)
		code = outputs__set_header(&session->outputs, session->stream, session->err);
	if (!code)
		code = attach_targets(session);
	if (!code)
		code = give_privileges_up(session);
	if (!code)
		code = outputs__start(&session->outputs, session->stream, session->err);
	return code;
}

void setup__close(struct session *session)
{
	attachments__close(&session->attachments);
	capture__close(session->capture);
	stream__free(session->stream);
	pseudonyms__close(session->pseudonyms);
	outputs__close(&session->outputs);
	self_stats__close(&session->pulse);
	wakeups__close(&session->wakeups);
}
