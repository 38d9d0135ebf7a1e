// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/thread_times.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "threads.skel.h"

enum { RECORDS_STEP = 4096, RECORDS_MAX = 1 << 23 };

struct thread_times {
	struct threads_bpf *skeleton;
	struct bpf_link *link;
};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* A fixed part of the kernel's interface. */
#define INITIAL_PID_NAMESPACE 0xeffffffcU

static void choose_namespace(struct threads_bpf *skeleton)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status) == 0 && status.st_ino != INITIAL_PID_NAMESPACE)
		skeleton->rodata->namespace_inode = (uint32_t)status.st_ino;
}

static int open_skeleton(struct thread_times *times)
{
	int code;

	times->skeleton = threads_bpf__open();
	if (!times->skeleton)
		return -errno;
	choose_namespace(times->skeleton);
	code = threads_bpf__load(times->skeleton);
	if (code)
		return code;
	times->link = bpf_program__attach_iter(times->skeleton->progs.each_thread, NULL);
	return times->link ? 0 : -errno;
}

int thread_times__open(struct thread_times **out, struct error *err)
{
	struct thread_times *times = calloc(1, sizeof(*times));
	int code;

	if (!times)
		return error__set(err, -ENOMEM, "out of memory");
	libbpf_set_print(say_nothing);
	code = open_skeleton(times);
	if (code) {
		thread_times__close(times);
		return error__set(err, code,
				  "the kernel does not permit the BPF program that lists threads: "
				  "%s",
				  strerror(-code));
	}
	*out = times;
	return 0;
}

void thread_times__close(struct thread_times *times)
{
	if (!times)
		return;
	bpf_link__destroy(times->link);
	threads_bpf__destroy(times->skeleton);
	free(times);
}

/* ---- the list */

static int make_room(struct thread_list *list, size_t *room)
{
	struct thread_record *moved;

	if (*room - list->count >= RECORDS_STEP / 2)
		return 0;
	*room += RECORDS_STEP + *room / 2;
	moved = *room <= RECORDS_MAX ? realloc(list->items, *room * sizeof(*moved)) : NULL;
	if (!moved)
		return -ENOMEM;
	list->items = moved;
	return 0;
}

/* The kernel never splits a record. */
static int read_all(int fd, struct thread_list *list)
{
	size_t room = 0;
	ssize_t bytes;

	do {
		int code = make_room(list, &room);

		if (code)
			return code;
		bytes = read(fd, &list->items[list->count],
			     (room - list->count) * sizeof(*list->items));
		if (bytes > 0)
			list->count += (size_t)bytes / sizeof(*list->items);
	} while (bytes > 0 || (bytes < 0 && (errno == EAGAIN || errno == EINTR)));
	return bytes < 0 ? -errno : 0;
}

static int by_tid(const void *one, const void *other)
{
	const struct thread_record *first = one, *second = other;

	return (first->tid > second->tid) - (first->tid < second->tid);
}

int thread_times__list(struct thread_times *times, struct thread_list *list)
{
	int fd, code;

	*list = (struct thread_list){0};
	if (!times)
		return 0;
	fd = bpf_iter_create(bpf_link__fd(times->link));
	if (fd < 0)
		return fd;
	sched_yield(); /* the kernel reads the clock of this processor's run queue */
	code = read_all(fd, list);
	close(fd);
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_tid);
	return code;
}

void thread_list__free(struct thread_list *list)
{
	free(list->items);
	*list = (struct thread_list){0};
}

const struct thread_record *thread_list__find(const struct thread_list *list, pid_t tid)
{
	const struct thread_record key = {.tid = (uint32_t)tid};

	return list->count ? bsearch(&key, list->items, list->count, sizeof(key), by_tid) : NULL;
}
