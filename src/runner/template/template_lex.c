// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lexer: first it splits the template into pieces, then each piece into tokens.
 *
 * A piece ends at its closing braces. Braces in quotes and inner pairs of braces do not end it, so
 * that {{ {"a": "}}"} }} is one piece. A line that contains only tags and blanks is removed,
 * including its newline.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/template_tree.h"
#include "runner/value/value.h"

/* ------------------------------------------------------------------ positions */

/* Continues from the last position: the parser asks for the position of every node, in order, so
 * the template is counted only once. */
void template_lex__position(struct lexer *lexer, const char *at, int *line, int *column)
{
	struct position *last = &lexer->last;
	size_t size;

	if (!last->at || at < last->at)
		*last = (struct position){lexer->source, 1, 1};
	for (; last->at < at; last->at += size) {
		size = utf8__size(last->at, (size_t)(at - last->at));
		last->column = *last->at == '\n' ? 1 : last->column + 1;
		last->line += *last->at == '\n';
	}
	*line = last->line;
	*column = last->column;
}

static int fail(struct lexer *lexer, int line, int column, const char *format, va_list args)
{
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	lexer->failed_line = line;
	lexer->failed_column = column;
	return error__set(lexer->err, -EINVAL, "line %d, column %d: %s", line, column, text);
}

int template_lex__fail_at(struct lexer *lexer, int line, int column, const char *format, ...)
{
	va_list args;
	int err;

	va_start(args, format);
	err = fail(lexer, line, column, format, args);
	va_end(args);
	return err;
}

int template_lex__fail(struct lexer *lexer, const char *at, const char *format, ...)
{
	int line, column, err;
	va_list args;

	template_lex__position(lexer, at, &line, &column);
	va_start(args, format);
	err = fail(lexer, line, column, format, args);
	va_end(args);
	return err;
}

/* ------------------------------------------------------------------ pieces */

/* Returns the place after the quoted text that starts at `at`; NULL: the closing quote is
 * missing. */
static const char *skip_quoted(const char *at, const char *end)
{
	char quote = *at++;

	while (at < end && *at != quote)
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return at < end ? at + 1 : NULL;
}

/* Returns the start of the closing mark ("}}" or "%}"); NULL: there is none. */
static const char *find_close(const char *at, const char *end, const char *mark)
{
	int depth = 0;

	while (at && at < end) {
		if (depth == 0 && at + 1 < end && at[0] == mark[0] && at[1] == mark[1])
			return at;
		if (*at == '\'' || *at == '"') {
			at = skip_quoted(at, end);
			continue;
		}
		depth += *at == '{';
		depth -= *at == '}' && depth > 0;
		at++;
	}
	return NULL;
}

static bool opens(const char *at, const char *end)
{
	return at + 1 < end && at[0] == '{' && (at[1] == '{' || at[1] == '%' || at[1] == '#');
}

static int read_marked(struct lexer *lexer, struct piece *piece)
{
	const char *open = lexer->at, *close;
	char mark = open[1];

	piece->kind = mark == '{' ? PIECE_OUTPUT : mark == '%' ? PIECE_TAG : PIECE_COMMENT;
	piece->at = open + 2;
	if (mark == '#')
		close = memmem(open + 2, (size_t)(lexer->end - open - 2), "#}", 2);
	else
		close = find_close(open + 2, lexer->end, mark == '{' ? "}}" : "%}");
	if (!close)
		return template_lex__fail(lexer, open, "'{%c' has no closing '%s'", mark,
					  mark == '{'   ? "}}"
					  : mark == '%' ? "%}"
							: "#}");
	piece->end = close;
	lexer->at = close + 2;
	return 0;
}

static int read_piece(struct lexer *lexer, struct piece *piece)
{
	if (opens(lexer->at, lexer->end))
		return read_marked(lexer, piece);
	*piece = (struct piece){.kind = PIECE_TEXT, .at = lexer->at};
	while (lexer->at < lexer->end && !opens(lexer->at, lexer->end))
		lexer->at++;
	piece->end = lexer->at;
	return 0;
}

/* ------------------------------------------------------------------ lines with tags only */

static bool is_blank(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\f\v", *at))
		at++;
	return at == end;
}

static const char *line_end(const struct piece *piece)
{
	const char *found = memchr(piece->at, '\n', (size_t)(piece->end - piece->at));

	return found ? found + 1 : NULL;
}

static const char *last_line(const struct piece *piece)
{
	const char *found = memrchr(piece->at, '\n', (size_t)(piece->end - piece->at));

	return found ? found + 1 : piece->at;
}

/* Removes the blanks and the newline of the line from pieces[from] to pieces[to]. */
static void cut_line(struct piece *pieces, size_t from, size_t to, bool ends_in_piece)
{
	for (size_t i = from; i < to; i++) {
		if (pieces[i].kind == PIECE_TEXT)
			pieces[i].end = i == from ? last_line(&pieces[i]) : pieces[i].at;
	}
	if (ends_in_piece)
		pieces[to].at = line_end(&pieces[to]);
}

/*
 * Removes lines that contain only tags. A line starts after the last newline of one piece of text
 * and ends at the first newline of a later piece of text:
 *
 *	"abc\n  " {% if x %} " " {# why #} "\n  def"	becomes
 *	"abc\n" {% if x %} {# why #} "  def"
 */
static void cut_lines(struct piece *pieces, size_t count)
{
	size_t from = 0;
	bool has_tag = false, has_more = false;

	for (size_t i = 0; i < count; i++) {
		struct piece *piece = &pieces[i];
		const char *end = piece->kind == PIECE_TEXT ? line_end(piece) : NULL;
		const char *start = i == 0 && end ? last_line(piece) : piece->at;

		has_more |= piece->kind == PIECE_OUTPUT;
		has_tag |= piece->kind == PIECE_TAG || piece->kind == PIECE_COMMENT;
		if (piece->kind != PIECE_TEXT)
			continue;
		if (!end || i == 0) {
			has_more |= !is_blank(start, piece->end);
			continue;
		}
		if (has_tag && !has_more && is_blank(piece->at, end - 1))
			cut_line(pieces, from, i, true);
		from = i;
		has_tag = false;
		has_more = !is_blank(last_line(piece), piece->end);
	}
	if (has_tag && !has_more)
		cut_line(pieces, from, count, false);
}

static int add_piece(struct piece **pieces, size_t count, const struct piece *piece)
{
	struct piece *longer;

	if ((count & (count - 1)) == 0) {
		longer = realloc(*pieces, (count ? 2 * count : 1) * sizeof(*longer));
		if (!longer)
			return -ENOMEM;
		*pieces = longer;
	}
	(*pieces)[count] = *piece;
	return 0;
}

int template_lex__pieces(struct lexer *lexer, struct piece **pieces, size_t *count)
{
	int err = 0;

	*pieces = NULL;
	*count = 0;
	while (!err && lexer->at < lexer->end) {
		struct piece piece;

		err = read_piece(lexer, &piece);
		if (!err && add_piece(pieces, *count, &piece))
			err = error__set(lexer->err, -ENOMEM, "out of memory");
		*count += !err;
	}
	if (!err)
		cut_lines(*pieces, *count);
	return err;
}

/* ------------------------------------------------------------------ tokens */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_digits(const char *at, const char *end)
{
	while (at < end && is_digit(*at))
		at++;
	return at;
}

/* A hyphen is part of a name if a letter or digit follows. */
static const char *skip_name(const char *at, const char *end)
{
	const char *behind = at;

	for (; at < end && (is_letter(*at) || is_digit(*at) || *at == '-'); at++)
		if (*at != '-')
			behind = at + 1;
	return behind;
}

static const char *skip_number(const char *at, const char *end)
{
	at = skip_digits(at, end);
	if (at + 1 < end && *at == '.' && is_digit(at[1]))
		at = skip_digits(at + 1, end);
	return at;
}

static void skip_blanks(struct lexer *lexer)
{
	while (lexer->at < lexer->end && strchr(" \t\r\n\f\v", *lexer->at))
		lexer->at++;
}

static int read_sign(struct lexer *lexer, struct token *token)
{
	const char *at = lexer->at;

	token->kind = TOKEN_SIGN;
	token->end = at + 1;
	if (at + 1 < lexer->end && at[1] == '=' && strchr("=!<>", *at))
		token->end++;
	else if (!strchr("+-*/<>=?:|.,()[]{}", *at))
		return template_lex__fail(lexer, at, "unexpected '%.*s'",
					  (int)utf8__size(at, (size_t)(lexer->end - at)), at);
	return 0;
}

int template_lex__token(struct lexer *lexer, struct token *token)
{
	const char *at, *end = lexer->end;
	int err = 0;

	skip_blanks(lexer);
	at = lexer->at;
	*token = (struct token){.kind = TOKEN_END, .at = at, .end = at};
	if (at == end)
		return 0;
	if (is_letter(*at))
		*token = (struct token){TOKEN_NAME, at, skip_name(at, end)};
	else if (is_digit(*at))
		*token = (struct token){TOKEN_NUMBER, at, skip_number(at, end)};
	else if (*at == '\'' || *at == '"')
		*token = (struct token){TOKEN_TEXT, at, skip_quoted(at, end)};
	else
		err = read_sign(lexer, token);
	if (!err && !token->end)
		err = template_lex__fail(lexer, at, "the closing %c of a text is missing", *at);
	if (!err)
		lexer->at = token->end;
	return err;
}

int template_lex__member(struct lexer *lexer, struct token *token)
{
	const char *at;

	skip_blanks(lexer);
	at = lexer->at;
	if (at < lexer->end && is_letter(*at))
		*token = (struct token){TOKEN_NAME, at, skip_name(at, lexer->end)};
	else if (at < lexer->end && is_digit(*at))
		*token = (struct token){TOKEN_NUMBER, at, skip_digits(at, lexer->end)};
	else
		return template_lex__fail(lexer, at, "a name or an index must follow the dot");
	lexer->at = token->end;
	return 0;
}
