// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report_html/html_spread.h"

#include <inttypes.h>

enum { BARS = 40, HEIGHT = 20 };

struct spread {
	const struct html_scale *scale;
	uint64_t counts[BARS], highest;
};

void html_spread__scale(struct html_scale *scale, struct report_row *const *rows, size_t count)
{
	bool is_first = true;

	for (size_t i = 0; i < count; i++) {
		const struct histogram *durations = &rows[i]->durations;

		if (!durations->count)
			continue;
		if (is_first || durations->min_ns < scale->from_ns)
			scale->from_ns = durations->min_ns;
		if (is_first || durations->max_ns > scale->to_ns)
			scale->to_ns = durations->max_ns;
		is_first = false;
	}
}

/* The logarithm to base 2, with straight lines between the powers of two. */
static double logarithm(uint64_t ns)
{
	uint64_t value = ns ? ns : 1;
	int octave = 63 - __builtin_clzll(value);

	return octave + (double)(value - (1ull << octave)) / (double)(1ull << octave);
}

/* Where a duration is on the axis: 0 to 1. */
static double place_of(const struct html_scale *scale, uint64_t ns)
{
	double from = logarithm(scale->from_ns), to = logarithm(scale->to_ns);
	double place = to > from ? (logarithm(ns) - from) / (to - from) : 0.5;

	return place < 0 ? 0 : place > 1 ? 1 : place;
}

static void add_bucket(void *context, const struct histogram_bucket *bucket)
{
	struct spread *spread = context;
	uint64_t middle_ns = bucket->from_ns + (bucket->below_ns - bucket->from_ns) / 2;
	int at = (int)(place_of(spread->scale, middle_ns) * (BARS - 1) + 0.5);

	spread->counts[at] += bucket->count;
	if (spread->counts[at] > spread->highest)
		spread->highest = spread->counts[at];
}

/* One path for all bars; a bar that is not empty can be seen. */
static void put_path(struct html_page *page, const struct spread *spread)
{
	html_page__put(page, "<path d=\"");
	for (int i = 0; i < BARS; i++)
		if (spread->counts[i])
			html_page__put(page, "M%d %dv-%.1fh1V%dz", i, HEIGHT,
				       1.5 + (double)spread->counts[i] / (double)spread->highest *
						       (HEIGHT - 1.5),
				       HEIGHT);
	html_page__put(page, "\"/>");
}

static void put_label(struct html_page *page, const struct histogram *durations)
{
	char min[HTML_NUMBER_BYTES], p50[HTML_NUMBER_BYTES], max[HTML_NUMBER_BYTES];

	html_page__put(page, "from %s to %s, half of them up to %s",
		       html_duration(min, durations->min_ns), html_duration(max, durations->max_ns),
		       html_duration(p50, histogram__percentile_ns(durations, 0.5)));
}

void html_spread__put(struct html_page *page, const struct report_row *row,
		      const struct html_scale *scale)
{
	struct spread spread = {.scale = scale};

	if (!row->durations.count) {
		html_page__put(page, "<td class=\"spread nothing\" data-name=\"min_ns\">–</td>");
		return;
	}
	histogram__each(&row->durations, add_bucket, &spread);
	html_page__put(
		page,
		"<td class=\"spread\" data-name=\"min_ns\" data-value=\"%" PRIu64
		"\"><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\"><title>",
		row->durations.min_ns, BARS, HEIGHT);
	put_label(page, &row->durations);
	html_page__put(page, "</title>");
	put_path(page, &spread);
	html_page__put(page, "</svg></td>");
}
