// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copies all structures out of any bytes, as if they were the types of a kernel. A copy has to be
 * BTF that libbpf reads.
 *
 * links: src/steptrace/capture/type_copy.c src/steptrace/capture/raw_btf.c -lbpf
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/capture/type_copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

/* The names and the members' types of the copy are all there. */
static void check_type(const struct btf *btf, const struct btf_type *type)
{
	require(btf__name_by_offset(btf, type->name_off) != NULL);
	for (int i = 0; btf_is_composite(type) && i < btf_vlen(type); i++) {
		require(btf__name_by_offset(btf, btf_members(type)[i].name_off) != NULL);
		require(btf_members(type)[i].type < btf__type_cnt(btf));
	}
}

static void check_copy(const struct type_copy *copy)
{
	struct btf *btf = btf__new(copy->bytes, (unsigned int)copy->count);

	require(btf != NULL);
	for (unsigned int id = 1; id < btf__type_cnt(btf); id++)
		check_type(btf, btf__type_by_id(btf, id));
	btf__free(btf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct type_copy copy;
	struct type_bytes all;
	void *bytes = malloc(size ? size : 1);
	int code;

	if (size)
		memcpy(bytes, data, size);
	all = (struct type_bytes){bytes, size};
	code = type_copy__make(&copy, &all, &all, "iterator");
	require(code == 0 || code == -EBADMSG || code == -EOPNOTSUPP);
	if (code == 0)
		check_copy(&copy);
	type_copy__free(&copy);
	free(bytes);
	return 0;
}
