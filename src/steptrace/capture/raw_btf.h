/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads BTF, the kernel's description of its types, where it lies in memory:
 *
 *	header | types, one behind the other | names, each with a 0 at its end
 *
 * A type has no number of its own: the first one is 1, the next one 2. Its size depends on its
 * kind, so all types before it have to be read. The layout is the kernel's (<linux/btf.h>). Only
 * the byte order of this machine is read.
 *
 * The bytes are not trusted: a type ends before the section ends, a name as well. Whether the
 * numbers and the name offsets within a type mean something is checked where they are used.
 */
#ifndef STEPTRACE_RAW_BTF_H
#define STEPTRACE_RAW_BTF_H

#include <linux/btf.h>
#include <stddef.h>
#include <stdint.h>

struct raw_btf {
	const unsigned char *types;
	const char *names;
	size_t types_bytes, names_bytes;
	uint32_t *offsets; /* of some types */
	uint32_t count;    /* of the numbers, with 0, which is no type (void) */
};

/*
 * `bytes` has to be aligned to 4 bytes, and stays the caller's. -EBADMSG: the bytes are damaged;
 * -EOPNOTSUPP: a kind of type or a version that is not known; -ENOMEM.
 */
int raw_btf__open(struct raw_btf *btf, const void *bytes, size_t count);

/* Also after a failure. */
void raw_btf__close(struct raw_btf *btf);

/* NULL: there is no type with this number. */
const struct btf_type *raw_btf__type(const struct raw_btf *btf, uint32_t id);

/* The type behind this one. Behind the last one is nothing that may be read. */
const struct btf_type *raw_btf__next(const struct btf_type *type);

/* "" for the offset 0, NULL for an offset behind the end. */
const char *raw_btf__name(const struct raw_btf *btf, uint32_t offset);

/* The size of a type of the section, with its elements (members, enumerators and so on). */
size_t raw_btf__type_bytes(const struct btf_type *type);

/* The size of one element; 0: types of this kind have none. */
size_t raw_btf__element_bytes(const struct btf_type *type);

#endif
