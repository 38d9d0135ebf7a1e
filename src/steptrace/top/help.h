/* SPDX-License-Identifier: BSD-2-Clause */
/* The help of top: the tables of keys and of columns. It can be scrolled where the screen has less
 * lines. */
#ifndef STEPTRACE_TOP_HELP_H
#define STEPTRACE_TOP_HELP_H

#include "steptrace/top/page.h"
#include "steptrace/top/view.h"

void top_help__put(struct page *page, struct top_view *view, unsigned int lines);

#endif
