/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the certificates of authorities (PEM) into memory. */
#ifndef STEPTRACE_AUTHORITIES_H
#define STEPTRACE_AUTHORITIES_H

#include "common/error.h"

/* Reads `given`, or the file of the system where that is NULL. `option` names the option that gives
 * a file. 0 and *text, which the caller frees; or negative errno with a sentence: the file cannot
 * be read, or has no certificate. */
int authorities__read(const char *given, const char *system, const char *option, char **text,
		      struct error *err);

#endif
