/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of functions, each of which is stored once. */
#ifndef STEPTRACE_SYMBOL_NAME_H
#define STEPTRACE_SYMBOL_NAME_H

#include <stdbool.h>

/* Texts have no control characters, are valid UTF-8, and have less than SYMBOL_BYTES bytes. */
enum { SYMBOL_BYTES = 512 };
struct symbol_name {
	const char *function; /* demangled; "[unknown]"; "[libx.so+0x1234]" in no function */
	const char *module;   /* the file's name without its directory; "[kernel]" */
	bool is_kernel;
	bool is_outermost; /* a stack ends here: _start, clone and the like */
};

struct symbol_names {
	struct name_entry *entries; /* owned; a hash table */
};

/* Equal names give equal pointers, which are valid until symbol_names__free(). The texts are
 * foreign: what a terminal would execute is escaped. NULL: there is no memory. */
const struct symbol_name *symbol_names__get(struct symbol_names *names, const char *function,
					    const char *module, bool is_kernel);
void symbol_names__free(struct symbol_names *names);

#endif
