/* SPDX-License-Identifier: BSD-2-Clause */
/* steptrace export --to kafka:BROKER/TOPIC: sends the lines of a recording, as they are, to an
 * output of steptrace record. */
#ifndef STEPTRACE_EXPORT_SEND_H
#define STEPTRACE_EXPORT_SEND_H

#include "steptrace/export_options.h"

/* Returns the exit status; STATUS_FAILED with a sentence. Ctrl-C and SIGTERM end it: what is not
 * acknowledged then counts as not delivered. */
int export_send__run(const struct export_request *request, struct error *err);

#endif
