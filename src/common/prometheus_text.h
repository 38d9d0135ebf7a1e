/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics as text: in the format of Prometheus, or in that of OpenMetrics, which a client may ask
 * for. They differ in the names of counters and in the last line.
 *
 *	struct prometheus_text out = {&text, is_open};
 *
 *	prometheus_text__head(&out, "jobs_total", "counter", "Jobs that ended.");
 *	strbuf__text(out.text, "jobs_total{name=\"");
 *	prometheus_text__label(&out, name);
 *	strbuf__text(out.text, "\"} 5\n");
 *	prometheus_text__end(&out);
 *
 * An allocation failure is in text->err.
 */
#ifndef STEPTRACE_COMMON_PROMETHEUS_TEXT_H
#define STEPTRACE_COMMON_PROMETHEUS_TEXT_H

#include <stdbool.h>

#include "common/strbuf.h"

struct prometheus_text {
	struct strbuf *text; /* borrowed */
	bool is_open;        /* OpenMetrics */
};

/* The lines before the samples of a metric. `name` is that of the samples: with _total. */
void prometheus_text__head(const struct prometheus_text *out, const char *name, const char *type,
			   const char *help);

/* A label value: any bytes; escaped, and what is not UTF-8 is replaced by U+FFFD. */
void prometheus_text__label(const struct prometheus_text *out, const char *value);

/* After the last metric. */
void prometheus_text__end(const struct prometheus_text *out);

#endif
