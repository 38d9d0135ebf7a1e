// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "steptrace/capture/capture_private.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/stream/event.h"

enum { RELEASE_RECORDS = 64 }; /* read, before the kernel has their room back */

/* The last thing that libbpf had to say, for the message when loading fails. */
static char libbpf_words[512];

static int keep_words(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !libbpf_words[0])
		vsnprintf(libbpf_words, sizeof(libbpf_words), format, args);
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

static bool is_needed(const struct capture_options *options, int probe)
{
	return probes[probe].captured && !(options->ends_only && probes[probe].event == EVENT_NONE);
}

static void choose_programs(struct capture *capture, const struct capture_options *options)
{
	for (int i = 0; i < PROBES_COUNT; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(capture->skeleton->obj, probes[i].name);

		if (!program || !is_needed(options, i))
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

/* ---- ring buffers */

static size_t ring_bytes(const struct capture_options *options)
{
	return options->buffer_bytes / options->rings_count;
}

static int make_ring(const struct capture_options *options)
{
	return bpf_map_create(BPF_MAP_TYPE_RINGBUF, "records", 0, 0, (uint32_t)ring_bytes(options),
			      NULL);
}

/* Before loading. The first of those beside `records` tells the kernel what they are like. */
static int choose_rings(struct capture *capture, const struct capture_options *options)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	uint32_t bytes = (uint32_t)ring_bytes(options);

	bpf_map__set_max_entries(skeleton->maps.records, bytes);
	skeleton->rodata->wakeup_bytes = bytes / 4;
	skeleton->rodata->rings_mask = (uint32_t)options->rings_count - 1;
	if (options->rings_count == 1)
		return bpf_map__set_autocreate(skeleton->maps.rings, false);
	for (size_t i = 1; i < options->rings_count; i++) {
		capture->ring_fds[i] = make_ring(options);
		if (capture->ring_fds[i] < 0)
			return capture->ring_fds[i];
	}
	return bpf_map__set_inner_map_fd(skeleton->maps.rings, capture->ring_fds[1]);
}

static int open_ring(struct capture *capture, size_t bytes)
{
	uint32_t index = (uint32_t)capture->rings.count;
	struct epoll_event event = {.events = EPOLLIN};
	int fd = capture->ring_fds[index];
	int code = ring__open(&capture->ring_items[index], fd, bytes);

	if (code)
		return code;
	capture->rings.count++;
	if (epoll_ctl(capture->wakeup_fd, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	if (bpf_map__autocreate(capture->skeleton->maps.rings) &&
	    bpf_map_update_elem(bpf_map__fd(capture->skeleton->maps.rings), &index, &fd, BPF_ANY))
		return -errno;
	return 0;
}

static int open_rings(struct capture *capture, const struct capture_options *options)
{
	int code = 0;

	capture->ring_fds[0] = bpf_map__fd(capture->skeleton->maps.records);
	capture->rings.items = capture->ring_items;
	capture->wakeup_fd = epoll_create1(EPOLL_CLOEXEC);
	if (capture->wakeup_fd < 0)
		return -errno;
	while (!code && capture->rings.count < options->rings_count)
		code = open_ring(capture, ring_bytes(options));
	return code;
}

static void close_rings(struct capture *capture)
{
	for (size_t i = 0; i < capture->rings.count; i++)
		ring__close(&capture->ring_items[i]);
	for (size_t i = 1; i < RINGS_MAX; i++)
		if (capture->ring_fds[i] > 0)
			close(capture->ring_fds[i]);
	if (capture->wakeup_fd >= 0)
		close(capture->wakeup_fd);
}

static int load(struct capture *capture, const struct capture_options *options)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	int code;

	choose_programs(capture, options);
	choose_watchers(skeleton, options);
	choose_namespace(skeleton);
	code = choose_rings(capture, options);
	if (code)
		return code;
	if (options->filters)
		skeleton->rodata->filters = *options->filters;
	code = steptrace_bpf__load(skeleton);
	return code ? code : open_rings(capture, options);
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

/* For as long as we live: libbpf 1.1 frees its table when the last handler is taken back, and again when
 * the next one is registered. */
static bool handle_iterator(long function_id)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .cookie = function_id,
		    .prog_prepare_load_fn = name_iterator);
	static bool is_handled;

	if (!is_handled)
		is_handled = libbpf_register_prog_handler("iter/task_vma", BPF_PROG_TYPE_TRACING,
							  BPF_TRACE_ITER, &handler) >= 0;
	return is_handled;
}

static struct steptrace_bpf *open_with_types(struct capture *capture)
{
	const struct kernel_types *types = &capture->types;
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = types->path);
	struct steptrace_bpf *skeleton;

	if (!handle_iterator(types->function_id))
		return NULL;
	skeleton = steptrace_bpf__open_opts(&options);
	if (skeleton)
		bpf_program__set_attach_target(skeleton->progs.each_mapping, types->fd, NULL);
	return skeleton;
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
	capture->types.fd = capture->wakeup_fd = -1;
	libbpf_set_print(keep_words);
	libbpf_words[0] = 0;
	capture->method = options->avoids_multi ? UPROBE_PERF : uprobe__probe_method();
	code = open_skeleton(capture);
	if (code)
		goto close_capture;
	code = load(capture, options);
	kernel_types__close(&capture->types);
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
	close_rings(capture);
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
	return capture->wakeup_fd;
}

/* What stood there before we came, and for how long. */
static void note_peaks(struct capture *capture, const struct steptrace_record *oldest)
{
	uint64_t now_ns = capture->rings.looked_ns;
	uint64_t lag_ns = oldest && oldest->time_ns < now_ns ? now_ns - oldest->time_ns : 0;

	if (lag_ns > capture->peaks.lag_ns)
		capture->peaks.lag_ns = lag_ns;
}

static void look(struct capture *capture)
{
	uint64_t unread_bytes = rings__unread_bytes(&capture->rings);

	rings__look(&capture->rings, clock__now_ns());
	if (unread_bytes > capture->peaks.unread_bytes)
		capture->peaks.unread_bytes = unread_bytes;
}

int capture__drain(struct capture *capture, record_fn *each, void *context, int limit)
{
	const void *record;
	int given = 0, code = 0;
	size_t size_bytes;

	look(capture);
	while (code == 0 && given < limit) {
		record = rings__next(&capture->rings, &size_bytes);
		if (!record)
			break;
		if (given == 0 && size_bytes >= sizeof(struct steptrace_record))
			note_peaks(capture, record);
		given++;
		code = each(context, record, size_bytes);
		if (given % RELEASE_RECORDS == 0)
			rings__release(&capture->rings);
	}
	rings__release(&capture->rings);
	return code < 0 ? code : given;
}

void capture__mark_unread(struct capture *capture)
{
	rings__mark(&capture->rings);
}

bool capture__has_read_to_mark(const struct capture *capture)
{
	return rings__passed_mark(&capture->rings);
}

void capture__take_peaks(struct capture *capture, struct capture_peaks *peaks)
{
	*peaks = capture->peaks;
	peaks->ring_bytes = rings__size_bytes(&capture->rings);
	capture->peaks = (struct capture_peaks){.lag_ns = 0};
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
			sum->degraded[probe] += rows[row].degraded[probe];
		}
		sum->missed[probe] = missed_by(capture->programs[probe]);
	}
}

void capture__degrade(struct capture *capture, uint32_t probes_mask, uint32_t sample_every)
{
	uint32_t degradation = probes_mask | (sample_every - 1) << DEGRADE_SAMPLE_SHIFT;

	__atomic_store_n(&capture->skeleton->bss->degradation, degradation, __ATOMIC_RELAXED);
}
