// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record_format.h"

#include "common/terminal.h"
#include "steptrace/record/text_width.h"

bool record_format__needs_json(const struct session_options *session)
{
	return session->fields.count || session->seed_fields_only || session->safe_integers ||
	       session->labels.count;
}

void record_format__choose(struct session_options *session)
{
	session->text.columns = text_width__columns(session->outputs, session->outputs_count);
	session->text.has_colours = session->text.columns && terminal__wants_colours();
	if (!session->format_is_given && !record_format__needs_json(session) &&
	    (session->text.columns || session->text.has_ids))
		session->format = FORMAT_COMPACT;
}
