/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of the page, which are part of the program (embed-page). */
#ifndef STEPTRACE_FLAME_PAGE_PARTS_H
#define STEPTRACE_FLAME_PAGE_PARTS_H

extern const char flame_page_css[], flame_page_css_hash[];
extern const char flame_page_html[]; /* the body, below the facts */

/* The scripts, in the order in which they are executed: the tree; its picture; the page. */
extern const char flame_tree_js[], flame_tree_js_hash[];
extern const char flame_picture_js[], flame_picture_js_hash[];
extern const char flame_page_js[], flame_page_js_hash[];

#endif
