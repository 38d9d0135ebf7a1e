/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal of steptrace top: draws pages (top/page.h) and reads keys (top/key.h). The only
 * file that uses ncurses.
 *
 *	screen__open()		takes the terminal: standard input and standard output
 *	screen__fd()		is readable when screen__next() has something to say
 *	screen__close()		gives the terminal back as it was
 *
 * One screen can be open at a time. While it is open, SIGWINCH, SIGTSTP and SIGCONT are blocked and
 * belong to it. A signal that ends the program, such as SIGSEGV, gives the terminal back first;
 * SIGKILL cannot.
 */
#ifndef STEPTRACE_SCREEN_H
#define STEPTRACE_SCREEN_H

#include <stdint.h>

#include "common/error.h"
#include "steptrace/top/page.h"

struct screen;

/* Whether there is a terminal at all: 0, or -ENOTTY with a sentence. */
int screen__check(struct error *err);

/* 0 or negative errno with a sentence. */
int screen__open(struct screen **screen, struct error *err);
/* Also NULL. */
void screen__close(struct screen *screen);

int screen__fd(const struct screen *screen);

enum screen_news {
	SCREEN_NOTHING,
	SCREEN_KEY,
	SCREEN_REDRAW, /* another size, or the terminal was used by another program */
	SCREEN_GONE,   /* the terminal was closed */
};

/* What happened next. Suspends the process if the user wants that. Never waits for a key. */
enum screen_news screen__next(struct screen *screen, uint32_t *key);

void screen__size(const struct screen *screen, unsigned int *width, unsigned int *height);

/* Leaves the drawing out while the terminal takes no output: the recording does not wait. */
void screen__draw(struct screen *screen, const struct page *page);

#endif
