// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steptrace/capture/capture_private.h"

int capture__attach(struct bpf_program *program, struct bpf_link **link)
{
	if (!bpf_program__autoload(program))
		return 0;
	*link = bpf_program__attach(program);
	return *link ? 0 : -errno;
}

int capture__watch_processes(struct capture *capture, struct error *err)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	int code;

	/* A kernel without the tracepoint is no error: the path is looked at now and then, too. */
	capture__attach(skeleton->progs.cgroup_made, &skeleton->links.cgroup_made);
	code = capture__attach(skeleton->progs.process_forked, &skeleton->links.process_forked);
	if (!code)
		code = capture__attach(skeleton->progs.process_ended,
				       &skeleton->links.process_ended);
	if (!code)
		code = capture__attach(skeleton->progs.process_execed,
				       &skeleton->links.process_execed);
	return code ? error__set(err, code, "cannot watch execs and exits of processes: %s",
				 strerror(-code))
		    : 0;
}

/* Makes the entry of a thread in the map `threads`, as the BPF programs do, and removes it. */
static int try_entry(const struct bpf_map *threads)
{
	int fd = bpf_map__fd(threads), thread = (int)syscall(SYS_pidfd_open, getpid(), 0), code;
	void *value;

	if (thread < 0)
		return -errno;
	value = calloc(1, bpf_map__value_size(threads));
	code = value ? bpf_map_update_elem(fd, &thread, value, BPF_ANY) : -ENOMEM;
	if (!code)
		bpf_map_delete_elem(fd, &thread);
	free(value);
	close(thread);
	return code;
}

enum { ENTRY_TRIES = 3 };

/* Linux 7 gets the memory without taking a lock, which needs an instruction. */
static int check_entries(const struct bpf_map *threads, struct error *err)
{
	int code = -ENOMEM;

	for (int i = 0; i < ENTRY_TRIES && code == -ENOMEM; i++)
		code = try_entry(threads);
	return code ? error__set(err, code,
				 "--breakdown cannot keep the times of a thread in the kernel: "
				 "%s%s",
				 strerror(-code),
				 code == -ENOMEM ? " (from Linux 7 on, this needs a processor with "
						   "the instruction cmpxchg16b)"
						 : "")
		    : 0;
}

int capture__watch_switches(struct capture *capture, struct error *err)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	int code;

	if (!bpf_program__autoload(skeleton->progs.thread_switched))
		return 0;
	code = check_entries(skeleton->maps.threads, err);
	if (code)
		return code;
	code = capture__attach(skeleton->progs.thread_woken, &skeleton->links.thread_woken);
	if (!code)
		code = capture__attach(skeleton->progs.thread_switched,
				       &skeleton->links.thread_switched);
	return code ? error__set(err, code, "cannot watch context switches for --breakdown: %s",
				 strerror(-code))
		    : 0;
}

int capture__want_pid(struct capture *capture, pid_t pid)
{
	struct steptrace_bpf__bss *shared = capture->skeleton->bss;
	uint32_t key = (uint32_t)pid;
	uint8_t yes = 1;
	int code = bpf_map__update_elem(capture->skeleton->maps.wanted_pids, &key, sizeof(key),
					&yes, sizeof(yes), BPF_NOEXIST);

	if (code == -EEXIST)
		return 0;
	if (code)
		return code == -E2BIG ? -ENOSPC : code;
	__atomic_fetch_add(&shared->wanted_pids_count, 1, __ATOMIC_SEQ_CST);
	if (!shared->first_wanted_pid)
		__atomic_store_n(&shared->first_wanted_pid, key, __ATOMIC_SEQ_CST);
	return 0;
}

void capture__unwant_pid(struct capture *capture, pid_t pid)
{
	struct steptrace_bpf__bss *shared = capture->skeleton->bss;
	uint32_t key = (uint32_t)pid;

	if (bpf_map__delete_elem(capture->skeleton->maps.wanted_pids, &key, sizeof(key), 0))
		return;
	__atomic_fetch_sub(&shared->wanted_pids_count, 1, __ATOMIC_SEQ_CST);
	if (shared->first_wanted_pid == key)
		__atomic_store_n(&shared->first_wanted_pid, 0, __ATOMIC_SEQ_CST);
}

bool capture__is_wanted(const struct capture *capture, pid_t pid)
{
	uint32_t key = (uint32_t)pid;
	uint8_t value;

	return bpf_map__lookup_elem(capture->skeleton->maps.wanted_pids, &key, sizeof(key), &value,
				    sizeof(value), 0) == 0;
}

bool capture__was_wanted(const struct capture *capture, pid_t pid, uint64_t at_ns)
{
	uint32_t key = (uint32_t)pid;
	uint64_t ended_ns;

	return capture__is_wanted(capture, pid) ||
	       (bpf_map__lookup_elem(capture->skeleton->maps.ended_pids, &key, sizeof(key),
				     &ended_ns, sizeof(ended_ns), 0) == 0 &&
		at_ns <= ended_ns);
}

int capture__wanted_pids_fd(const struct capture *capture)
{
	return bpf_map__fd(capture->skeleton->maps.wanted_pids);
}

uint32_t capture__wanted_count(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->wanted_pids_count, __ATOMIC_SEQ_CST);
}

uint64_t capture__process_records_lost(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->process_records_lost, __ATOMIC_SEQ_CST);
}

uint64_t capture__untraced_count(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->untraced_count, __ATOMIC_SEQ_CST);
}

void capture__count_untraced(struct capture *capture)
{
	__atomic_fetch_add(&capture->skeleton->bss->untraced_count, 1, __ATOMIC_SEQ_CST);
}

bool capture__has_run_attached(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->has_run_attached, __ATOMIC_SEQ_CST) != 0;
}

bool capture__has_unwatched(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->has_unwatched, __ATOMIC_SEQ_CST) != 0;
}

void capture__set_cgroup_id(struct capture *capture, uint64_t id)
{
	__atomic_store_n(&capture->skeleton->bss->wanted_cgroup_id, id, __ATOMIC_SEQ_CST);
}
