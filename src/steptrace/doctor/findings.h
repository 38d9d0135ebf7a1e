/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The findings of `steptrace doctor`, and their two forms: text of 80 columns, and JSON.
 *
 *	privileges
 *	  ok    CAP_BPF                 held: load programs
 *	  FAIL  CAP_PERFMON             not held: let the programs read memory
 *	                                -> sudo, or make install SETCAP=1
 */
#ifndef STEPTRACE_FINDINGS_H
#define STEPTRACE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum verdict {
	VERDICT_OK,
	VERDICT_WARN, /* recording works, but with less detail or at a higher cost */
	VERDICT_FAIL, /* recording does not work */
};

struct finding {
	char section[256]; /* "kernel"; the findings of a section follow each other */
	char name[64];
	enum verdict verdict;
	char *text;         /* owned */
	const char *advice; /* what to do, not owned; NULL: nothing */
};

struct findings {
	struct finding *items; /* owned */
	size_t count;
	bool incomplete; /* a finding was dropped for lack of memory */
};

/* Adds a finding. Section and text are escaped (printable.h): they may quote the name of a file. */
void findings__add(struct findings *findings, const char *section, const char *name,
		   enum verdict verdict, const char *advice, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
void findings__free(struct findings *findings);

/* The worst verdict; VERDICT_OK where there is no finding. */
enum verdict findings__verdict(const struct findings *findings);

void findings__print(const struct findings *findings, FILE *out, bool colour);

/* Writes one JSON object. 0 or -ENOMEM. */
int findings__print_json(const struct findings *findings, FILE *out);

#endif
