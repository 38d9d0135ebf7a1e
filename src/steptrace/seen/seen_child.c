// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/child_process.h"
#include "common/fixed_text.h"
#include "common/log.h"
#include "steptrace/capture/ring_sizes.h"
#include "steptrace/record/accounting.h"
#include "steptrace/record/recording.h"
#include "steptrace/seen/seen_open.h"
#include "steptrace/stream/executions.h"
#include "steptrace/watch/watch_options.h"

struct telling {
	int socket;
	bool is_alone; /* the process that asks has ended */
	struct seen_message message;
};

static void tell(struct telling *telling, enum seen_kind kind)
{
	size_t bytes = seen_message__bytes(kind);

	telling->message.kind = kind;
	if (send(telling->socket, &telling->message, bytes, MSG_NOSIGNAL) < 0)
		telling->is_alone = true;
}

/* ---- what is open. An address only has to differ from others. */

static uint64_t address_of(const void *object)
{
	return (uint64_t)(uintptr_t)object;
}

static uint64_t steps_ended(const struct execution *execution)
{
	uint64_t sum = 0;

	for (int outcome = 0; outcome < OUTCOMES_COUNT; outcome++)
		sum += execution->steps_seen[outcome];
	return sum;
}

static void tell_command(struct telling *telling, const struct execution *execution)
{
	const struct command_span *from = &execution->command;
	struct open_command *command = &telling->message.command;
	bool is_earlier;
	uint64_t since_ns = execution__since_ns(execution, &is_earlier);

	*command = (struct open_command){
		.span = {.address = address_of(execution),
			 .start_ns = is_earlier ? 0 : since_ns,
			 .open_since_ns = is_earlier ? since_ns : 0,
			 .seen_ns = execution->last_ns},
		.steps_count = steps_ended(execution),
	};
	memcpy(command->execution_id, execution->id, sizeof(command->execution_id));
	FIXED_TEXT_COPY(command->slug, from->slug);
	FIXED_TEXT_COPY(command->user_id, from->user_id);
	FIXED_TEXT_COPY(command->request_source, from->request_source);
	FIXED_TEXT_COPY(command->correlation_id, from->correlation_id);
	tell(telling, SEEN_COMMAND);
}

static uint64_t address_of_parent(const struct execution *execution, const struct begun_step *step)
{
	for (const struct begun_step *at = execution->open.newest; at; at = at->older)
		if (memcmp(at->span.step_id, step->span.parent_step_id, sizeof(at->span.step_id)) ==
		    0)
			return address_of(at);
	return 0;
}

static void tell_step(struct telling *telling, const struct execution *execution,
		      const struct begun_step *from)
{
	struct open_step *step = &telling->message.step;

	*step = (struct open_step){
		.span = {.address = address_of(from),
			 .start_ns = from->record.time_ns,
			 .seen_ns = execution->last_ns},
		.command_address = address_of(execution),
		.parent_address = address_of_parent(execution, from),
		.parent = OPEN_NONE,
		.index = from->span.index,
	};
	memcpy(step->step_id, from->span.step_id, sizeof(step->step_id));
	FIXED_TEXT_COPY(step->type, from->span.type);
	FIXED_TEXT_COPY(step->name, from->span.name);
	tell(telling, SEEN_STEP);
}

static bool is_first_of_process(const struct execution *execution, const struct begun_step *step)
{
	const struct begun_step *at = execution->open.newest;

	while (at != step && at->record.pid != step->record.pid)
		at = at->older;
	return at == step;
}

static void tell_execution(void *context, const struct execution *execution)
{
	struct telling *telling = context;

	telling->message.pid = (pid_t)execution__pid(execution);
	tell_command(telling, execution);
}

/* A step of a forked child is told with the child's copy of the command, as it is in its memory. */
static void tell_open_step(void *context, const struct execution *execution,
			   const struct begun_step *step)
{
	struct telling *telling = context;

	telling->message.pid = (pid_t)step->record.pid;
	if (step->record.pid != execution__pid(execution) && is_first_of_process(execution, step))
		tell_command(telling, execution);
	tell_step(telling, execution, step);
}

/* ---- what the recording calls */

static void on_event(void *context, const struct event *event)
{
	(void)context;
	(void)event;
}

static void on_time(void *context, struct stream *stream, uint64_t now_ns, bool is_end)
{
	(void)context;
	(void)stream;
	(void)now_ns;
	(void)is_end;
}

/* The probes are attached. */
static int on_attached(void *context, struct error *err)
{
	struct telling *telling = context;

	(void)err;
	tell(telling, SEEN_ATTACHED);
	return telling->socket;
}

static bool on_question(void *context, struct stream *stream, uint64_t now_ns)
{
	struct telling *telling = context;
	const struct open_visitor visitor = {tell_execution, tell_open_step, telling};
	char question;

	(void)now_ns;
	if (recv(telling->socket, &question, 1, 0) != 1)
		return false;
	stream__each_open(stream, &visitor);
	telling->message.lost = accounting__lost(stream);
	tell(telling, SEEN_END);
	return !telling->is_alone;
}

/* ---- the process */

static int record(struct telling *telling, const struct targets *targets, struct error *err)
{
	static const struct reader_input input = {.open = on_attached, .on_input = on_question};
	const struct event_reader reader = {
		.on_event = on_event, .on_time = on_time, .context = telling, .input = &input};
	struct session_options options = {
		.watch = WATCH_OPTIONS_DEFAULT,
		.format = FORMAT_REPORT,
		.flush_ns = 50000000,
		.reader = &reader,
		.is_helper = true,
	};

	options.watch.targets = *targets;
	ring_sizes__choose(&options.watch.ring_sizes, sysconf(_SC_NPROCESSORS_CONF));
	return recording__run(&options, err);
}

/* False: there is nothing to attach to. */
static bool receive_targets(int socket, struct targets *targets)
{
	struct seen_targets wanted;
	ssize_t bytes = recv(socket, &wanted, sizeof(wanted), 0);

	*targets = (struct targets){.no_children = wanted.no_children, .may_be_missing = true};
	if (bytes != sizeof(wanted) || wanted.pids_count > TARGETS_MAX)
		return false;
	targets->pids_count = wanted.pids_count;
	memcpy(targets->pids, wanted.pids, sizeof(targets->pids));
	return true;
}

_Noreturn void seen_child__run(int socket, pid_t parent)
{
	struct telling telling = {.socket = socket};
	struct targets targets;
	const int kept[] = {socket, STDERR_FILENO};
	struct error err = {""};
	int status;

	child_process__block_signals();
	prctl(PR_SET_NAME, SEEN_CHILD_NAME);
	if (!child_process__end_with(parent) || child_process__close_others(kept, 2) ||
	    !receive_targets(socket, &targets))
		_exit(0);
	log__leave_out_infos();
	status = record(&telling, &targets, &err);
	if (telling.is_alone)
		_exit(1);
	telling.message.failure = err;
	/* Without a sentence, a file could not be attached: the others were. */
	tell(&telling, status && err.text[0] ? SEEN_FAILED : SEEN_OVER);
	_exit(0);
}
