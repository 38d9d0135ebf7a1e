/* SPDX-License-Identifier: BSD-2-Clause */
/* page.css and page.js as part of the program; src/steptrace/embed-page makes them. */
#ifndef STEPTRACE_REPORT_HTML_PAGE_FILES_H
#define STEPTRACE_REPORT_HTML_PAGE_FILES_H

extern const char report_html_page_css[], report_html_page_css_hash[];
extern const char report_html_page_js[], report_html_page_js_hash[];

#endif
