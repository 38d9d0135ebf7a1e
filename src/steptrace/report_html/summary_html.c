// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report_html/summary_html.h"

#include <errno.h>

#include "steptrace/report_html/html_page.h"
#include "steptrace/report_html/page_files.h"
#include "steptrace/version.h"

static void put_end(struct html_page *page)
{
	html_page__put(page,
		       "</main>\n<footer><p>Written by steptrace %s. Counts and sums are "
		       "exact. Percentiles differ from the exact ones by less than 0.8&nbsp;%%. "
		       "All times are UTC.</p></footer>\n",
		       STEPTRACE_VERSION);
	html_page__put(page, "<script>%s</script>\n</body>\n</html>\n", report_html_page_js);
}

int summary_html__write(FILE *out, const struct summary *summary,
			const struct recording_counts *counts)
{
	struct html_page page = {.out = out, .summary = summary, .counts = counts};

	html_head__write(&page);
	html_coverage__write(&page);
	html_timeline__write(&page);
	html_tables__write(&page);
	html_waterfalls__write(&page);
	put_end(&page);
	return page.has_failed ? -ENOMEM : 0;
}
