// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cgroup2.h"
#include "common/child_process.h"
#include "common/clock.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"
#include "steptrace/glob.h"
#include "steptrace/inflight/inflight.h"
#include "steptrace/inflight/inflight_rows.h"
#include "steptrace/inflight/lookout.h"
#include "steptrace/inflight/open_items.h"

enum { LOOKS_IN_A_TIME = 20, SCAN_GIB = 4 };

#define PAUSE_MIN_NS 20000000ull
#define PAUSE_MAX_NS 500000000ull

struct looking {
	const struct lookout_options *options;
	int socket;
	struct inflight_options inflight_options;
	struct inflight_search search;
	struct overdue *overdue; /* NULL: it looks when it is asked to */
	struct lookout_state told;
	bool has_told;
	uint64_t begun_cpu_ns; /* of this thread, when the look began */
	uint64_t cpu_ns;       /* of the last look, see struct lookout_state */
	struct lookout_message message;
};

/* ---- messages. Nothing is left to do without the tracer. */

static void send_message(struct looking *looking, enum lookout_kind kind)
{
	looking->message.kind = kind;
	if (send(looking->socket, &looking->message, lookout_message__bytes(kind), MSG_NOSIGNAL) <
	    0)
		_exit(0);
}

static void send_overdue(struct looking *looking, const struct overdue_news *news)
{
	const struct overdue_times *times = looking->options->times;

	for (size_t i = 0; i < times->count; i++) {
		looking->message.overdue.reached_ns = times->ns[i];
		looking->message.overdue.by_command = news->command & 1u << i;
		looking->message.overdue.by_step = news->step & 1u << i;
		if ((news->command | news->step) & 1u << i)
			send_message(looking, LOOKOUT_OVERDUE);
	}
}

static bool has_risen(const struct lookout_state *now, const struct lookout_state *told)
{
	return now->older_headers > told->older_headers ||
	       now->newer_headers > told->newer_headers || now->unreadable > told->unreadable ||
	       now->unseen > told->unseen || now->partial > told->partial ||
	       now->left_out > told->left_out || (now->swapped_bytes && !told->swapped_bytes) ||
	       (now->revisited && !told->revisited) ||
	       (now->no_times.text[0] && !told->no_times.text[0]);
}

static void send_state(struct looking *looking, const struct lookout_state *now)
{
	looking->has_told = true;
	looking->told = *now;
	memset(&looking->message, 0, sizeof(looking->message));
	looking->message.state = *now;
	send_message(looking, looking->options->times ? LOOKOUT_STATE : LOOKOUT_LOOKED);
}

/* Whole searches have a share of their own. */
static uint64_t cpu_ns(const struct looking *looking, const struct inflight *inflight)
{
	return clock__thread_cpu_ns() - looking->begun_cpu_ns - inflight->planned_ns;
}

static void tell_state(struct looking *looking, const struct inflight *inflight)
{
	struct lookout_state now = {
		.runners = inflight->runners,
		.older_headers = inflight->older_headers,
		.newer_headers = inflight->newer_headers,
		.unreadable = inflight->unreadable,
		.unseen = inflight->unseen,
		.swapped_bytes = inflight->swapped_bytes,
		.partial = inflight->partial,
		.left_out = inflight->left_out,
		.failure = inflight->first_failure,
		.revisited = inflight->revisited,
		.whole_period_ns = inflight->whole_period_ns,
		.cpu_ns = cpu_ns(looking, inflight),
	};

	if (!looking->search.times)
		now.no_times = looking->search.why;
	if (looking->options->times && looking->has_told && !has_risen(&now, &looking->told))
		return;
	send_state(looking, &now);
}

static void tell_broken(struct looking *looking, const struct error *err)
{
	struct lookout_state now = looking->told;

	if (looking->options->times && now.broken.text[0])
		return;
	now.broken = *err;
	send_state(looking, &now);
}

/* ---- one look */

static bool is_wanted(void *context, pid_t pid)
{
	const struct lookout_options *options = ((struct looking *)context)->options;
	char path[CGROUP2_PATH_BYTES];

	if (targets__are_processes(options->targets) && !capture__is_wanted(options->capture, pid))
		return false;
	return !options->cgroup ||
	       (cgroup2__path_of((uint32_t)pid, path) && cgroup2__contains(options->cgroup, path));
}

/* Commands are selected by inflight__collect(). The name is that of the thread, if it is known. */
static bool is_selected(void *context, const struct inflight_row *row)
{
	const struct steptrace_filters *filters = ((struct looking *)context)->options->filters;
	const char *comm = row->thread ? row->thread->comm : row->process->comm;

	if (filters->by_uid && filters->uid != row->process->uid)
		return false;
	return !filters->by_comm || glob__matches(&filters->comm, comm, sizeof(row->process->comm));
}

static void check_row(struct looking *looking, const struct inflight *inflight,
		      const struct inflight_row *from)
{
	struct open_row *row = &looking->message.overdue.row;
	struct overdue_news news;

	if (!is_selected(looking, from))
		return;
	open_row__fill(row, inflight, from);
	news = overdue__check(looking->overdue, row);
	send_overdue(looking, &news);
}

/* A process that is not there has ended. */
static bool was_searched(void *inflight, uint32_t pid)
{
	const struct open_process *process = inflight__process(inflight, (pid_t)pid);

	return !process || !process->is_revisited;
}

static int tell_overdue(struct looking *looking, const struct inflight *inflight, struct error *err)
{
	(void)err;
	overdue__begin_look(looking->overdue, inflight->now_ns);
	for (size_t i = 0; i < inflight->rows_count; i++)
		check_row(looking, inflight, &inflight->rows[i]);
	overdue__end_look(looking->overdue, was_searched, (void *)inflight);
	return 0;
}

/* The filters on the events of the item, as far as it is known whether its event will pass: an item
 * that is open for less than --min-duration may end before that, and an execution without an id may
 * get one of the sample. */
static bool may_pass(const struct steptrace_filters *filters, const struct open_item *item)
{
	__u64 id[2];

	memcpy(id, item->execution_id, sizeof(id));
	if (item->is_step && filters->by_step_type &&
	    !glob__matches(&filters->step_type, item->step_type, sizeof(item->step_type)))
		return false;
	if (filters->sample_every &&
	    ((!id[0] && !id[1]) || !sample__selects(id[0], id[1], filters->sample_every)))
		return false;
	return item->age_ns >= filters->min_duration_ns;
}

static void send_item(void *context, const struct open_item *item)
{
	struct looking *looking = context;

	if (!may_pass(looking->options->filters, item))
		return;
	looking->message.open = *item;
	send_message(looking, LOOKOUT_OPEN);
}

static int tell_open(struct looking *looking, const struct inflight *inflight, struct error *err)
{
	const struct open_items_visitor visitor = {is_selected, send_item, looking};

	for (size_t i = 0; i < inflight->blind_count; i++) {
		looking->message.blind_pid = (uint32_t)inflight->blind[i];
		send_message(looking, LOOKOUT_BLIND);
	}
	return open_items__visit(inflight, &visitor) ? error__set(err, -ENOMEM, "out of memory")
						     : 0;
}

/* A failed look is repeated: it had no memory, or /proc could not be read. */
static void look(struct looking *looking,
		 int (*tell)(struct looking *looking, const struct inflight *inflight,
			     struct error *err))
{
	struct inflight inflight;
	struct error err;

	looking->begun_cpu_ns = clock__thread_cpu_ns();
	if (inflight__collect(&inflight, &looking->search, NULL, &err) == 0 &&
	    tell(looking, &inflight, &err) == 0)
		tell_state(looking, &inflight);
	else
		tell_broken(looking, &err);
	looking->cpu_ns = cpu_ns(looking, &inflight);
	inflight__free(&inflight);
	inflight_search__forget(&looking->search);
}

/* ---- again and again */

static uint64_t pause_ns(const struct lookout_options *options, uint64_t look_cpu_ns)
{
	uint64_t pause = options->times->ns[0] / LOOKS_IN_A_TIME;
	uint64_t least = (uint64_t)((double)look_cpu_ns / LOOKOUT_PART(options->max_share));

	if (pause < PAUSE_MIN_NS)
		pause = PAUSE_MIN_NS;
	if (pause > PAUSE_MAX_NS)
		pause = PAUSE_MAX_NS;
	return pause > least ? pause : least;
}

/* False: the tracer has ended. */
static bool wait_for(const struct looking *looking, uint64_t ns)
{
	struct pollfd tracer = {.fd = looking->socket, .events = POLLIN};

	return poll(&tracer, 1, (int)(ns / 1000000)) <= 0;
}

static void look_again(struct looking *looking)
{
	do
		look(looking, tell_overdue);
	while (wait_for(looking, pause_ns(looking->options, looking->cpu_ns)));
}

/* ---- when the tracer asks */

static void look_when_asked(struct looking *looking)
{
	char question;

	while (recv(looking->socket, &question, 1, 0) == 1) {
		looking->search.is_whole = question == LOOKOUT_ASK_WHOLE;
		look(looking, tell_open);
	}
}

/* ---- the process */

static struct inflight_options options_of(struct looking *looking)
{
	const struct lookout_options *options = looking->options;
	struct inflight_options result = {
		.command = options->filters->command,
		.has_command = options->filters->by_command,
		.scan_bytes = (uint64_t)SCAN_GIB << 30,
		.is_wanted = is_wanted,
		.is_wanted_context = looking,
		.sees_attachments = options->times != NULL,
		.whole_share = LOOKOUT_PART(options->max_share),
	};

	result.targets.exes_count = options->targets->exes_count;
	memcpy(result.targets.exes, options->targets->exes, sizeof(result.targets.exes));
	return result;
}

static int confine(const struct looking *looking, pid_t tracer, struct error *err)
{
	const struct privilege_needs needs = {
		.only_memory = true,
		.reads_memory = true,
		.reads_maps = targets__are_processes(looking->options->targets),
	};
	int code = privilege__drop(&needs, err);

	if (code)
		return code;
	return child_process__end_with(tracer) ? seccomp__confine(&needs, err) : -ESRCH;
}

static int prepare(struct looking *looking, pid_t tracer, struct error *err)
{
	const int kept[] = {looking->socket, capture__wanted_pids_fd(looking->options->capture)};
	int code = child_process__close_others(kept, 2);

	if (code)
		return error__set(err, code, "cannot close descriptors: %s", strerror(-code));
	looking->inflight_options = options_of(looking);
	if (looking->options->times)
		looking->overdue = overdue__new(looking->options->times);
	if (looking->options->times && !looking->overdue)
		return error__set(err, -ENOMEM, "out of memory");
	code = inflight_search__open(&looking->search, &looking->inflight_options, err);
	return code ? code : confine(looking, tracer, err);
}

_Noreturn void lookout_child__run(int socket, const struct lookout_options *options, pid_t tracer)
{
	struct looking *looking = calloc(1, sizeof(*looking));
	struct error err = {""};

	child_process__block_signals();
	prctl(PR_SET_NAME, LOOKOUT_NAME);
	if (!looking || !child_process__end_with(tracer))
		_exit(1);
	looking->options = options;
	looking->socket = socket;
	if (prepare(looking, tracer, &err)) {
		tell_broken(looking, &err);
		_exit(1);
	}
	if (looking->overdue)
		look_again(looking);
	else
		look_when_asked(looking);
	_exit(0);
}
