/* SPDX-License-Identifier: BSD-2-Clause */
/* From what the program was built: source, compilers, libraries and their versions, programs for
 * the kernel. src/steptrace/embed-build writes the text when the program is built. The libraries
 * that are loaded when it runs can be newer. */
#ifndef STEPTRACE_BUILD_DETAILS_H
#define STEPTRACE_BUILD_DETAILS_H

/* Lines, each with a newline at its end. */
extern const char build_details[];

#endif
