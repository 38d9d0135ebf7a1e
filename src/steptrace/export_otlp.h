/* SPDX-License-Identifier: BSD-2-Clause */
/* steptrace export --to otlp:...: sends a recording to an OTLP receiver. */
#ifndef STEPTRACE_EXPORT_OTLP_H
#define STEPTRACE_EXPORT_OTLP_H

#include "steptrace/export_options.h"

/* Returns the exit status, with a sentence in `err` if that is not 0. */
int export_otlp__run(const struct export_request *request, struct error *err);

#endif
