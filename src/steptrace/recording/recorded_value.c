// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recorded_value.h"

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

static const char *digits_end(const char *at, const char *end)
{
	while (at < end && is_digit(*at))
		at++;
	return at;
}

/* ---- the grammar of JSON */

static const char *decimals_end(const char *at, const char *end)
{
	const char *behind;

	if (at == end || *at != '.')
		return at;
	behind = digits_end(at + 1, end);
	return behind > at + 1 ? behind : NULL;
}

static const char *exponent_end(const char *at, const char *end)
{
	const char *behind;

	if (!at || at == end || (*at != 'e' && *at != 'E'))
		return at;
	at++;
	if (at < end && (*at == '+' || *at == '-'))
		at++;
	behind = digits_end(at, end);
	return behind > at ? behind : NULL;
}

const char *recorded_number__end(const char *at, const char *end)
{
	const char *first;

	if (at < end && *at == '-')
		at++;
	first = at;
	at = digits_end(at, end);
	if (at == first || (*first == '0' && at > first + 1))
		return NULL;
	return exponent_end(decimals_end(at, end), end);
}

/* ---- values */

/* digits * 10^exponent; digits that had no room are in the exponent. */
struct decimal {
	uint64_t digits;
	int exponent;
	bool is_inexact; /* a digit that is not 0 was left out */
};

enum { EXPONENT_MAX = 10000 };

static void add_digit(struct decimal *decimal, char c, bool is_behind_point)
{
	unsigned int digit = (unsigned char)(c - '0');

	if (decimal->digits > (UINT64_MAX - digit) / 10) {
		decimal->is_inexact |= digit != 0;
		decimal->exponent += !is_behind_point;
		return;
	}
	decimal->digits = decimal->digits * 10 + digit;
	decimal->exponent -= is_behind_point;
}

static int exponent_of(const char *at, const char *end)
{
	bool is_negative = at < end && *at == '-';
	int exponent = 0;

	for (at += at < end && !is_digit(*at); at < end; at++)
		if (exponent < EXPONENT_MAX)
			exponent = exponent * 10 + (*at - '0');
	return is_negative ? -exponent : exponent;
}

static void decimal__read(struct decimal *decimal, const char *at, const char *end)
{
	bool is_behind_point = false;

	*decimal = (struct decimal){0};
	for (; at < end; at++) {
		if (*at == '.')
			is_behind_point = true;
		else if (is_digit(*at))
			add_digit(decimal, *at, is_behind_point);
		else
			break;
	}
	if (at < end)
		decimal->exponent += exponent_of(at + 1, end);
}

/* Divides by 10^-exponent, and rounds. */
static uint64_t shortened(struct decimal *decimal)
{
	unsigned int last = 0;

	for (; decimal->exponent < 0 && (decimal->digits || last); decimal->exponent++) {
		decimal->is_inexact |= last != 0;
		last = (unsigned int)(decimal->digits % 10);
		decimal->digits /= 10;
	}
	decimal->is_inexact |= last != 0;
	return decimal->digits + (last >= 5);
}

static bool lengthened(struct decimal *decimal, uint64_t *value)
{
	for (; decimal->exponent > 0 && decimal->digits; decimal->exponent--)
		if (__builtin_mul_overflow(decimal->digits, 10, &decimal->digits))
			return false;
	*value = decimal->digits;
	return true;
}

static bool any_number(const char *at, const char *end, int shift, uint64_t *value)
{
	struct decimal decimal;

	decimal__read(&decimal, at, end);
	decimal.exponent += shift;
	if (decimal.exponent > 0) /* digits that were left out are missing */
		return !decimal.is_inexact && lengthened(&decimal, value);
	*value = shortened(&decimal);
	return shift || !decimal.is_inexact;
}

/* The usual case: digits, and up to `shift` decimals. False: it is not that. */
static bool plain_number(const char *at, const char *end, int shift, uint64_t *value)
{
	uint64_t number = 0;

	if (end - at > 18)
		return false;
	for (; at < end && is_digit(*at); at++)
		number = number * 10 + (unsigned char)(*at - '0');
	if (at < end && *at == '.')
		for (at++; at < end && is_digit(*at) && shift > 0; at++, shift--)
			number = number * 10 + (unsigned char)(*at - '0');
	if (at < end || (shift && number > UINT64_MAX / 1000000))
		return false;
	for (; shift > 0; shift--)
		number *= 10;
	*value = number;
	return true;
}

bool recorded_number__u64(const char *at, const char *end, int shift, uint64_t *value)
{
	if (plain_number(at, end, shift, value))
		return true;
	if (at < end && *at == '-') /* "-0" is one, too */
		return any_number(at + 1, end, shift, value) && *value == 0;
	return any_number(at, end, shift, value);
}

bool recorded_number__i64(const char *at, const char *end, int64_t *value)
{
	bool is_negative = at < end && *at == '-';
	uint64_t magnitude;

	if (!recorded_number__u64(at + is_negative, end, 0, &magnitude) ||
	    magnitude > (uint64_t)INT64_MAX + is_negative)
		return false;
	*value = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

/* ---- timestamps */

static bool two_digits(const char *text, unsigned int max, unsigned int *value)
{
	*value = (unsigned int)(text[0] - '0') * 10 + (unsigned int)(text[1] - '0');
	return is_digit(text[0]) && is_digit(text[1]) && *value <= max;
}

/* Days since 1970 of a date of the Gregorian calendar; years begin in March for the sum. */
static unsigned int days_of(unsigned int year, unsigned int month, unsigned int day)
{
	year -= month <= 2;
	return year * 365 + year / 4 - year / 100 + year / 400 +
	       (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1 - 719468;
}

static unsigned int days_in(unsigned int year, unsigned int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && is_leap);
}

static bool read_date(const char *text, unsigned int *days)
{
	unsigned int century, year, month, day;

	if (!two_digits(text, 24, &century) || !two_digits(text + 2, 99, &year) || text[4] != '-' ||
	    !two_digits(text + 5, 12, &month) || text[7] != '-' || !two_digits(text + 8, 31, &day))
		return false;
	year += century * 100;
	if (year < 1970 || month < 1 || day < 1 || day > days_in(year, month))
		return false;
	*days = days_of(year, month, day);
	return true;
}

static bool read_time_of_day(const char *text, unsigned int *seconds)
{
	unsigned int hour, minute, second;

	if (!two_digits(text, 23, &hour) || text[2] != ':' || !two_digits(text + 3, 59, &minute) ||
	    text[5] != ':' || !two_digits(text + 6, 60, &second))
		return false;
	*seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* ".620678778Z" or "Z" */
static bool read_fraction(const char *at, const char *end, uint64_t *ns)
{
	const char *point = at;

	*ns = 0;
	if (at < end && *at == '.') {
		for (at++; at < end && is_digit(*at) && at - point <= 9; at++)
			*ns = *ns * 10 + (unsigned char)(*at - '0');
		if (at == point + 1)
			return false;
		for (int decimals = (int)(at - point) - 1; decimals < 9; decimals++)
			*ns *= 10;
	}
	return at + 1 == end && *at == 'Z';
}

bool recorded_time__read(const char *text, size_t bytes, uint64_t *ns)
{
	unsigned int days, seconds;
	uint64_t fraction;

	if (bytes < 20 || !read_date(text, &days) || (text[10] != 'T' && text[10] != ' ') ||
	    !read_time_of_day(text + 11, &seconds) ||
	    !read_fraction(text + 19, text + bytes, &fraction))
		return false;
	*ns = ((uint64_t)days * 86400 + seconds) * 1000000000 + fraction;
	return true;
}
