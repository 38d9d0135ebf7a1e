/* SPDX-License-Identifier: BSD-2-Clause */
/* The release's version, for --version and `trace.started`. */
#ifndef STEPTRACE_VERSION_H
#define STEPTRACE_VERSION_H

#define STEPTRACE_VERSION "0.1.0"

#endif
