// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/summary_text.h"

#include <errno.h>

#include "steptrace/report/text_page.h"

int summary_text__write(FILE *out, const struct summary *summary,
			const struct recording_counts *counts, const struct text_style *style)
{
	struct text_page page = {.style = style, .summary = summary, .counts = counts};
	int code = json__init(&page.text, 1 << 16);

	if (code)
		return code;
	text_coverage__write(&page);
	text_tables__write(&page);
	text_timeline__write(&page);
	text_waterfalls__write(&page);
	if (!page.has_failed)
		fwrite(page.text.base, 1, json__length(&page.text), out);
	json__free(&page.text);
	return page.has_failed ? -ENOMEM : 0;
}
