/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names in a profile, each once, with a number.
 *
 * The text is printable (printable.h): a name that contains control characters, or characters that
 * set the direction of writing, has escapes instead. It may still contain quotes, '<' and ';'.
 */
#ifndef STEPTRACE_FLAME_NAMES_H
#define STEPTRACE_FLAME_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* What a frame of the picture stands for, from the outermost inwards. */
enum flame_kind {
	FLAME_COMMAND,
	FLAME_STEP,
	FLAME_CUT, /* "[cut]": the outermost functions are missing; "[no stack]": all are */
	FLAME_USER,
	FLAME_KERNEL,
	FLAME_KINDS_COUNT,
};

struct flame_name {
	char *text;   /* never empty */
	char *module; /* "": commands, steps and [cut] */
	enum flame_kind kind;
};

struct flame_names {
	struct flame_name *list; /* owned, with the texts */
	size_t count;
	size_t room;
	struct names_entry *entries; /* to find what is there already */
};

/* For a zeroed struct. *number is that of the name. 0 or -ENOMEM. */
int flame_names__add(struct flame_names *names, enum flame_kind kind, const char *text,
		     const char *module, uint32_t *number);

/*
 * Sorts the list: by text, module and kind, as bytes. numbers[i] becomes the new number of the name
 * that had the number i; the caller has room for names->count. No name can be added any more.
 */
int flame_names__sort(struct flame_names *names, uint32_t *numbers);

void flame_names__free(struct flame_names *names);

#endif
