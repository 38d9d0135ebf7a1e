// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "steptrace/capture/capture_private.h"

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

enum known_file capture__known_file(const struct capture *capture,
				    const struct steptrace_file *file)
{
	uint8_t value = 0;

	bpf_map__lookup_elem(capture->skeleton->maps.known_files, file, sizeof(*file), &value,
			     sizeof(value), 0);
	return (enum known_file)value;
}

/* A link of the iterator over the mappings of all processes, or only of thread `tid` (0: all).
 * Kernels before 6.1 cannot limit it to one thread: there it walks over all. */
static struct bpf_link *iterator(struct capture *capture, uint32_t tid)
{
	union bpf_iter_link_info which = {.task = {.tid = tid}};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = tid ? &which : NULL,
		    .link_info_len = tid ? sizeof(which) : 0);
	struct bpf_program *program = capture->skeleton->progs.each_mapping;
	struct bpf_link *link = bpf_program__attach_iter(program, &options);

	return link || !tid ? link : bpf_program__attach_iter(program, NULL);
}

enum { MAPPINGS_STEP = 512, MAPPINGS_MAX = 1 << 20 };

/* Reads until the end of the iterator. */
static ssize_t read_mappings(int fd, struct steptrace_mapping **mappings)
{
	size_t count = 0, room = 0;
	ssize_t bytes;

	*mappings = NULL;
	do {
		if (room - count < MAPPINGS_STEP) {
			struct steptrace_mapping *more = NULL;

			room += MAPPINGS_STEP + room / 2;
			if (room <= MAPPINGS_MAX)
				more = realloc(*mappings, room * sizeof(*more));
			if (!more)
				return -ENOMEM;
			*mappings = more;
		}
		bytes = read(fd, &(*mappings)[count], (room - count) * sizeof(**mappings));
		if (bytes > 0) /* the kernel never splits a mapping */
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
		capture->all_mappings = iterator(capture, 0);
	if (!capture->all_mappings)
		return -errno;
	return iterate(capture->all_mappings, mappings);
}

ssize_t capture__mappings_of(struct capture *capture, const struct steptrace_file *file,
			     struct steptrace_mapping **mappings)
{
	struct steptrace_file *asked = &capture->skeleton->bss->asked_file;
	ssize_t count;

	asked->file_system = file->file_system;
	__atomic_store_n(&asked->inode, file->inode, __ATOMIC_SEQ_CST);
	count = capture__mappings(capture, mappings);
	__atomic_store_n(&asked->inode, 0, __ATOMIC_SEQ_CST);
	return count;
}

/* Asks the iterator behind `link` which file is mapped at the address in thread `tid`. */
static int ask(struct capture *capture, struct bpf_link *link, uint32_t tid, uint64_t address,
	       struct steptrace_mapping *mapping)
{
	struct steptrace_bpf__bss *shared = capture->skeleton->bss;
	struct steptrace_mapping *mappings = NULL;
	ssize_t count;

	__atomic_store_n(&shared->asked_tid, tid, __ATOMIC_SEQ_CST);
	__atomic_store_n(&shared->asked_address, address, __ATOMIC_SEQ_CST);
	count = link ? iterate(link, &mappings) : -errno;
	__atomic_store_n(&shared->asked_address, 0, __ATOMIC_SEQ_CST);
	if (count > 0)
		*mapping = mappings[0];
	free(mappings);
	if (count < 0)
		return (int)count;
	return count > 0 ? 0 : -ENOENT;
}

int capture__mapping_at(struct capture *capture, uint32_t tid, uint64_t address,
			struct steptrace_mapping *mapping)
{
	struct bpf_link *link = iterator(capture, tid);
	int code = ask(capture, link, tid, address, mapping);

	bpf_link__destroy(link);
	return code;
}

/* Maps the first page of the file and asks for its own mapping. */
int capture__identify(struct capture *capture, int fd, struct steptrace_file *file)
{
	void *page = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	uint32_t own = (uint32_t)gettid();
	struct steptrace_mapping mapping;
	int code;

	if (page == MAP_FAILED)
		return -errno;
	if (!capture->own_mappings)
		capture->own_mappings = iterator(capture, own);
	code = ask(capture, capture->own_mappings, own, (uint64_t)(uintptr_t)page, &mapping);
	munmap(page, 1);
	if (!code)
		*file = mapping.file;
	return code;
}
