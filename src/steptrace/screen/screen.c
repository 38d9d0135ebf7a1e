// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/screen/screen.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "common/terminal.h"
#include "steptrace/top/key.h"

/* Both are last: term.h has macros with names such as `columns` and `lines`. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

enum { ESCAPE_DELAY_MS = 100 }; /* within which the rest of a key's bytes arrives */

struct screen {
	SCREEN *terminal;
	int epoll_fd, signal_fd;
	sigset_t signals;       /* that were blocked before */
	int looks[LOOKS_COUNT]; /* attributes */
};

int screen__check(struct error *err)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	return error__set(err, -ENOTTY,
			  "steptrace top draws on a terminal, and standard %s is none (--once "
			  "prints one screen as text)",
			  isatty(STDOUT_FILENO) ? "input" : "output");
}

/* ---- when the program crashes */

static struct {
	char reset[256]; /* what the terminal is sent */
	size_t bytes;
	struct termios modes;
	bool has_modes;
	bool is_prepared; /* actions_before is filled in */
} rescue;

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGQUIT, SIGSYS, SIGTRAP};

enum { CRASHES_COUNT = sizeof(crashes) / sizeof(crashes[0]) };

static struct sigaction actions_before[CRASHES_COUNT];

/* Calls only functions that a signal handler may call. The action is SA_RESETHAND, so the second
 * signal ends the program. */
static void on_crash(int number)
{
	if (write(STDOUT_FILENO, rescue.reset, rescue.bytes) < 0)
		rescue.bytes = 0;
	if (rescue.has_modes)
		tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
	raise(number);
}

/* A text with delays ("$<5>") is for terminals made of glass: it is left out. */
static void add_to_rescue(const char *capability)
{
	const char *text = tigetstr(capability);
	size_t bytes;

	if (!text || text == (const char *)-1 || strstr(text, "$<"))
		return;
	bytes = strlen(text);
	if (rescue.bytes + bytes > sizeof(rescue.reset))
		return;
	memcpy(rescue.reset + rescue.bytes, text, bytes);
	rescue.bytes += bytes;
}

/* Not where a sanitizer has a handler. */
static void prepare_rescue(void)
{
	const struct sigaction action = {.sa_handler = on_crash,
					 .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	rescue.bytes = 0;
	add_to_rescue("sgr0");
	add_to_rescue("rmkx");
	add_to_rescue("cnorm");
	add_to_rescue("rmcup");
	for (int i = 0; i < CRASHES_COUNT; i++) {
		sigaction(crashes[i], NULL, &actions_before[i]);
		if (actions_before[i].sa_handler == SIG_DFL)
			sigaction(crashes[i], &action, NULL);
	}
	rescue.is_prepared = true;
}

static void end_rescue(void)
{
	for (int i = 0; i < CRASHES_COUNT && rescue.is_prepared; i++)
		sigaction(crashes[i], &actions_before[i], NULL);
	rescue.is_prepared = false;
}

/* ---- the terminal */

/* The caller of a program with more rights does not choose which files describe terminals. */
static void distrust_environment(void)
{
	static const char *const names[] = {"TERMINFO", "TERMINFO_DIRS", "TERMCAP", "TERMPATH",
					    "HOME"};

	if (!getauxval(AT_SECURE))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

/* Text of the program is UTF-8, whatever the locale. */
static void use_utf8(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		setlocale(LC_CTYPE, "");
}

static bool can_move_cursor(void)
{
	const char *text = tigetstr("cup");

	return text && text != (const char *)-1;
}

static void set_modes(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	curs_set(0);
}

enum { PAIR_RED = 1, PAIR_YELLOW, PAIR_CYAN };

static void choose_looks(struct screen *screen)
{
	bool has_colours = terminal__wants_colours() && has_colors() && start_color() == OK &&
			   use_default_colors() == OK;

	if (has_colours) {
		init_pair(PAIR_RED, COLOR_RED, -1);
		init_pair(PAIR_YELLOW, COLOR_YELLOW, -1);
		init_pair(PAIR_CYAN, COLOR_CYAN, -1);
	}
	screen->looks[LOOK_BAR] = A_REVERSE;
	screen->looks[LOOK_TITLE] = A_UNDERLINE;
	screen->looks[LOOK_SORTED] =
		A_UNDERLINE | A_BOLD | (has_colours ? (int)COLOR_PAIR(PAIR_CYAN) : 0);
	screen->looks[LOOK_SELECTED] = A_REVERSE;
	screen->looks[LOOK_FAILED] = A_BOLD | (has_colours ? (int)COLOR_PAIR(PAIR_RED) : 0);
	screen->looks[LOOK_OLD] = A_BOLD | (has_colours ? (int)COLOR_PAIR(PAIR_YELLOW) : 0);
	screen->looks[LOOK_KEY] = A_BOLD;
}

/* newterm() sends nothing that needs to be undone if it fails. */
static int open_terminal(struct screen *screen, struct error *err)
{
	const char *name = getenv("TERM");

	distrust_environment();
	use_utf8();
	rescue.has_modes = tcgetattr(STDIN_FILENO, &rescue.modes) == 0;
	screen->terminal = newterm(NULL, stdout, stdin);
	if (!screen->terminal)
		return error__set(err, -ENOTTY,
				  "the terminal '%.64s' is not known (set TERM, for example to "
				  "xterm or vt100, or use --once)",
				  name ? name : "");
	if (!can_move_cursor())
		return error__set(err, -ENOTTY,
				  "the terminal '%.64s' cannot draw a screen (set TERM, for "
				  "example to xterm or vt100, or use --once)",
				  name ? name : "");
	set_modes();
	choose_looks(screen);
	prepare_rescue();
	return 0;
}

/* ---- what is waited for */

static int watch_fd(const struct screen *screen, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(screen->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_waiting(struct screen *screen)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGWINCH);
	sigaddset(&wanted, SIGTSTP);
	sigaddset(&wanted, SIGCONT);
	sigprocmask(SIG_BLOCK, &wanted, &screen->signals);
	screen->signal_fd = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	screen->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (screen->signal_fd < 0 || screen->epoll_fd < 0)
		return -errno;
	if (watch_fd(screen, screen->signal_fd) || watch_fd(screen, STDIN_FILENO))
		return -errno;
	return 0;
}

int screen__open(struct screen **out, struct error *err)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	int code;

	if (!screen)
		return error__set(err, -ENOMEM, "out of memory");
	screen->epoll_fd = screen->signal_fd = -1;
	code = open_waiting(screen);
	if (code)
		error__set(err, code, "cannot wait for keys: %s", strerror(-code));
	else
		code = open_terminal(screen, err);
	if (code) {
		screen__close(screen);
		return code;
	}
	*out = screen;
	return 0;
}

static void close_terminal(struct screen *screen)
{
	end_rescue();
	endwin();
	delscreen(screen->terminal);
}

void screen__close(struct screen *screen)
{
	if (!screen)
		return;
	if (screen->terminal)
		close_terminal(screen);
	if (screen->signal_fd >= 0)
		close(screen->signal_fd);
	if (screen->epoll_fd >= 0)
		close(screen->epoll_fd);
	sigprocmask(SIG_SETMASK, &screen->signals, NULL);
	free(screen);
}

int screen__fd(const struct screen *screen)
{
	return screen->epoll_fd;
}

/* ---- signals */

static void take_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resize_term(size.ws_row, size.ws_col);
}

/* The kernel decides whether the signal stops the process: not where no shell could continue it. */
static void suspend(void)
{
	sigset_t stop;

	endwin();
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
}

/* Returns whether there was a signal. */
static bool take_signals(const struct screen *screen)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (read(screen->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		any = true;
		if (info.ssi_signo == SIGTSTP)
			suspend();
		if (info.ssi_signo != SIGWINCH)
			reset_prog_mode();
		take_size();
		clearok(curscr, TRUE); /* terminals move text around when they change their size */
	}
	return any;
}

/* ---- keys */

static uint32_t key_of_code(wint_t code)
{
	static const struct {
		wint_t code;
		uint32_t key;
	} keys[] = {
		{KEY_UP, TOP_KEY_UP},         {KEY_DOWN, TOP_KEY_DOWN},
		{KEY_LEFT, TOP_KEY_LEFT},     {KEY_RIGHT, TOP_KEY_RIGHT},
		{KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
		{KEY_HOME, TOP_KEY_HOME},     {KEY_END, TOP_KEY_END},
		{KEY_ENTER, TOP_KEY_ENTER},   {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
		{KEY_DC, TOP_KEY_BACKSPACE},  {KEY_F(1), TOP_KEY_F1},
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return 0;
}

static uint32_t key_of_character(wint_t character)
{
	switch (character) {
	case '\r': return TOP_KEY_ENTER;
	case '\b': return TOP_KEY_BACKSPACE;
	default: return character;
	}
}

static bool is_terminal_gone(void)
{
	struct pollfd terminal = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&terminal, 1, 0) > 0 && terminal.revents & (POLLHUP | POLLERR | POLLNVAL);
}

enum screen_news screen__next(struct screen *screen, uint32_t *key)
{
	wint_t code;
	int kind;

	*key = 0;
	if (take_signals(screen))
		return SCREEN_REDRAW;
	kind = get_wch(&code);
	if (kind == ERR)
		return is_terminal_gone() ? SCREEN_GONE : SCREEN_NOTHING;
	*key = kind == KEY_CODE_YES ? key_of_code(code) : key_of_character(code);
	if (*key != '\f') /* Ctrl-L */
		return SCREEN_KEY;
	clearok(curscr, TRUE);
	return SCREEN_REDRAW;
}

/* ---- drawing */

void screen__size(const struct screen *screen, unsigned int *width, unsigned int *height)
{
	(void)screen;
	*width = (unsigned int)(COLS > 0 ? COLS : 0);
	*height = (unsigned int)(LINES > 0 ? LINES : 0);
}

static bool takes_output(void)
{
	struct pollfd terminal = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&terminal, 1, 0) > 0;
}

static int fill_of(const struct screen *screen, const struct page *page, uint32_t line)
{
	for (size_t i = 0; i < page->count; i++)
		if (page->pieces[i].is_fill && page->pieces[i].line == line)
			return screen->looks[page->pieces[i].look];
	return 0;
}

static void draw_piece(const struct screen *screen, const struct page *page,
		       const struct page_piece *piece)
{
	int look = screen->looks[piece->look] | fill_of(screen, page, piece->line);

	if (piece->is_fill) {
		mvhline((int)piece->line, 0, (chtype)' ' | (chtype)look, COLS);
		return;
	}
	attrset(look);
	mvaddnstr((int)piece->line, (int)piece->column, page->text.text + piece->from,
		  (int)piece->bytes);
	attrset(A_NORMAL);
}

static void place_cursor(const struct page *page)
{
	curs_set(page->has_cursor);
	if (page->has_cursor)
		move((int)page->cursor_line, (int)page->cursor_column);
}

void screen__draw(struct screen *screen, const struct page *page)
{
	if (!takes_output())
		return;
	erase();
	for (size_t i = 0; i < page->count; i++)
		draw_piece(screen, page, &page->pieces[i]);
	place_cursor(page);
	refresh();
}
