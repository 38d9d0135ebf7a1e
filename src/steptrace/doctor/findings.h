/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `steptrace doctor` found, one line each, and the two forms it is shown in.
 *
 *	privileges
 *	  ok    CAP_BPF          held: load programs
 *	  FAIL  CAP_PERFMON      not held: attach programs
 *	        run it with sudo, or …
 */
#ifndef STEPTRACE_FINDINGS_H
#define STEPTRACE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum verdict {
	VERDICT_OK,
	VERDICT_WARN, /* it records, but less, or at a price */
	VERDICT_FAIL, /* it cannot record */
};

struct finding {
	char section[256]; /* "kernel"; those of a section follow each other */
	char name[64];
	enum verdict verdict;
	char *text;         /* owned */
	const char *advice; /* what to do; NULL: nothing */
};

struct findings {
	struct finding *items; /* owned */
	size_t count;
	bool incomplete; /* there was no memory for all of them */
};

/* Control characters in the text are replaced: it may quote what a process calls itself. */
void findings__add(struct findings *findings, const char *section, const char *name,
		   enum verdict verdict, const char *advice, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
void findings__free(struct findings *findings);

/* The worst of them. */
enum verdict findings__verdict(const struct findings *findings);

void findings__print(const struct findings *findings, FILE *out, bool colour);
/* One object; 0 or -ENOMEM. */
int findings__print_json(const struct findings *findings, FILE *out);

#endif
