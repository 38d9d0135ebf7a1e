/* SPDX-License-Identifier: BSD-2-Clause */
/* The version of the release, for --version and the event trace.started. */
#ifndef STEPTRACE_VERSION_H
#define STEPTRACE_VERSION_H

#define STEPTRACE_VERSION "0.1.0"

#endif
