// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boundary.skel.h"
#include "steptrace/clock.h"
#include "steptrace/event.h"

struct capture {
	struct boundary *skeleton;
	struct bpf_program *programs[PROBES_COUNT]; /* NULL: not wanted */
	struct ring_buffer *ring;
	struct uprobe *uprobes;
	size_t uprobes_count;
	struct site_choice sites;
	enum site_kind site; /* of the last binary */
	enum uprobe_method method;

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
	if (code == -EPERM || code == -EACCES)
		return error__set(err, code,
				  "the kernel refuses to load the BPF program: this needs root, or "
				  "CAP_BPF and CAP_PERFMON (try: sudo steptrace ...)");
	libbpf_words[strcspn(libbpf_words, "\n")] = 0;
	return error__set(err, code, "cannot load the BPF program: %s (%s)", strerror(-code),
			  libbpf_words[0] ? libbpf_words : "libbpf gave no reason");
}

static void choose_programs(struct capture *capture)
{
	for (int i = 0; i < PROBES_COUNT; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(capture->skeleton->obj, probes[i].name);

		if (!program || probes[i].event == EVENT_NONE)
			continue;
		bpf_program__set_autoload(program, true);
		if (capture->method == UPROBE_MULTI)
			bpf_program__set_expected_attach_type(
				program, (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
		capture->programs[i] = program;
	}
}

static void choose_filter(struct boundary *skeleton, const struct capture_options *options)
{
	skeleton->rodata->filter_mode = FILTER_NONE;
	if (!options->pids)
		return;
	skeleton->rodata->filter_mode = options->pids_count == 1 ? FILTER_ONE_PID : FILTER_PIDS;
	skeleton->rodata->filter_pid = (uint32_t)options->pids[0];
	bpf_map__set_max_entries(skeleton->maps.wanted_pids, (uint32_t)options->pids_count);
}

/* The inode number of the initial pid namespace is part of the kernel's interface. */
#define INITIAL_PID_NAMESPACE 0xeffffffcU

static void choose_namespace(struct boundary *skeleton)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status) || status.st_ino == INITIAL_PID_NAMESPACE)
		return;
	skeleton->rodata->namespace_device = status.st_dev;
	skeleton->rodata->namespace_inode = status.st_ino;
}

static int fill_filter(struct boundary *skeleton, const struct capture_options *options)
{
	uint8_t yes = 1;

	for (size_t i = 0; i < options->pids_count; i++) {
		uint32_t pid = (uint32_t)options->pids[i];
		int code = bpf_map__update_elem(skeleton->maps.wanted_pids, &pid, sizeof(pid), &yes,
						sizeof(yes), BPF_ANY);

		if (code)
			return code;
	}
	return 0;
}

static int load(struct capture *capture, const struct capture_options *options)
{
	struct boundary *skeleton = capture->skeleton;
	int code;

	choose_programs(capture);
	choose_filter(skeleton, options);
	choose_namespace(skeleton);
	bpf_map__set_max_entries(skeleton->maps.records, (uint32_t)options->buffer_bytes);
	skeleton->rodata->wakeup_bytes = options->buffer_bytes / 4;
	code = boundary__load(skeleton);
	if (code)
		return code;
	code = fill_filter(skeleton, options);
	if (code)
		return code;
	capture->ring =
		ring_buffer__new(bpf_map__fd(skeleton->maps.records), on_record, capture, NULL);
	return capture->ring ? 0 : -errno;
}

static struct uprobe *room_for_uprobe(struct capture *capture)
{
	struct uprobe *uprobes;

	uprobes = realloc(capture->uprobes, (capture->uprobes_count + 1) * sizeof(*uprobes));
	if (!uprobes)
		return NULL;
	capture->uprobes = uprobes;
	return &uprobes[capture->uprobes_count];
}

/* The probes that measured our own sites are detached along with all others. */
static int take_over_measured(struct capture *capture)
{
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++) {
		struct uprobe *held = &capture->sites.held[kind];
		struct uprobe *room = held->fd >= 0 ? room_for_uprobe(capture) : NULL;

		if (held->fd < 0)
			continue;
		if (!room)
			return -ENOMEM;
		*room = *held;
		held->fd = -1;
		capture->uprobes_count++;
	}
	return 0;
}

int capture__open(const struct capture_options *options, struct capture **out, struct error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int code;

	if (!capture)
		return error__set(err, -ENOMEM, "out of memory");
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		capture->sites.held[kind].fd = -1;
	libbpf_set_print(keep_words);
	libbpf_words[0] = 0;
	capture->method = uprobe__probe_method();
	capture->skeleton = boundary__open();
	if (!capture->skeleton) {
		code = -errno;
		goto close_capture;
	}
	code = load(capture, options);
	if (code)
		goto close_capture;
	code = site__measure(&capture->sites);
	if (!code)
		code = take_over_measured(capture);
	if (code)
		goto close_capture;
	*out = capture;
	return 0;

close_capture:
	capture__close(capture);
	return load_error(code, err);
}

void capture__close(struct capture *capture)
{
	if (!capture)
		return;
	capture__detach(capture);
	site__release(&capture->sites);
	ring_buffer__free(capture->ring);
	boundary__destroy(capture->skeleton);
	free(capture);
}

static int attach_note(struct capture *capture, const struct binary *binary,
		       const struct probe_note *note)
{
	struct uprobe_place place = {.file_fd = binary->fd,
				     .semaphore_offset = note->semaphore_offset};
	struct uprobe *uprobe = room_for_uprobe(capture);
	int code;

	if (!uprobe)
		return -ENOMEM;
	capture->site = site__choose(&capture->sites, note->sites);
	place.offset = note->offset + sites[capture->site].offset;
	code = uprobe__attach(bpf_program__fd(capture->programs[note->probe]), capture->method,
			      &place, uprobe);
	if (code == 0)
		capture->uprobes_count++;
	return code;
}

int capture__attach(struct capture *capture, const struct binary *binary, struct error *err)
{
	size_t before = capture->uprobes_count;
	int code = 0;

	for (size_t i = 0; i < binary->notes.count && code == 0; i++) {
		const struct probe_note *note = &binary->notes.notes[i];

		if (!capture->programs[note->probe])
			continue;
		code = attach_note(capture, binary, note);
		if (code)
			error__set(err, code, "cannot attach to probe %s of '%s': %s%s",
				   probes[note->probe].name, binary->name, strerror(-code),
				   code == -EPERM || code == -EACCES
					   ? " (this needs root or CAP_SYS_ADMIN on this kernel)"
					   : "");
	}
	while (code && capture->uprobes_count > before)
		uprobe__detach(&capture->uprobes[--capture->uprobes_count]);
	return code;
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

static void *detach_one(void *uprobe)
{
	uprobe__detach(uprobe);
	return NULL;
}

enum { DETACHERS_MAX = 32 };

/* To detach is to wait until every processor has left the handler, some 30 ms for each probe: they
 * wait side by side. */
static void detach_some(struct uprobe *uprobes, size_t count)
{
	pthread_t threads[DETACHERS_MAX];
	size_t started = 0;

	while (started < count &&
	       pthread_create(&threads[started], NULL, detach_one, &uprobes[started]) == 0)
		started++;
	for (size_t i = started; i < count; i++)
		uprobe__detach(&uprobes[i]);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

/* The probes go one by one: from here on a command's start may go unseen while its steps are still
 * captured, so every record carries its context again. */
static void disarm(struct capture *capture)
{
	if (capture->skeleton && capture->skeleton->data)
		__atomic_store_n(&capture->skeleton->data->context_unknown_until_ns, UINT64_MAX,
				 __ATOMIC_SEQ_CST);
}

void capture__detach(struct capture *capture)
{
	disarm(capture);
	while (capture->uprobes_count > 0) {
		size_t count = capture->uprobes_count < DETACHERS_MAX ? capture->uprobes_count
								      : DETACHERS_MAX;

		capture->uprobes_count -= count;
		detach_some(&capture->uprobes[capture->uprobes_count], count);
	}
	free(capture->uprobes);
	capture->uprobes = NULL;
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
		}
		sum->missed[probe] = missed_by(capture->programs[probe]);
	}
}

void capture__use_site(struct capture *capture, enum site_kind site)
{
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		capture->sites.ns_per_hit[kind] = kind == (int)site;
}

enum site_kind capture__site(const struct capture *capture)
{
	return capture->site;
}

enum uprobe_method capture__method(const struct capture *capture)
{
	return capture->method;
}
