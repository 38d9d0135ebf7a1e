/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies a few types out of BTF into a small BTF file of their own: bytes in, bytes out.
 *
 * A type is copied with the types of its members. What a pointer leads to is not copied: the copy
 * is a pointer to void. A typedef, const, volatile, restrict or type tag is replaced by the type
 * that it leads to.
 */
#ifndef STEPTRACE_TYPE_COPY_H
#define STEPTRACE_TYPE_COPY_H

#include <stddef.h>
#include <stdint.h>

struct type_bytes {
	const void *at; /* aligned to 4 bytes */
	size_t count;
};

struct type_copy {
	void *bytes; /* a whole BTF file */
	size_t count;
	uint32_t function_id; /* in `all`; 0: there is no such function */
};

/*
 * Copies each structure of `all` that has the name of a structure in `wanted`, and finds
 * `function`. Where several have the name, the first function and all structures are meant.
 * 0, -EBADMSG (damaged bytes), -EOPNOTSUPP (a kind of type that is not known) or -ENOMEM.
 */
int type_copy__make(struct type_copy *copy, const struct type_bytes *all,
		    const struct type_bytes *wanted, const char *function);

/* Also after a failure. */
void type_copy__free(struct type_copy *copy);

#endif
