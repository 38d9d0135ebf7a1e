// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/duration_metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse.h"
#include "steptrace/latency/label_sets.h"
#include "steptrace/stream/executions.h"

#define US UINT64_C(1000)
#define MS (1000 * US)
#define S  (1000 * MS)

static const struct duration_bounds default_bounds = {
	{100 * US, 250 * US, 500 * US, 1 * MS,   2500 * US, 5 * MS, 10 * MS,
	 25 * MS,  50 * MS,  100 * MS, 250 * MS, 500 * MS,  1 * S,  2500 * MS,
	 5 * S,    10 * S,   30 * S,   60 * S,   120 * S,   300 * S},
	20,
};

int duration_bounds__parse(const char *text, struct duration_bounds *bounds, struct error *err)
{
	bounds->count = 0;
	for (const char *at = text;; at++) {
		size_t bytes = strcspn(at, ",");
		char one[32];
		uint64_t ns;

		snprintf(one, sizeof(one), "%.*s", (int)(bytes < 31 ? bytes : 31), at);
		if (bytes >= sizeof(one) || parse__duration_ns(one, &ns) || ns == 0)
			return error__set(err, -EINVAL,
					  "--metrics-buckets is a list of times, such as "
					  "1ms,10ms,100ms: '%s' is no time",
					  one);
		if (bounds->count && ns <= bounds->ns[bounds->count - 1])
			return error__set(
				err, -EINVAL,
				"--metrics-buckets: %s is not longer than the time before", one);
		if (bounds->count == DURATION_BOUNDS_MAX)
			return error__set(err, -EINVAL, "--metrics-buckets has more than %d times",
					  DURATION_BOUNDS_MAX);
		bounds->ns[bounds->count++] = ns;
		at += bytes;
		if (!*at)
			return 0;
	}
}

/* ---- the metrics */

struct exemplar {
	uint8_t execution_id[16];
	uint64_t duration_ns, ended_ns; /* ended_ns 0: there is none */
};

struct buckets {
	uint64_t sum_ns;
	uint64_t counts[DURATION_BOUNDS_MAX + 1]; /* the last one: longer than all bounds */
	struct exemplar exemplars[DURATION_BOUNDS_MAX + 1];
};

enum metric {
	COMMAND_DURATIONS,
	STEP_DURATIONS,
	COMMANDS_ENDED,
	STEPS_ENDED,
	METRICS_COUNT,
};

static const struct description {
	const char *name, *help;
	const char *labels[LABELS_MAX];
	bool is_histogram;
} descriptions[METRICS_COUNT] = {
	[COMMAND_DURATIONS] = {"steptrace_command_duration_seconds",
			       "How long commands took, without the time in which they were "
			       "suspended.",
			       {"command"},
			       true},
	[STEP_DURATIONS] = {"steptrace_step_duration_seconds",
			    "How long steps took, without the time in which they were suspended.",
			    {"command", "step_type"},
			    true},
	[COMMANDS_ENDED] = {"steptrace_commands_ended_total",
			    "Commands that ended.",
			    {"command", "outcome", "error_category"},
			    false},
	[STEPS_ENDED] = {"steptrace_steps_ended_total",
			 "Steps that ended.",
			 {"command", "step_type", "outcome"},
			 false},
};

struct duration_metrics {
	struct duration_bounds bounds;
	uint64_t realtime_ahead_ns;
	struct label_sets *sets[METRICS_COUNT];
};

struct duration_metrics *duration_metrics__new(const struct duration_bounds *bounds,
					       uint64_t realtime_ahead_ns)
{
	struct duration_metrics *metrics = calloc(1, sizeof(*metrics));

	if (!metrics)
		return NULL;
	metrics->bounds = bounds->count ? *bounds : default_bounds;
	metrics->realtime_ahead_ns = realtime_ahead_ns;
	for (int metric = 0; metric < METRICS_COUNT; metric++) {
		size_t bytes = descriptions[metric].is_histogram ? sizeof(struct buckets)
								 : sizeof(uint64_t);

		metrics->sets[metric] = label_sets__new(DURATION_LABEL_SETS_MAX, bytes);
		if (!metrics->sets[metric]) {
			duration_metrics__free(metrics);
			return NULL;
		}
	}
	return metrics;
}

void duration_metrics__free(struct duration_metrics *metrics)
{
	if (!metrics)
		return;
	for (int metric = 0; metric < METRICS_COUNT; metric++)
		label_sets__free(metrics->sets[metric]);
	free(metrics);
}

/* ---- counting */

static void count_one(struct duration_metrics *metrics, enum metric metric,
		      const char *const labels[LABELS_MAX])
{
	uint64_t *count = label_sets__find(metrics->sets[metric], labels);

	if (count)
		++*count;
}

static void count_duration(struct duration_metrics *metrics, enum metric metric,
			   const char *const labels[LABELS_MAX], const struct event *event)
{
	struct buckets *buckets = label_sets__find(metrics->sets[metric], labels);
	uint64_t ns;
	size_t at = 0;

	if (!buckets || !event__duration_ns(event, &ns))
		return;
	while (at < metrics->bounds.count && ns > metrics->bounds.ns[at])
		at++;
	buckets->counts[at]++;
	buckets->sum_ns += ns;
	buckets->exemplars[at].duration_ns = ns;
	buckets->exemplars[at].ended_ns = event->record->time_ns;
	memcpy(buckets->exemplars[at].execution_id, event->execution->id,
	       sizeof(buckets->exemplars[at].execution_id));
}

static const char *name_or_none(const char *name)
{
	return name ? name : "none";
}

static const char *outcome_of(const struct event *event, unsigned int outcome)
{
	return name_or_none(outcome__name(event->termination ? OUTCOME_ABORTED : outcome));
}

/* A text of a span may fill its member, without a zero behind it. */
struct label {
	char text[sizeof(((struct command_span *)0)->slug) + 1];
};

static const char *label_of(struct label *label, const char *member, size_t bytes)
{
	memcpy(label->text, member, bytes);
	label->text[bytes] = 0;
	return label->text;
}

void duration_metrics__on_event(void *context, const struct event *event)
{
	struct duration_metrics *metrics = context;
	const struct execution *execution = event->execution;
	struct label command, step;
	const char *slug = "";

	if (execution)
		slug = label_of(&command, execution->command.slug, sizeof(execution->command.slug));
	if (event->kind == EVENT_STEP_EXECUTED) {
		const char *type = label_of(&step, event->step->type, sizeof(event->step->type));
		const char *outcome = outcome_of(event, event->step->outcome);

		count_one(metrics, STEPS_ENDED, (const char *[LABELS_MAX]){slug, type, outcome});
		count_duration(metrics, STEP_DURATIONS, (const char *[LABELS_MAX]){slug, type},
			       event);
	} else if (event->kind == EVENT_COMMAND_COMPLETED) {
		const char *outcome = outcome_of(event, event->command->outcome);
		const char *category =
			name_or_none(error_category__name(event->command->error_category));

		count_one(metrics, COMMANDS_ENDED,
			  (const char *[LABELS_MAX]){slug, outcome, category});
		count_duration(metrics, COMMAND_DURATIONS, (const char *[LABELS_MAX]){slug}, event);
	}
}

/* ---- text */

struct putting {
	const struct duration_metrics *metrics;
	const struct prometheus_text *out;
	const struct description *description;
};

static void put_labels(const struct putting *putting, const char *const labels[LABELS_MAX])
{
	const struct description *description = putting->description;

	for (int i = 0; i < LABELS_MAX && description->labels[i]; i++) {
		strbuf__printf(putting->out->text, "%s%s=\"", i ? "," : "", description->labels[i]);
		prometheus_text__label(putting->out, labels ? labels[i] : "other");
		strbuf__text(putting->out->text, "\"");
	}
}

/* " # {execution_id="…"} 0.0123 1795909311.942". Without a value there is none. */
static void put_exemplar(const struct putting *putting, const struct exemplar *exemplar)
{
	uint64_t realtime_ns = exemplar->ended_ns + putting->metrics->realtime_ahead_ns;
	struct strbuf *text = putting->out->text;

	if (!putting->out->is_open || !exemplar->ended_ns)
		return;
	strbuf__text(text, " # {execution_id=\"");
	for (int i = 0; i < 16; i++)
		strbuf__printf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			       exemplar->execution_id[i]);
	strbuf__printf(text, "\"} %.9f %" PRIu64 ".%03" PRIu64, (double)exemplar->duration_ns / 1e9,
		       realtime_ns / S, realtime_ns % S / MS);
}

static void put_bucket(const struct putting *putting, const char *const labels[LABELS_MAX],
		       const char *bound, uint64_t count, const struct exemplar *exemplar)
{
	strbuf__printf(putting->out->text, "%s_bucket{", putting->description->name);
	put_labels(putting, labels);
	strbuf__printf(putting->out->text, ",le=\"%s\"} %" PRIu64, bound, count);
	put_exemplar(putting, exemplar);
	strbuf__text(putting->out->text, "\n");
}

static void put_sample(const struct putting *putting, const char *suffix,
		       const char *const labels[LABELS_MAX])
{
	strbuf__printf(putting->out->text, "%s%s{", putting->description->name, suffix);
	put_labels(putting, labels);
	strbuf__text(putting->out->text, "} ");
}

static void put_histogram(const struct putting *putting, const char *const labels[LABELS_MAX],
			  const struct buckets *buckets)
{
	const struct duration_bounds *bounds = &putting->metrics->bounds;
	uint64_t count = 0;
	char bound[32];

	for (size_t i = 0; i < bounds->count; i++) {
		count += buckets->counts[i];
		snprintf(bound, sizeof(bound), "%.9g", (double)bounds->ns[i] / 1e9);
		put_bucket(putting, labels, bound, count, &buckets->exemplars[i]);
	}
	count += buckets->counts[bounds->count];
	put_bucket(putting, labels, "+Inf", count, &buckets->exemplars[bounds->count]);
	put_sample(putting, "_sum", labels);
	strbuf__printf(putting->out->text, "%.9f\n", (double)buckets->sum_ns / 1e9);
	put_sample(putting, "_count", labels);
	strbuf__printf(putting->out->text, "%" PRIu64 "\n", count);
}

static void put_set(void *context, const char *const labels[LABELS_MAX], const void *value)
{
	const struct putting *putting = context;

	if (putting->description->is_histogram) {
		put_histogram(putting, labels, value);
		return;
	}
	put_sample(putting, "", labels);
	strbuf__printf(putting->out->text, "%" PRIu64 "\n", *(const uint64_t *)value);
}

void duration_metrics__put(const struct duration_metrics *metrics,
			   const struct prometheus_text *out)
{
	for (int metric = 0; metric < METRICS_COUNT; metric++) {
		struct putting putting = {metrics, out, &descriptions[metric]};

		prometheus_text__head(out, descriptions[metric].name,
				      descriptions[metric].is_histogram ? "histogram" : "counter",
				      descriptions[metric].help);
		label_sets__each(metrics->sets[metric], put_set, &putting);
	}
}
