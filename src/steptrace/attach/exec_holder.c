// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/exec_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/child_process.h"
#include "common/clock.h"
#include "common/fd_message.h"
#include "steptrace/attach/elf_notes.h"
#include "steptrace/attach/exec_marks.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/confine/seccomp.h"

/* One read takes a descriptor for each event. The other 16 are for what the holder itself has
 * open. */
enum {
	EVENTS_AT_ONCE = 64,
	DESCRIPTORS_KEPT = EVENTS_AT_ONCE + 16,
	DESCRIPTORS_WANTED = HELD_MAX + DESCRIPTORS_KEPT,
};

/* An exec that waits for the tracer. */
struct waiting {
	uint64_t id;
	uint64_t until_ns; /* then it goes on without an answer */
	int file_fd;
};

struct holder {
	const struct capture *capture;
	int fanotify_fd, socket;
	struct waiting waiting[HELD_MAX]; /* in the order of their times */
	size_t count, max;
	uint64_t last_id;
};

/* ---- answers */

/* The kernel finds the exec by the number of its descriptor. */
static void let_go(const struct holder *holder, int file_fd)
{
	const struct fanotify_response response = {.fd = file_fd, .response = FAN_ALLOW};

	while (write(holder->fanotify_fd, &response, sizeof(response)) < 0 && errno == EINTR)
		continue;
	close(file_fd);
}

static void remove_waiting(struct holder *holder, size_t at)
{
	let_go(holder, holder->waiting[at].file_fd);
	holder->count--;
	memmove(&holder->waiting[at], &holder->waiting[at + 1],
		(holder->count - at) * sizeof(holder->waiting[0]));
}

/* A tracer that answers is not stopped: it has much to attach to. */
static void extend(struct holder *holder)
{
	uint64_t until_ns = clock__now_ns() + HOLD_MAX_MS * 1000000ull;

	for (size_t i = 0; i < holder->count; i++)
		holder->waiting[i].until_ns = until_ns;
}

static void take_answers(struct holder *holder)
{
	uint64_t id;
	ssize_t bytes;

	while ((bytes = recv(holder->socket, &id, sizeof(id), MSG_DONTWAIT)) == sizeof(id)) {
		if (id == HOLD_ENDS)
			_exit(0);
		for (size_t i = holder->count; i-- > 0;)
			if (holder->waiting[i].id == id)
				remove_waiting(holder, i);
		extend(holder);
	}
	if (bytes == 0)
		_exit(0); /* the tracer has ended */
}

static void expire(struct holder *holder)
{
	while (holder->count && holder->waiting[0].until_ns <= clock__now_ns())
		remove_waiting(holder, 0);
}

/* ---- questions */

static bool ask(const struct holder *holder, const struct hold_question *question, int file_fd)
{
	return fd_message__try_send(holder->socket, question, sizeof(*question), &file_fd, 1) == 0;
}

/* False: it cannot wait. */
static bool hold(struct holder *holder, pid_t pid, int file_fd)
{
	struct hold_question question = {
		.id = ++holder->last_id,
		.until_ns = clock__now_ns() + HOLD_MAX_MS * 1000000ull,
		.pid = pid,
	};

	if (holder->count == holder->max || !ask(holder, &question, file_fd))
		return false;
	holder->waiting[holder->count++] =
		(struct waiting){question.id, question.until_ns, file_fd};
	return true;
}

static bool has_probes(int file_fd)
{
	static struct probe_notes notes;
	struct error ignored;

	return elf_notes__read(file_fd, "a program", &notes, &ignored) == 0 && notes.count > 0;
}

/* The exec of a process that is not wanted does not wait for the look into the file. */
static void on_exec(struct holder *holder, pid_t pid, int file_fd)
{
	bool is_wanted = pid > 0 && capture__is_wanted(holder->capture, pid);
	const struct fanotify_response allow = {.fd = file_fd, .response = FAN_ALLOW};

	if (!is_wanted && write(holder->fanotify_fd, &allow, sizeof(allow)) < 0)
		errno = 0; /* the process was killed meanwhile */
	if (!has_probes(file_fd))
		exec_marks__leave_out(holder->fanotify_fd, file_fd);
	else if (is_wanted && hold(holder, pid, file_fd))
		return;
	if (is_wanted)
		let_go(holder, file_fd);
	else
		close(file_fd);
}

static void take_execs(struct holder *holder)
{
	struct fanotify_event_metadata events[EVENTS_AT_ONCE];
	ssize_t bytes = read(holder->fanotify_fd, events, sizeof(events));
	const struct fanotify_event_metadata *event = events;

	for (; FAN_EVENT_OK(event, bytes); event = FAN_EVENT_NEXT(event, bytes)) {
		if (event->vers != FANOTIFY_METADATA_VERSION)
			_exit(1); /* which lets all go on */
		if (event->fd >= 0 && event->mask & FAN_OPEN_EXEC_PERM)
			on_exec(holder, event->pid, event->fd);
	}
}

/* ---- the process */

static int timeout_ms(const struct holder *holder)
{
	uint64_t now_ns = clock__now_ns();

	if (!holder->count)
		return -1;
	if (holder->waiting[0].until_ns <= now_ns)
		return 0;
	return (int)((holder->waiting[0].until_ns - now_ns) / 1000000) + 1;
}

_Noreturn static void serve(struct holder *holder)
{
	struct pollfd fds[2] = {{.fd = holder->fanotify_fd, .events = POLLIN},
				{.fd = holder->socket, .events = POLLIN}};

	for (;;) {
		if (poll(fds, 2, timeout_ms(holder)) < 0 && errno != EINTR)
			_exit(1);
		if (fds[1].revents)
			take_answers(holder);
		if (fds[0].revents)
			take_execs(holder);
		expire(holder);
	}
}

/* A signal to the process group of the tracer is not for the holder. */
static void leave_group(void)
{
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, EXEC_HOLDER_NAME);
}

/* An exec is refused when the kernel finds no free descriptor for the holder. So where the limit
 * cannot be raised, fewer execs wait. Returns how many may; negative: the limit is too low. */
static int allow_descriptors(void)
{
	struct rlimit limit, wanted;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	wanted = (struct rlimit){DESCRIPTORS_WANTED, limit.rlim_max};
	if (limit.rlim_max < DESCRIPTORS_WANTED)
		wanted.rlim_max = DESCRIPTORS_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &wanted)) {
		wanted = (struct rlimit){limit.rlim_max, limit.rlim_max};
		if (setrlimit(RLIMIT_NOFILE, &wanted))
			return -errno;
	}
	return (int)wanted.rlim_cur - DESCRIPTORS_KEPT;
}

static int confine(pid_t tracer)
{
	struct privilege_needs needs = {.holds_execs = true};
	struct error ignored;
	int code = privilege__drop(&needs, &ignored);

	if (code)
		return code;
	if (!child_process__end_with(tracer))
		return -ESRCH;
	return seccomp__confine(&needs, &ignored);
}

_Noreturn void exec_holder__run(int fanotify_fd, int socket, const struct capture *capture,
				pid_t tracer)
{
	struct holder holder = {.capture = capture, .fanotify_fd = fanotify_fd, .socket = socket};
	const int kept[] = {fanotify_fd, socket, capture__wanted_pids_fd(capture)};
	int max = allow_descriptors();

	if (max <= 0 || !child_process__end_with(tracer))
		_exit(1);
	holder.max = (size_t)max;
	leave_group();
	if (child_process__close_others(kept, 3) || confine(tracer) ||
	    send(socket, "r", 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	serve(&holder);
}
