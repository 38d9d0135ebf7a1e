// SPDX-License-Identifier: BSD-2-Clause
/* The screens of top, and what the keys make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdbool.h>

#include "common/printable.h"
#include "top_fixture.h"

/* Three commands that sort into another order by each column, and a hanging one. */
static void feed_some(void)
{
	for (int i = 0; i < 3; i++)
		feed_execution("bravo", 1000000, OUTCOME_SUCCESS);
	for (int i = 0; i < 2; i++)
		feed_execution("alpha", 3000000, i ? OUTCOME_SUCCESS : OUTCOME_FAILURE);
	feed_begin("charlie", 4 * TOP_SECOND);
	feed_step_named("NotifyStep", "tell", 5000, OUTCOME_SUCCESS);
	feed_step_named("TransformStep", "", 7000, OUTCOME_FAILURE);
	feed_end("charlie", 2000000, OUTCOME_SUCCESS);
	feed_begin("hanging", 9 * TOP_SECOND);
	feed_step_begin("WaitStep", "wait", 9 * TOP_SECOND);
}

static void expect_names(const char *expected)
{
	const char *shown = names(80, 24);

	if (strcmp(shown, expected) != 0)
		fail_msg("'%s' instead of '%s'", shown, expected);
}

static void expect_in(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("not in the text: %s\n%s", part, text);
}

/* ---- whole screens */

static void a_screen_of_80_columns(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	assert_string_equal(
		screen(80, 9),
		" steptrace top  all runners                                                "
		"10 s\n"
		" 15 events  0 lost  1 open, the oldest 2.00 s: hanging\n"
		" COMMAND      RATE/s  COUNT     P50    ▼P99     MAX FAILED  OPEN  OLDEST\n"
		" alpha           0.0      2 3.00 ms 3.00 ms 3.00 ms      1     0       -\n"
		" charlie         0.0      1 2.00 ms 2.00 ms 2.00 ms      0     0       -\n"
		" bravo           0.0      3 1.00 ms 1.00 ms 1.00 ms      0     0       -\n"
		" hanging         0.0      0       -       -       -      0     1  2.00 s\n"
		"\n"
		" Enter steps  ? help  q quit  s sort  / filter  p pause  r reset     "
		"  1-4 of 4\n");
	end_top();
}

static void a_screen_of_60_columns(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	assert_string_equal(screen(60, 7),
			    " steptrace top  all runners                            10 s\n"
			    " 15 events  0 lost  1 open, the oldest 2.00 s: hanging\n"
			    " COMMAND      RATE/s     P50    ▼P99 FAILED  OPEN  OLDEST\n"
			    " alpha           0.0 3.00 ms 3.00 ms      1     0       -\n"
			    " charlie         0.0 2.00 ms 2.00 ms      0     0       -\n"
			    " bravo           0.0 1.00 ms 1.00 ms      0     0       -\n"
			    " Enter steps  ? help  q quit  s sort  / filter     1-3 of 4\n");
	end_top();
}

static void a_file_gets_everything(void **state)
{
	char slug[64];

	(void)state;
	begin_top(10);
	memset(slug, 'x', sizeof(slug) - 1);
	slug[sizeof(slug) - 1] = 0;
	feed_execution(slug, 1500, OUTCOME_SUCCESS);
	assert_string_equal(
		once(0),
		"steptrace top  all runners  10.0 s\n"
		"2 events  0 lost  none open\n"
		"COMMAND                                                          RATE/s   COUNT  "
		"    P50     ▼P99      MAX  FAILED   OPEN   OLDEST\n"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx     0.0       1  "
		"1.50 us  1.50 us  1.50 us       0      0        -\n");
	end_top();
}

/* Also of a terminal that is too small for anything. */
static void no_line_is_too_wide_and_no_screen_too_high(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	feed_execution("a-slug-that-is-too-long-for-most-terminals-of-this-world", 1,
		       OUTCOME_SUCCESS);
	for (int mode = 0; mode < 3; mode++) {
		press(mode == 0 ? "" : mode == 1 ? "\n" : "?");
		for (unsigned int width = 1; width < 140; width++)
			for (unsigned int height = 1; height < 30; height++) {
				const char *text = screen(width, height);
				unsigned int lines = 0;

				for (; *text; text = strchr(text, '\n') + 1, lines++)
					assert_true(printable__columns(text, strcspn(text, "\n")) <=
						    width);
				assert_true(lines <= height);
			}
	}
	end_top();
}

static void what_is_lost_and_not_seen(void **state)
{
	(void)state;
	begin_top(10);
	feed_begin("a", 4 * TOP_SECOND);
	feed_end("a", 1, OUTCOME_SUCCESS);
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 3);
	stream__add_filtered(stream, EVENT_STEP_EXECUTED, 4);
	top.not_seen = 5;
	assert_string_equal(line_at(screen(120, 24), 1),
			    " 2 events  3 lost  4 filtered  5 steps not seen  none open");
	assert_string_equal(line_at(screen(40, 24), 2), " 5 steps not seen  none open");
	end_top();
}

static void executions_that_were_forgotten(void **state)
{
	struct stream_options for_stream = options_for(FORMAT_REPORT);

	(void)state;
	for_stream.executions_limit = 2;
	begin_top_with(10, for_stream);
	for (uint64_t i = 0; i < 3; i++)
		feed_begin("a", 4 * TOP_SECOND);
	assert_non_null(strstr(screen(80, 24), " 1 executions forgotten  2 open, the oldest "));
	end_top();
}

static void nothing_yet(void **state)
{
	(void)state;
	begin_top(10);
	assert_string_equal(line_at(screen(80, 24), 3), " no command has ended, and none is open");
	end_top();
}

static void a_message(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	assert_string_equal(line_at(screen_with("attached to '/usr/bin/x'", 60, 12), 11),
			    " attached to '/usr/bin/x'                          1-4 of 4");
	assert_string_equal(line_at(screen_with("attached to '/usr/bin/x'", 30, 12), 11),
			    " attached to '/usr…  1-4 of 4");
	end_top();
}

/* Which steps are open is not known if their beginnings are not recorded. */
static void steps_without_beginnings(void **state)
{
	struct stream_options for_stream = options_for(FORMAT_REPORT);

	(void)state;
	for_stream.step_starts_left_out = true;
	begin_top_with(10, for_stream);
	feed_begin("a", 9 * TOP_SECOND);
	feed_step_named("S", "", 5000, OUTCOME_SUCCESS);
	assert_string_equal(line_at(screen(80, 24), 3),
			    " a               0.0      0       -       -       -      0     1  "
			    "2.00 s");
	press("\n");
	assert_string_equal(line_at(screen(80, 24), 3),
			    " S               0.0      1 5.00 us 5.00 us 5.00 us      0     -      "
			    " -");
	end_top();
}

static const struct page_piece *piece_with(const struct page *page, const char *text)
{
	for (size_t i = 0; i < page->count; i++)
		if (!page->pieces[i].is_fill && page->pieces[i].bytes == strlen(text) &&
		    memcmp(page->text.text + page->pieces[i].from, text, strlen(text)) == 0)
			return &page->pieces[i];
	fail_msg("nothing is '%s'", text);
	return NULL;
}

/* Failures, losses, and a command that is open for longer than those that ended. */
static void what_strikes(void **state)
{
	const struct page *page;

	(void)state;
	begin_top(10);
	feed_some();
	feed_begin("new", 10 * TOP_SECOND + 500000000);
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 1);
	screen(80, 24);
	page = &top.page;
	assert_int_equal(piece_with(page, "1 lost")->look, LOOK_FAILED);
	assert_int_equal(piece_with(page, "1")->look, LOOK_FAILED);
	assert_int_equal(piece_with(page, "2.00 s")->look, LOOK_OLD);
	assert_int_equal(piece_with(page, "500 ms")->look, LOOK_PLAIN);
	assert_int_equal(piece_with(page, "▼P99")->look, LOOK_SORTED);
	assert_int_equal(piece_with(page, "MAX")->look, LOOK_TITLE);
	end_top();
}

/* ---- the order */

static void each_column_sorts(void **state)
{
	static const struct {
		const char *key, *names, *inverted;
	} cases[] = {
		{"1", "alpha bravo charlie hanging", "hanging charlie bravo alpha"},
		{"2", "alpha bravo charlie hanging", "alpha bravo charlie hanging"},
		{"3", "bravo alpha charlie hanging", "hanging charlie alpha bravo"},
		{"4", "alpha charlie bravo hanging", "hanging bravo charlie alpha"},
		{"5", "alpha charlie bravo hanging", "hanging bravo charlie alpha"},
		{"6", "alpha charlie bravo hanging", "hanging bravo charlie alpha"},
		{"7", "alpha bravo charlie hanging", "bravo charlie hanging alpha"},
		{"8", "hanging alpha bravo charlie", "alpha bravo charlie hanging"},
		{"9", "hanging alpha bravo charlie", "alpha bravo charlie hanging"},
	};

	(void)state;
	begin_top(10);
	feed_some();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		press(cases[i].key);
		expect_names(cases[i].names);
		press("i");
		expect_names(cases[i].inverted);
		press("i");
	}
	end_top();
}

static void the_next_column(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("s");
	assert_non_null(strstr(screen(80, 24), "▼MAX"));
	press("S<");
	assert_non_null(strstr(screen(80, 24), "▼P50"));
	press("1>i");
	assert_non_null(strstr(screen(80, 24), "▲RATE/s"));
	press("1S");
	assert_non_null(strstr(screen(80, 24), "▼OLDEST"));
	press("s");
	assert_non_null(strstr(screen(80, 24), "COMMAND▼"));
	end_top();
}

static void other_is_always_the_last(void **state)
{
	(void)state;
	begin_top(1);
	feed_execution("a", 1, OUTCOME_SUCCESS);
	feed_execution("b", 10, OUTCOME_SUCCESS);
	expect_names("a (other)");
	press("i");
	expect_names("a (other)");
	end_top();
}

/* The column that the rows are sorted by is never left out. */
static void the_sorted_column_stays(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("6");
	assert_non_null(strstr(screen(60, 24), "▼MAX"));
	press("3");
	assert_non_null(strstr(screen(60, 24), "▼COUNT"));
	assert_null(strstr(screen(60, 24), "MAX"));
	end_top();
}

/* ---- the selection */

static const char *selected(void)
{
	return top.view.list[top_view__selected(&top.view)]->text;
}

static void it_moves(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("1");
	screen(80, 24);
	assert_string_equal(selected(), "alpha");
	press("jj");
	assert_string_equal(selected(), "charlie");
	press("k");
	assert_string_equal(selected(), "bravo");
	press("kkkk");
	assert_string_equal(selected(), "alpha");
	press_key(TOP_KEY_END);
	press_key(TOP_KEY_DOWN);
	assert_string_equal(selected(), "hanging");
	press_key(TOP_KEY_UP);
	assert_string_equal(selected(), "charlie");
	press("g");
	assert_string_equal(selected(), "alpha");
	end_top();
}

/* It stays on its row in another order; until it was moved, on the first row. */
static void it_follows_its_row(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("1i");
	assert_string_equal(selected(), "hanging");
	press("ij");
	assert_string_equal(selected(), "bravo");
	press("i");
	assert_string_equal(selected(), "bravo");
	assert_int_equal(top_view__selected(&top.view), 2);
	press_key(TOP_KEY_HOME);
	press("i");
	assert_string_equal(selected(), "alpha");
	end_top();
}

static void a_long_list_is_scrolled(void **state)
{
	char slug[16];

	(void)state;
	begin_top(10000);
	for (int i = 0; i < 5000; i++) {
		snprintf(slug, sizeof(slug), "c%04d", i);
		feed_execution(slug, 1, OUTCOME_SUCCESS);
	}
	press("1");
	assert_non_null(strstr(screen(80, 14), "1-10 of 5000"));
	press_key(TOP_KEY_PAGE_DOWN);
	press_key(TOP_KEY_PAGE_DOWN);
	assert_non_null(strstr(screen(80, 14), "10-19 of 5000"));
	assert_string_equal(selected(), "c0018");
	press_key(TOP_KEY_PAGE_UP);
	assert_non_null(strstr(screen(80, 14), "10-19 of 5000"));
	press("G");
	assert_non_null(strstr(screen(80, 14), "4991-5000 of 5000"));
	assert_non_null(strstr(screen(80, 24), "4981-5000 of 5000")); /* the screen has grown */
	assert_true(top.page.count < 400); /* only these rows are laid out */
	press("/c123");
	assert_non_null(strstr(screen(80, 14), "1-10 of 10"));
	end_top();
}

/* ---- steps */

static void the_steps_of_a_command(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("1jj\n");
	assert_string_equal(
		line_at(screen(80, 24), 0),
		" steptrace top  all runners › charlie                                  "
		"    10 s");
	assert_non_null(strstr(line_at(screen(80, 24), 2), " STEP▼"));
	assert_non_null(strstr(line_at(screen(80, 24), 3), " TransformStep      0.0 "));
	assert_non_null(strstr(line_at(screen(80, 24), 4), " tell NotifyStep    0.0 "));
	assert_non_null(strstr(screen(80, 24), " Esc back  "));
	press("\n"); /* a step has no steps */
	assert_non_null(strstr(screen(80, 24), "› charlie"));
	press_key(TOP_KEY_ESCAPE);
	assert_non_null(strstr(line_at(screen(80, 24), 2), " COMMAND▼"));
	assert_string_equal(selected(), "charlie");
	end_top();
}

static void a_step_that_hangs(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("9");
	press_key(TOP_KEY_RIGHT);
	assert_string_equal(line_at(screen(80, 24), 3),
			    " wait WaitStep    0.0      0       -       -       -      0     1  "
			    "2.00 s");
	press_key(TOP_KEY_LEFT);
	assert_non_null(strstr(screen(80, 24), "COMMAND"));
	end_top();
}

/* ---- the filter */

static void rows_that_contain_it(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("/HA");
	assert_non_null(strstr(screen(80, 24), "\n filter: HA "));
	assert_true(top.page.has_cursor);
	assert_int_equal(top.page.cursor_column, 11);
	expect_names("alpha charlie hanging");
	press("r");
	expect_names("charlie");
	press_key(TOP_KEY_BACKSPACE);
	press_key(TOP_KEY_BACKSPACE);
	press_key(TOP_KEY_ENTER);
	press("q"); /* not typed any more */
	assert_true(top.view.wants_end);
	assert_non_null(strstr(screen(80, 24), "filter 'H'  1-3 of 3"));
	press_key(TOP_KEY_ESCAPE);
	expect_names("alpha charlie bravo hanging");
	end_top();
}

static void how_it_is_typed(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("/zz");
	assert_non_null(strstr(screen(80, 24), "\n no command contains 'zz'\n"));
	press_key(TOP_KEY_CLEAR);
	press("bra");
	press_key(TOP_KEY_DOWN);
	expect_names("bravo");
	press_key(TOP_KEY_ESCAPE);
	expect_names("alpha charlie bravo hanging");
	press("/");
	press_key(0xe9);
	press_key(0x20ac);
	press_key(0x1f600);
	press_key(0x9b);         /* a control character */
	press_key(TOP_KEY_DOWN); /* no character */
	press_key(TOP_KEY_PAGE_UP);
	assert_string_equal(top.view.levels[0].filter, "é€😀");
	press_key(TOP_KEY_BACKSPACE);
	assert_string_equal(top.view.levels[0].filter, "é€");
	for (int i = 0; i < 100; i++)
		press("x");
	assert_int_equal(strlen(top.view.levels[0].filter), FILTER_BYTES - 1);
	for (int i = 0; i < 100; i++)
		press_key(TOP_KEY_BACKSPACE);
	assert_string_equal(top.view.levels[0].filter, "");
	end_top();
}

/* The list of steps has a filter of its own. */
static void a_filter_for_each_list(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("/char\n\n/tell\n");
	assert_non_null(strstr(screen(80, 24), "1-1 of 1"));
	press_key(TOP_KEY_ESCAPE);
	expect_names("charlie");
	press("\n");
	assert_non_null(strstr(screen(80, 24), "1-2 of 2"));
	end_top();
}

/* ---- pause and reset */

static void numbers_stand_still(void **state)
{
	char before[2048];

	(void)state;
	begin_top(10);
	feed_some();
	press("p");
	snprintf(before, sizeof(before), "%s", screen(80, 24));
	assert_non_null(strstr(before, "PAUSED  10 s"));
	top_now(20);
	feed_execution("alpha", 9000000, OUTCOME_SUCCESS);
	feed_execution("delta", 9000000, OUTCOME_SUCCESS);
	assert_string_equal(screen(80, 24), before);
	press("1jj\n"); /* the steps of another command, as of the same time */
	assert_non_null(strstr(screen(80, 24), "1-2 of 2"));
	press_key(TOP_KEY_ESCAPE);
	press(" ");
	expect_names("alpha bravo charlie delta hanging");
	assert_non_null(strstr(screen(80, 24), "19 s"));
	end_top();
}

static void counting_begins_again(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	stream__add_loss(stream, EVENT_STEP_EXECUTED, LOSS_BUFFER_FULL, 3);
	press("pr");
	expect_names("hanging"); /* it is still open */
	assert_string_equal(line_at(screen(80, 24), 1),
			    " 0 events  0 lost  1 open, the oldest 2.00 s: hanging");
	top_now(13);
	feed_execution("alpha", 1000, OUTCOME_SUCCESS);
	expect_names("alpha hanging");
	assert_non_null(strstr(line_at(screen(80, 24), 0), " 2 s"));
	end_top();
}

/* The list of steps stays open, and fills again. */
static void reset_in_the_list_of_steps(void **state)
{
	(void)state;
	begin_top(10);
	feed_some();
	press("/char\n\njr");
	assert_non_null(strstr(screen(80, 24), "› charlie"));
	assert_non_null(strstr(screen(80, 24), " no step has ended, and none is open\n"));
	feed_begin("charlie", 12 * TOP_SECOND);
	feed_step_named("NewStep", "", 5000, OUTCOME_SUCCESS);
	assert_non_null(strstr(screen(80, 24), "\n NewStep "));
	press_key(TOP_KEY_ESCAPE);
	expect_names("charlie");
	end_top();
}

/* ---- where the time went */

static void begin_top_measured(void)
{
	struct stream_options options = options_for(FORMAT_REPORT);

	options.has_breakdown = true;
	begin_top_with(10, options);
}

/* An execution of 1 ms. `kind` takes what is left of it. */
static void feed_measured(const char *slug, uint64_t on_cpu_ns, uint64_t runnable_ns,
			  enum blocked_kind kind)
{
	struct steptrace_cpu cpu = {
		.threads_ns = 1000000, .on_cpu_ns = on_cpu_ns, .runnable_ns = runnable_ns};
	struct command_span command;

	feed_begin(slug, 4 * TOP_SECOND);
	command = command_named(slug);
	cpu.blocked_ns[kind] = cpu.threads_ns - on_cpu_ns - runnable_ns;
	command.head.start_ns = 4 * TOP_SECOND;
	command.head.end_ns = command.head.start_ns + cpu.threads_ns;
	command.outcome = OUTCOME_SUCCESS;
	feed(stream, records__measured(
			     records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)), &cpu));
}

static void feed_some_measured(void)
{
	feed_measured("computing", 999000, 0, BLOCKED_OTHER);
	feed_measured("computing", 995000, 5000, BLOCKED_OTHER);
	feed_measured("saving", 100000, 0, BLOCKED_DISK);
	feed_measured("saving", 100000, 100000, BLOCKED_LOCK);
	feed_measured("saving", 200000, 100000, BLOCKED_DISK);
	feed_execution("unmeasured", 1000000, OUTCOME_SUCCESS);
}

static void expect_line(const char *text, unsigned int number, const char *expected)
{
	if (strcmp(line_at(text, number), expected) != 0)
		fail_msg("'%s' instead of '%s'", line_at(text, number), expected);
}

static void two_columns_say_where_the_time_went(void **state)
{
	const char *text;

	(void)state;
	begin_top_measured();
	feed_some_measured();
	press("1");
	text = screen(120, 9);
	expect_line(text, 2,
		    " COMMAND▼      RATE/s   COUNT      P50      P99      MAX  FAILED   OPEN   "
		    "OLDEST    CPU      WAITS FOR");
	expect_line(
		text, 3,
		" computing        0.0       2  1.00 ms  1.00 ms  1.00 ms       0      0        -"
		"  100 %      other 0 %");
	expect_line(
		text, 4,
		" saving           0.0       3  1.00 ms  1.00 ms  1.00 ms       0      0        -"
		"   13 %      disk 53 %");
	expect_line(
		text, 5,
		" unmeasured       0.0       1  1.00 ms  1.00 ms  1.00 ms       0      0        -"
		"      -              -");
	end_top();
}

/* The share of the time on a processor stays, also in 60 columns. */
static void where_the_time_went_on_a_narrow_screen(void **state)
{
	const char *text;

	(void)state;
	begin_top_measured();
	feed_some_measured();
	press("1");
	text = screen(60, 15);
	expect_line(text, 2, " COMMAND▼     RATE/s     P99 FAILED  OPEN  OLDEST   CPU");
	expect_line(text, 4, " saving          0.0 1.00 ms      0     0       -  13 %");
	end_top();
}

static void sorted_by_where_the_time_went(void **state)
{
	(void)state;
	begin_top_measured();
	feed_some_measured();
	press("9s");
	expect_names("computing saving unmeasured");
	press("i");
	expect_names("unmeasured saving computing");
	press("s");
	expect_names("saving computing unmeasured");
	press("s");
	expect_in(screen(120, 9), "COMMAND▼");
	press("S");
	expect_in(screen(120, 9), "▼WAITS FOR");
	press("r");
	expect_names("no"); /* command has ended */
	feed_measured("computing", 500000, 0, BLOCKED_LOCK);
	expect_in(screen(120, 9), " 50 %      lock 50 %\n");
	end_top();
}

/* ---- help and end */

static void the_help_has_every_key_and_column(void **state)
{
	const struct top_key_help *help;

	(void)state;
	begin_top(10);
	feed_some();
	press("?");
	for (size_t i = 0; (help = top_keys__help(i)); i++)
		assert_non_null(strstr(screen(80, 40), help->help));
	for (int i = 0; i < TOP_COLUMNS_USUAL; i++) {
		assert_non_null(strstr(screen(80, 40), top_columns[i].title));
		assert_non_null(strstr(screen(80, 40), top_columns[i].help));
	}
	assert_null(strstr(screen(80, 40), top_columns[COLUMN_CPU].help));
	assert_null(strstr(screen(60, 15), "9 OLDEST"));
	for (int i = 0; i < 10; i++)
		press_key(TOP_KEY_PAGE_DOWN);
	assert_non_null(strstr(screen(60, 15), "9 OLDEST"));
	press_key(TOP_KEY_UP);
	assert_null(strstr(screen(60, 15), "9 OLDEST"));
	press_key(TOP_KEY_PAGE_UP);
	assert_non_null(strstr(screen(60, 15), "Up, Down "));
	press("q"); /* any key goes back, and does nothing else */
	assert_false(top.view.wants_end);
	expect_names("alpha charlie bravo hanging");
	end_top();
	begin_top_measured();
	press("?");
	for (int i = 0; i < TOP_COLUMNS_COUNT; i++)
		assert_non_null(strstr(screen(80, 40), top_columns[i].help));
	end_top();
}

static void keys_that_mean_nothing(void **state)
{
	char before[2048];

	(void)state;
	begin_top(10);
	feed_some();
	snprintf(before, sizeof(before), "%s", screen(80, 24));
	press("0xyzX!~");
	press_key(0);
	press_key(0x1f600);
	assert_string_equal(screen(80, 24), before);
	assert_false(top.view.wants_end);
	end_top();
}

/* No key does harm in an empty list. */
static void keys_in_an_empty_list(void **state)
{
	(void)state;
	begin_top(10);
	press("jkgGsSi\n");
	press_key(TOP_KEY_PAGE_DOWN);
	press_key(TOP_KEY_PAGE_UP);
	press_key(TOP_KEY_ESCAPE);
	press("r/x\n");
	assert_non_null(strstr(screen(80, 24), "no command contains 'x'"));
	end_top();
}

/* ---- what was open at the last look into the memory of the runners */

static void look(const char *slug, uint8_t id, const char *step_type, bool is_age_known)
{
	struct open_item item = {
		.is_step = step_type != NULL,
		.age_ns = (is_age_known ? 3 : 4) * TOP_SECOND,
		.seen_ns = 10 * TOP_SECOND,
		.is_age_known = is_age_known,
	};

	snprintf(item.slug, sizeof(item.slug), "%s", slug);
	snprintf(item.step_type, sizeof(item.step_type), "%s", step_type ? step_type : "");
	if (id && step_type)
		records__id(item.step_id, id);
	else if (id)
		records__id(item.execution_id, id);
	top__add_open(&top, &item);
}

static void what_only_a_look_knows(void **state)
{
	(void)state;
	begin_top(10);
	top__begin_look(&top);
	look("silent", 0, NULL, false);
	look("silent", 0, "WaitStep", false);
	look("observed", 0x77, NULL, true);
	expect_in(screen(80, 9), " 0 events  0 lost  2 open, the oldest >5.00 s: silent\n");
	expect_in(screen(80, 9),
		  " silent          0.0      0       -       -       -      0     1 >5.00 s\n");
	expect_in(screen(80, 9),
		  " observed        0.0      0       -       -       -      0     1  4.00 s\n");
	end_top();
}

/* Once, as the stream knows it. */
static void what_the_stream_knows_too(void **state)
{
	(void)state;
	begin_top(10);
	feed_begin("hanging", 9 * TOP_SECOND);
	top__begin_look(&top);
	look("hanging", next_id, NULL, true);
	expect_in(screen(80, 9), "  1 open, the oldest 2.00 s: hanging\n");
	end_top();
}

static void what_ended_since_the_look(void **state)
{
	(void)state;
	begin_top(10);
	feed_begin("done", 9 * TOP_SECOND);
	top__begin_look(&top);
	look("done", next_id, NULL, true);
	feed_end("done", 1000, OUTCOME_SUCCESS);
	expect_in(screen(80, 9), "  none open\n");
	end_top();
}

static void a_look_replaces_the_one_before(void **state)
{
	(void)state;
	begin_top(10);
	top__begin_look(&top);
	look("first", 0, NULL, false);
	expect_in(screen(80, 9), "  1 open, the oldest >5.00 s: first\n");
	top__begin_look(&top);
	look("second", 0, NULL, false);
	expect_in(screen(80, 9), "  1 open, the oldest >5.00 s: second\n");
	top__begin_look(&top);
	expect_in(screen(80, 9), "  none open\n");
	end_top();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_screen_of_80_columns),
		cmocka_unit_test(a_screen_of_60_columns),
		cmocka_unit_test(a_file_gets_everything),
		cmocka_unit_test(no_line_is_too_wide_and_no_screen_too_high),
		cmocka_unit_test(what_is_lost_and_not_seen),
		cmocka_unit_test(executions_that_were_forgotten),
		cmocka_unit_test(nothing_yet),
		cmocka_unit_test(a_message),
		cmocka_unit_test(steps_without_beginnings),
		cmocka_unit_test(what_strikes),
		cmocka_unit_test(each_column_sorts),
		cmocka_unit_test(the_next_column),
		cmocka_unit_test(other_is_always_the_last),
		cmocka_unit_test(the_sorted_column_stays),
		cmocka_unit_test(it_moves),
		cmocka_unit_test(it_follows_its_row),
		cmocka_unit_test(a_long_list_is_scrolled),
		cmocka_unit_test(the_steps_of_a_command),
		cmocka_unit_test(a_step_that_hangs),
		cmocka_unit_test(rows_that_contain_it),
		cmocka_unit_test(how_it_is_typed),
		cmocka_unit_test(a_filter_for_each_list),
		cmocka_unit_test(numbers_stand_still),
		cmocka_unit_test(counting_begins_again),
		cmocka_unit_test(reset_in_the_list_of_steps),
		cmocka_unit_test(two_columns_say_where_the_time_went),
		cmocka_unit_test(where_the_time_went_on_a_narrow_screen),
		cmocka_unit_test(sorted_by_where_the_time_went),
		cmocka_unit_test(the_help_has_every_key_and_column),
		cmocka_unit_test(keys_that_mean_nothing),
		cmocka_unit_test(keys_in_an_empty_list),
		cmocka_unit_test(what_only_a_look_knows),
		cmocka_unit_test(what_the_stream_knows_too),
		cmocka_unit_test(what_ended_since_the_look),
		cmocka_unit_test(a_look_replaces_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
