// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/raw_btf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What follows the struct btf_type, by kind. */
static const struct kind {
	bool is_known;
	unsigned char once, each; /* bytes */
} kinds[] = {
	[BTF_KIND_INT] = {true, sizeof(uint32_t), 0},
	[BTF_KIND_PTR] = {true, 0, 0},
	[BTF_KIND_ARRAY] = {true, sizeof(struct btf_array), 0},
	[BTF_KIND_STRUCT] = {true, 0, sizeof(struct btf_member)},
	[BTF_KIND_UNION] = {true, 0, sizeof(struct btf_member)},
	[BTF_KIND_ENUM] = {true, 0, sizeof(struct btf_enum)},
	[BTF_KIND_FWD] = {true, 0, 0},
	[BTF_KIND_TYPEDEF] = {true, 0, 0},
	[BTF_KIND_VOLATILE] = {true, 0, 0},
	[BTF_KIND_CONST] = {true, 0, 0},
	[BTF_KIND_RESTRICT] = {true, 0, 0},
	[BTF_KIND_FUNC] = {true, 0, 0},
	[BTF_KIND_FUNC_PROTO] = {true, 0, sizeof(struct btf_param)},
	[BTF_KIND_VAR] = {true, sizeof(struct btf_var), 0},
	[BTF_KIND_DATASEC] = {true, 0, sizeof(struct btf_var_secinfo)},
	[BTF_KIND_FLOAT] = {true, 0, 0},
	[BTF_KIND_DECL_TAG] = {true, sizeof(struct btf_decl_tag), 0},
	[BTF_KIND_TYPE_TAG] = {true, 0, 0},
	[BTF_KIND_ENUM64] = {true, 0, sizeof(struct btf_enum64)},
};

static const struct kind *kind_of(const struct btf_type *type)
{
	static const struct kind unknown;
	size_t kind = BTF_INFO_KIND(type->info);

	return kind < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[kind] : &unknown;
}

size_t raw_btf__element_bytes(const struct btf_type *type)
{
	return kind_of(type)->each;
}

size_t raw_btf__type_bytes(const struct btf_type *type)
{
	const struct kind *kind = kind_of(type);

	return sizeof(*type) + kind->once + (size_t)BTF_INFO_VLEN(type->info) * kind->each;
}

/* The kernel has 130,000 types. Offsets of all of them would need 500 KB, and new memory costs more
 * time than a walk over a few types. */
#define NOTED_EACH 16

static int note_offsets(struct raw_btf *btf)
{
	size_t at = 0, types_max = btf->types_bytes / sizeof(struct btf_type);

	btf->offsets = calloc(types_max / NOTED_EACH + 1, sizeof(*btf->offsets));
	if (!btf->offsets)
		return -ENOMEM;
	for (btf->count = 1; at < btf->types_bytes; btf->count++) {
		const struct btf_type *type = (const void *)(btf->types + at);
		size_t left = btf->types_bytes - at;

		if (left < sizeof(*type))
			return -EBADMSG;
		if (!kind_of(type)->is_known)
			return -EOPNOTSUPP;
		if (left < raw_btf__type_bytes(type))
			return -EBADMSG;
		if ((btf->count - 1) % NOTED_EACH == 0)
			btf->offsets[(btf->count - 1) / NOTED_EACH] = (uint32_t)at;
		at += raw_btf__type_bytes(type);
	}
	return 0;
}

/* The offsets in the header count from its end. */
static bool contains(size_t bytes, uint32_t offset, uint32_t length)
{
	return offset <= bytes && length <= bytes - offset;
}

static int check_header(const struct btf_header *header, size_t count)
{
	if (count < sizeof(*header) || header->magic != BTF_MAGIC)
		return -EBADMSG;
	if (header->version != BTF_VERSION || header->flags)
		return -EOPNOTSUPP;
	if (header->hdr_len < sizeof(*header) || header->hdr_len > count)
		return -EBADMSG;
	count -= header->hdr_len;
	if (!contains(count, header->type_off, header->type_len) ||
	    !contains(count, header->str_off, header->str_len))
		return -EBADMSG;
	return header->hdr_len % 4 || header->type_off % 4 ? -EBADMSG : 0;
}

int raw_btf__open(struct raw_btf *btf, const void *bytes, size_t count)
{
	const struct btf_header *header = bytes;
	int code = check_header(header, count);

	*btf = (struct raw_btf){0};
	if (code)
		return code;
	btf->types = (const unsigned char *)bytes + header->hdr_len + header->type_off;
	btf->types_bytes = header->type_len;
	btf->names = (const char *)bytes + header->hdr_len + header->str_off;
	btf->names_bytes = header->str_len;
	if (!btf->names_bytes || btf->names[0] || btf->names[btf->names_bytes - 1])
		return -EBADMSG;
	return note_offsets(btf);
}

void raw_btf__close(struct raw_btf *btf)
{
	free(btf->offsets);
	btf->offsets = NULL;
}

const struct btf_type *raw_btf__next(const struct btf_type *type)
{
	return (const void *)((const char *)type + raw_btf__type_bytes(type));
}

const struct btf_type *raw_btf__type(const struct raw_btf *btf, uint32_t id)
{
	const struct btf_type *type;

	if (id == 0 || id >= btf->count)
		return NULL;
	type = (const void *)(btf->types + btf->offsets[(id - 1) / NOTED_EACH]);
	for (uint32_t left = (id - 1) % NOTED_EACH; left > 0; left--)
		type = raw_btf__next(type);
	return type;
}

const char *raw_btf__name(const struct raw_btf *btf, uint32_t offset)
{
	return offset < btf->names_bytes ? btf->names + offset : NULL;
}
