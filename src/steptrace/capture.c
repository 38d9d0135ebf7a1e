// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace.skel.h"
#include "steptrace/clock.h"
#include "steptrace/event.h"
#include "steptrace/kernel_types.h"
#include "steptrace/privilege.h"

struct capture {
	struct steptrace_bpf *skeleton;
	struct bpf_program *programs[PROBES_COUNT]; /* NULL: not wanted */
	struct ring_buffer *ring;
	struct bpf_link *all_mappings, *own_mappings;
	enum uprobe_method method;
	struct kernel_types types; /* these two while loading only */
	int iterator_handler;

	/* of the drain that is going on */
	record_fn *each;
	void *each_context;
	int given, limit, stopped_by;
};

enum { STOP_DRAINING = -1000 };

/* The last thing that libbpf had to say, for the message when loading fails. */
static char libbpf_words[512];

static int keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !libbpf_words[0])
		vsnprintf(libbpf_words, sizeof(libbpf_words), format, args);
	return 0;
}

static int on_record(void *context, void *bytes, size_t size_bytes)
{
	struct capture *capture = context;

	capture->given++;
	capture->stopped_by = capture->each(capture->each_context, bytes, size_bytes);
	if (capture->stopped_by || capture->given >= capture->limit)
		return STOP_DRAINING;
	return 0;
}

static int load_error(int code, struct error *err)
{
	char missing[512];

	if (privilege__missing(missing, sizeof(missing)))
		return error__set(err, code, "the kernel does not let us load BPF programs; %s",
				  missing);
	libbpf_words[strcspn(libbpf_words, "\n")] = 0;
	return error__set(err, code, "cannot load the BPF program: %s (%s)%s", strerror(-code),
			  libbpf_words[0] ? libbpf_words : "libbpf gave no reason",
			  code == -EINVAL ? "; Linux 5.12 is the oldest that takes it" : "");
}

static void choose_programs(struct capture *capture)
{
	for (int i = 0; i < PROBES_COUNT; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(capture->skeleton->obj, probes[i].name);

		if (!program || !probes[i].captured)
			continue;
		bpf_program__set_autoload(program, true);
		if (capture->method == UPROBE_MULTI)
			bpf_program__set_expected_attach_type(
				program, (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
		capture->programs[i] = program;
	}
}

/* The inode number of the initial pid namespace is part of the kernel's interface. */
#define INITIAL_PID_NAMESPACE 0xeffffffcU

static void choose_namespace(struct steptrace_bpf *skeleton)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status) || status.st_ino == INITIAL_PID_NAMESPACE)
		return;
	skeleton->rodata->namespace_device = status.st_dev;
	skeleton->rodata->namespace_inode = status.st_ino;
}

/* Forks matter only where the set of processes does. */
static void choose_watchers(struct steptrace_bpf *skeleton, const struct capture_options *options)
{
	skeleton->rodata->only_wanted_pids = options->only_wanted_pids;
	bpf_program__set_autoload(skeleton->progs.process_execed, true);
	bpf_program__set_autoload(skeleton->progs.process_ended, true);
	bpf_program__set_autoload(skeleton->progs.process_forked, options->only_wanted_pids);
	bpf_program__set_autoload(skeleton->progs.each_mapping, true);
	if (!options->only_wanted_pids)
		bpf_map__set_max_entries(skeleton->maps.wanted_pids, 1);
}

static int load(struct capture *capture, const struct capture_options *options)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	int code;

	choose_programs(capture);
	choose_watchers(skeleton, options);
	choose_namespace(skeleton);
	bpf_map__set_max_entries(skeleton->maps.records, (uint32_t)options->buffer_bytes);
	skeleton->rodata->wakeup_bytes = options->buffer_bytes / 4;
	if (options->filters)
		skeleton->rodata->filters = *options->filters;
	code = steptrace_bpf__load(skeleton);
	if (code)
		return code;
	capture->ring =
		ring_buffer__new(bpf_map__fd(skeleton->maps.records), on_record, capture, NULL);
	return capture->ring ? 0 : -errno;
}

/* To libbpf the iterator is attached to a program (which one does not matter), for which it need
 * not look into all of the kernel's types: its number is known already. */
static int name_iterator(struct bpf_program *program, struct bpf_prog_load_opts *options,
			 long function_id)
{
	(void)program;
	options->attach_prog_fd = 0;
	options->attach_btf_id = (uint32_t)function_id;
	return 0;
}

static struct steptrace_bpf *open_with_types(struct capture *capture)
{
	const struct kernel_types *types = &capture->types;
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .cookie = types->function_id,
		    .prog_prepare_load_fn = name_iterator);
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = types->path);
	struct steptrace_bpf *skeleton;

	capture->iterator_handler = libbpf_register_prog_handler(
		"iter/task_vma", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, &handler);
	if (capture->iterator_handler < 0)
		return NULL;
	skeleton = steptrace_bpf__open_opts(&options);
	if (skeleton)
		bpf_program__set_attach_target(skeleton->progs.each_mapping, types->fd, NULL);
	return skeleton;
}

static void forget_types(struct capture *capture)
{
	kernel_types__close(&capture->types);
	if (capture->iterator_handler >= 0)
		libbpf_unregister_prog_handler(capture->iterator_handler);
	capture->iterator_handler = -1;
}

/* With the few types that its programs name; what these are, only an open one tells. */
static int open_skeleton(struct capture *capture)
{
	struct steptrace_bpf *skeleton = steptrace_bpf__open(), *better = NULL;
	const struct btf *named = skeleton ? bpf_object__btf(skeleton->obj) : NULL;

	if (!skeleton)
		return -errno;
	if (kernel_types__open(&capture->types, named, "bpf_iter_task_vma") == 0)
		better = open_with_types(capture);
	if (better)
		steptrace_bpf__destroy(skeleton);
	capture->skeleton = better ? better : skeleton;
	return 0;
}

int capture__open(const struct capture_options *options, struct capture **out, struct error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int code;

	if (!capture)
		return error__set(err, -ENOMEM, "out of memory");
	capture->types.fd = capture->iterator_handler = -1;
	libbpf_set_print(keep_words);
	libbpf_words[0] = 0;
	capture->method = options->avoids_multi ? UPROBE_PERF : uprobe__probe_method();
	code = open_skeleton(capture);
	if (code)
		goto close_capture;
	code = load(capture, options);
	forget_types(capture);
	if (code)
		goto close_capture;
	malloc_trim(0); /* loading parsed the types of the whole kernel */
	*out = capture;
	return 0;

close_capture:
	load_error(code, err);
	capture__close(capture);
	return code;
}

void capture__close(struct capture *capture)
{
	if (!capture)
		return;
	bpf_link__destroy(capture->all_mappings);
	bpf_link__destroy(capture->own_mappings);
	ring_buffer__free(capture->ring);
	steptrace_bpf__destroy(capture->skeleton);
	free(capture);
}

int capture__program_fd(const struct capture *capture, enum steptrace_probe probe)
{
	return capture->programs[probe] ? bpf_program__fd(capture->programs[probe]) : -1;
}

enum uprobe_method capture__method(const struct capture *capture)
{
	return capture->method;
}

/* The kernel program moves the moment forward at every loss, but not past "for ever", which it is
 * until the first store here; the second one covers a loss in between. */
void capture__armed(struct capture *capture)
{
	__u64 *until_ns = &capture->skeleton->data->context_unknown_until_ns;
	__u64 seen, now;

	__atomic_store_n(until_ns, clock__now_ns(), __ATOMIC_SEQ_CST);
	now = clock__now_ns();
	seen = __atomic_load_n(until_ns, __ATOMIC_SEQ_CST);
	while (seen < now && !__atomic_compare_exchange_n(until_ns, &seen, now, 0, __ATOMIC_SEQ_CST,
							  __ATOMIC_SEQ_CST))
		continue;
}

int capture__wakeup_fd(const struct capture *capture)
{
	return ring_buffer__epoll_fd(capture->ring);
}

int capture__drain(struct capture *capture, record_fn *each, void *context, int limit)
{
	int code;

	capture->each = each;
	capture->each_context = context;
	capture->given = 0;
	capture->limit = limit;
	capture->stopped_by = 0;
	code = ring_buffer__consume(capture->ring);
	if (capture->stopped_by < 0)
		return capture->stopped_by;
	if (code < 0 && code != STOP_DRAINING)
		return code;
	return capture->given;
}

/* The probes go one by one: from here on a command's start may go unseen while its steps are still
 * captured, so every record carries its context again. */
void capture__disarm(struct capture *capture)
{
	__atomic_store_n(&capture->skeleton->data->context_unknown_until_ns, UINT64_MAX,
			 __ATOMIC_SEQ_CST);
}

const uint64_t *capture__last_lost_ns(const struct capture *capture)
{
	return (const uint64_t *)capture->skeleton->bss->last_lost_ns;
}

static uint64_t missed_by(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	if (!program || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes))
		return 0;
	return info.recursion_misses;
}

void capture__counts(const struct capture *capture, struct capture_counts *sum)
{
	const struct steptrace_counts *rows = capture->skeleton->bss->counts;

	memset(sum, 0, sizeof(*sum));
	for (int probe = 0; probe < PROBES_COUNT; probe++) {
		for (int row = 0; row < COUNT_ROWS; row++) {
			sum->hits[probe] += rows[row].hits[probe];
			sum->full[probe] += rows[row].full[probe];
			sum->unreadable[probe] += rows[row].unreadable[probe];
			sum->filtered[probe] += rows[row].filtered[probe];
		}
		sum->missed[probe] = missed_by(capture->programs[probe]);
	}
}

/* ---- processes */

static int watch(struct bpf_program *program, struct bpf_link **link)
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

	code = watch(skeleton->progs.process_forked, &skeleton->links.process_forked);
	if (!code)
		code = watch(skeleton->progs.process_ended, &skeleton->links.process_ended);
	if (!code)
		code = watch(skeleton->progs.process_execed, &skeleton->links.process_execed);
	return code ? error__set(err, code, "cannot watch processes: %s", strerror(-code)) : 0;
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

uint32_t capture__wanted_count(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->wanted_pids_count, __ATOMIC_SEQ_CST);
}

uint64_t capture__process_records_lost(const struct capture *capture)
{
	return __atomic_load_n(&capture->skeleton->bss->process_records_lost, __ATOMIC_SEQ_CST);
}

/* ---- files */

void capture__know_file(struct capture *capture, const struct steptrace_file *file,
			enum known_file known)
{
	uint8_t value = (uint8_t)known;

	bpf_map__update_elem(capture->skeleton->maps.known_files, file, sizeof(*file), &value,
			     sizeof(value), BPF_ANY);
}

bool capture__was_execed(struct capture *capture, const struct steptrace_file *file)
{
	uint8_t value = 0;

	if (bpf_map__lookup_elem(capture->skeleton->maps.known_files, file, sizeof(*file), &value,
				 sizeof(value), 0) ||
	    value != FILE_EXECED)
		return false;
	capture__know_file(capture, file, FILE_ATTACHED);
	return true;
}

void capture__forget_file(struct capture *capture, const struct steptrace_file *file)
{
	bpf_map__delete_elem(capture->skeleton->maps.known_files, file, sizeof(*file), 0);
}

/* The iterator over all processes, or over our own alone (which kernels before 6.1 cannot narrow
 * down: they walk over all, too). */
static struct bpf_link *iterator(struct capture *capture, bool own)
{
	union bpf_iter_link_info which = {.task = {.pid = (uint32_t)getpid()}};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = own ? &which : NULL,
		    .link_info_len = own ? sizeof(which) : 0);
	struct bpf_program *program = capture->skeleton->progs.each_mapping;
	struct bpf_link *link = bpf_program__attach_iter(program, &options);

	return link || !own ? link : bpf_program__attach_iter(program, NULL);
}

enum { MAPPINGS_STEP = 512, MAPPINGS_MAX = 1 << 20 };

/* Everything that the iterator has to say. */
static ssize_t read_mappings(int fd, struct steptrace_mapping **mappings)
{
	size_t count = 0, room = 0;
	ssize_t bytes;

	*mappings = NULL;
	do {
		if (room - count < MAPPINGS_STEP) {
			struct steptrace_mapping *more;

			room += MAPPINGS_STEP + room / 2;
			more = realloc(*mappings, room * sizeof(*more));
			if (!more || room > MAPPINGS_MAX)
				return -ENOMEM;
			*mappings = more;
		}
		bytes = read(fd, &(*mappings)[count], (room - count) * sizeof(**mappings));
		if (bytes > 0) /* the kernel hands over whole ones: its buffer ends with one */
			count += (size_t)bytes / sizeof(**mappings);
	} while (bytes > 0 || (bytes < 0 && (errno == EAGAIN || errno == EINTR)));
	return bytes < 0 ? -errno : (ssize_t)count;
}

static ssize_t iterate(struct bpf_link *link, struct steptrace_mapping **mappings)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	ssize_t count;

	*mappings = NULL;
	if (fd < 0)
		return fd;
	count = read_mappings(fd, mappings);
	close(fd);
	if (count >= 0)
		return count;
	free(*mappings);
	*mappings = NULL;
	return count;
}

ssize_t capture__mappings(struct capture *capture, struct steptrace_mapping **mappings)
{
	if (!capture->all_mappings)
		capture->all_mappings = iterator(capture, false);
	if (!capture->all_mappings)
		return -errno;
	return iterate(capture->all_mappings, mappings);
}

/* Our own mapping of its first page, looked at with the kernel's eyes. */
int capture__identify(struct capture *capture, int fd, struct steptrace_file *file)
{
	uint64_t *asked = (uint64_t *)&capture->skeleton->bss->asked_address;
	struct steptrace_mapping *mappings;
	void *page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	ssize_t count;

	if (page == MAP_FAILED)
		return -errno;
	if (!capture->own_mappings)
		capture->own_mappings = iterator(capture, true);
	__atomic_store_n(asked, (uint64_t)(uintptr_t)page, __ATOMIC_SEQ_CST);
	count = capture->own_mappings ? iterate(capture->own_mappings, &mappings) : -errno;
	__atomic_store_n(asked, 0, __ATOMIC_SEQ_CST);
	munmap(page, 1);
	if (count < 0)
		return (int)count;
	if (count > 0)
		*file = mappings[0].file;
	free(mappings);
	return count > 0 ? 0 : -ENOENT;
}
