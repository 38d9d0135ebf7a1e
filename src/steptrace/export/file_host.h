/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host on which a file of the recording was made. Only trace.started says it, at the beginning
 * of a file; the other events do not. A file without trace.started has no known host.
 */
#ifndef STEPTRACE_FILE_HOST_H
#define STEPTRACE_FILE_HOST_H

#include "steptrace/recording/recorded_event.h"

struct file_host {
	char text[256];
	size_t bytes; /* 0: not known */
	size_t file_index;
};

/* Call it for each event, before the host is used. It begins zeroed. */
void file_host__event(struct file_host *host, const struct recorded_event *event);

#endif
