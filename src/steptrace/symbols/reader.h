/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that the child has been given, and its answers to questions about them. It has no state
 * but the files, and reads nothing but them.
 */
#ifndef STEPTRACE_SYMBOLS_READER_H
#define STEPTRACE_SYMBOLS_READER_H

#include "steptrace/symbols/elf_module.h"
#include "steptrace/symbols/helper_message.h"
#include "steptrace/symbols/perf_map.h"

/* At most one of both. */
struct reader_file {
	struct elf_module *module; /* owned; NULL: none */
	struct perf_map *map;      /* owned; NULL: none */
};

/* Starts zeroed. */
struct reader {
	struct reader_file files[HELPER_FILES_MAX];
};

/* Answers a valid question. `fd`, which it takes over, is -1 where none came. Returns how many
 * bytes of the answer are to be sent. */
size_t reader__answer(struct reader *reader, const struct helper_question *question, int fd,
		      struct helper_answer *answer);
void reader__close(struct reader *reader);

#endif
