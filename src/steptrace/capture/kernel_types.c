// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/kernel_types.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ALL_TYPES "/sys/kernel/btf/vmlinux"

/* ---- one type with the types of its members, without the types that pointers lead to */

struct copier {
	const struct btf *from;
	struct btf *to;
	int *copies; /* by id in `from`; 0: not copied yet */
};

static int copy(struct copier *copier, unsigned int id);

static int copy_members(struct copier *copier, const struct btf_type *type, int *copies)
{
	const struct btf_member *members = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		copies[i] = copy(copier, members[i].type);
		if (copies[i] < 0)
			return copies[i];
	}
	return 0;
}

static void point_members_to(struct btf *btf, int id, const int *copies)
{
	struct btf_type *type = (struct btf_type *)btf__type_by_id(btf, (unsigned int)id);
	struct btf_member *members = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++)
		members[i].type = (unsigned int)copies[i];
}

/* Copies the types of the members first. No structure contains itself, so this ends. */
static int copy_composite(struct copier *copier, const struct btf_type *type)
{
	int *copies = calloc((size_t)btf_vlen(type) + 1, sizeof(*copies));
	int id;

	if (!copies)
		return -ENOMEM;
	id = copy_members(copier, type, copies);
	if (id == 0)
		id = btf__add_type(copier->to, copier->from, type);
	if (id > 0)
		point_members_to(copier->to, id, copies);
	free(copies);
	return id;
}

static int copy_array(struct copier *copier, const struct btf_type *type)
{
	const struct btf_array *array = btf_array(type);
	int index = copy(copier, array->index_type);
	int element = index < 0 ? index : copy(copier, array->type);

	return element < 0
		       ? element
		       : btf__add_array(copier->to, index, element, (unsigned int)array->nelems);
}

static int copy_new(struct copier *copier, const struct btf_type *type)
{
	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION: return copy_composite(copier, type);
	case BTF_KIND_ARRAY: return copy_array(copier, type);
	case BTF_KIND_PTR: return btf__add_ptr(copier->to, 0);
	case BTF_KIND_TYPEDEF: /* these only lead to another type, which is used instead */
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG: return copy(copier, type->type);
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FWD: return btf__add_type(copier->to, copier->from, type);
	default: return -EOPNOTSUPP;
	}
}

static int copy(struct copier *copier, unsigned int id)
{
	const struct btf_type *type = btf__type_by_id(copier->from, id);

	if (!type)
		return -EBADMSG;
	if (id == 0 || copier->copies[id])
		return copier->copies[id];
	copier->copies[id] = copy_new(copier, type);
	return copier->copies[id];
}

/* ---- which types */

struct names {
	const char **sorted;
	size_t count;
};

static int compare(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int list_names(struct names *names, const struct btf *wanted)
{
	unsigned int count = btf__type_cnt(wanted);

	names->count = 0;
	names->sorted = calloc(count, sizeof(*names->sorted));
	if (!names->sorted)
		return -ENOMEM;
	for (unsigned int id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(wanted, id);

		if (btf_is_struct(type) && type->name_off)
			names->sorted[names->count++] = btf__name_by_offset(wanted, type->name_off);
	}
	qsort(names->sorted, names->count, sizeof(*names->sorted), compare);
	return 0;
}

static bool is_one_of(const struct names *names, const char *name)
{
	return bsearch(&name, names->sorted, names->count, sizeof(*names->sorted), compare);
}

/* Walks through all types of the kernel. */
static int copy_named(struct copier *copier, const struct names *names, const char *function)
{
	unsigned int count = btf__type_cnt(copier->from);
	int function_id = 0;

	for (unsigned int id = 1; id < count; id++) {
		const struct btf_type *type = btf__type_by_id(copier->from, id);
		const char *name = btf__name_by_offset(copier->from, type->name_off);
		int made = 0;

		if (btf_is_func(type) && strcmp(name, function) == 0)
			function_id = (int)id;
		else if (btf_is_struct(type) && is_one_of(names, name))
			made = copy(copier, id);
		if (made < 0)
			return made;
	}
	return function_id;
}

int kernel_types__copy(struct btf *few, const struct btf *all, const struct btf *wanted,
		       const char *function)
{
	struct copier copier = {
		.from = all,
		.to = few,
		.copies = calloc(btf__type_cnt(all), sizeof(*copier.copies)),
	};
	struct names names = {0};
	int code = copier.copies ? list_names(&names, wanted) : -ENOMEM;

	if (code == 0)
		code = copy_named(&copier, &names, function);
	free(names.sorted);
	free(copier.copies);
	return code;
}

/* ---- all types of the kernel: mapped, or read (before Linux 6.16 they cannot be mapped) */

struct bytes {
	void *at;
	size_t count;
};

static int read_all(int fd, const struct bytes *bytes)
{
	size_t done = 0;

	while (done < bytes->count) {
		ssize_t got = read(fd, (char *)bytes->at + done, bytes->count - done);

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

static int map_or_read(int fd, struct bytes *bytes)
{
	struct stat status;
	int code;

	if (fstat(fd, &status))
		return -errno;
	bytes->count = (size_t)status.st_size;
	bytes->at = mmap(NULL, bytes->count, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes->at != MAP_FAILED)
		return 0;
	bytes->at = mmap(NULL, bytes->count, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (bytes->at == MAP_FAILED)
		return -errno;
	code = read_all(fd, bytes);
	if (code)
		munmap(bytes->at, bytes->count);
	return code;
}

static int load_all(struct btf **all)
{
	int fd = open(ALL_TYPES, O_RDONLY | O_CLOEXEC);
	int code = fd < 0 ? -errno : 0;
	struct bytes bytes = {0};

	if (!code)
		code = map_or_read(fd, &bytes);
	if (fd >= 0)
		close(fd);
	if (code)
		return code;
	*all = btf__new(bytes.at, (unsigned int)bytes.count);
	code = *all ? 0 : -errno;
	munmap(bytes.at, bytes.count);
	return code;
}

/* ---- the file for libbpf */

static int write_few(struct kernel_types *types, const struct btf *few)
{
	unsigned int count;
	const void *bytes = btf__raw_data(few, &count);

	if (!bytes)
		return -ENOMEM;
	types->fd = memfd_create("kernel-types", MFD_CLOEXEC);
	if (types->fd < 0)
		return -errno;
	snprintf(types->path, sizeof(types->path), "/proc/self/fd/%d", types->fd);
	return write(types->fd, bytes, count) == (ssize_t)count ? 0 : -EIO;
}

int kernel_types__open(struct kernel_types *types, const struct btf *wanted, const char *function)
{
	struct btf *all = NULL, *few = btf__new_empty();
	int code = few ? load_all(&all) : -ENOMEM;

	*types = (struct kernel_types){.fd = -1};
	if (!code) {
		types->function_id = kernel_types__copy(few, all, wanted, function);
		code = types->function_id < 0    ? types->function_id
		       : types->function_id == 0 ? -ENOENT
						 : write_few(types, few);
	}
	btf__free(few);
	btf__free(all);
	return code;
}

void kernel_types__close(struct kernel_types *types)
{
	if (types->fd >= 0)
		close(types->fd);
	types->fd = -1;
}
