// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report_compare.h"

#include <errno.h>
#include <stdlib.h>

#include "common/log.h"
#include "steptrace/compare/comparison_json.h"
#include "steptrace/compare/comparison_text.h"
#include "steptrace/recording_words.h"
#include "steptrace/report_reading.h"

/* What is read of one side. */
struct side {
	struct summary *summary; /* owned */
	struct recording_counts counts;
};

static int read_side(struct side *side, const struct report_request *request,
		     const char *const *paths, size_t count, const char *name, struct error *err)
{
	struct summary_options options = request->summary;
	int code;

	options.slowest = 0; /* executions are not drawn */
	side->summary = summary__new(&options);
	if (!side->summary)
		return error__set(err, -ENOMEM, "out of memory");
	code = report_reading__read(side->summary, &side->counts, paths, count, err);
	if (code)
		return error__prefix(err, code, "the %s recording", name);
	recording_words__warn(&side->counts);
	return 0;
}

static int fail_if_slower(const struct report_request *request, const struct comparison *comparison,
			  struct error *err)
{
	uint64_t percent = request->compare.fail_slower;
	size_t slower;

	if (percent == COMPARE_NO_LIMIT)
		return 0;
	slower = comparison__slower(comparison, (double)percent);
	if (!slower)
		return 0;
	return error__set(err, -ECANCELED,
			  "%zu of %zu commands and steps became slower by more than %llu %% "
			  "(--fail-slower)",
			  slower, comparison->count, (unsigned long long)percent);
}

static int write_comparison(const struct report_request *request,
			    const struct comparison *comparison, const struct side *sides,
			    const struct text_style *style, struct error *err)
{
	const struct compared_recording recordings[COMPARE_SIDES] = {
		{request->compare.old[0], sides[COMPARE_OLD].summary, &sides[COMPARE_OLD].counts},
		{request->paths[0], sides[COMPARE_NEW].summary, &sides[COMPARE_NEW].counts},
	};
	struct doubts doubts;
	int code;

	doubts__find(&doubts, recordings, comparison);
	code = request->is_json ? comparison_json__write(stdout, comparison, &doubts, recordings)
				: comparison_text__write(stdout, comparison, &doubts, recordings,
							 request->summary.rows, style);
	if (code)
		return error__set(err, code, "out of memory");
	if (doubts.count)
		log__warn("the recordings may not be comparable, for %zu reason%s; the first: %s",
			  doubts.count, doubts.count == 1 ? "" : "s", doubts.doubts[0].text);
	return fail_if_slower(request, comparison, err);
}

static int compare(const struct report_request *request, const struct side *sides,
		   const struct text_style *style, struct error *err)
{
	struct comparison comparison;
	int code = comparison__make(&comparison, sides[COMPARE_OLD].summary,
				    sides[COMPARE_NEW].summary);

	if (code)
		error__set(err, code, "out of memory");
	else
		code = write_comparison(request, &comparison, sides, style, err);
	comparison__free(&comparison);
	return code;
}

int report_compare__run(const struct report_request *request, const struct text_style *style,
			struct error *err)
{
	const struct compare_request *old = &request->compare;
	struct side sides[COMPARE_SIDES] = {{.summary = NULL}, {.summary = NULL}};
	int code = read_side(&sides[COMPARE_OLD], request, (const char *const *)old->old,
			     old->old_count, "old", err);

	if (!code)
		code = read_side(&sides[COMPARE_NEW], request, request->paths, request->paths_count,
				 "new", err);
	if (!code)
		code = compare(request, sides, style, err);
	summary__free(sides[COMPARE_OLD].summary);
	summary__free(sides[COMPARE_NEW].summary);
	return code;
}
