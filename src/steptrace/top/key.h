/* SPDX-License-Identifier: BSD-2-Clause */
/* The key that was pressed: a character (UTF-32), or one of these. 0: a key without a meaning. */
#ifndef STEPTRACE_TOP_KEY_H
#define STEPTRACE_TOP_KEY_H

enum top_key {
	TOP_KEY_ENTER = '\n',
	TOP_KEY_CLEAR = 0x15, /* Ctrl-U */
	TOP_KEY_ESCAPE = 0x1b,
	TOP_KEY_BACKSPACE = 0x7f,
	TOP_KEY_UP = 0x110000, /* behind the last character */
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_F1,
};

#endif
