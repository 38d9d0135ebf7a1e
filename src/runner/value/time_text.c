// SPDX-License-Identifier: BSD-2-Clause
#include "runner/value/time_text.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Reads the decimals of a second: ".25" is 250000 microseconds. -1: not valid. */
static int read_decimals(const char *text, const char **end)
{
	int scale = 100000, sum = 0;

	*end = text;
	if (*text != '.')
		return 0;
	for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10)
		sum += (*text - '0') * scale;
	if (text == *end + 1 || text > *end + 7)
		return -1;
	*end = text;
	return sum;
}

int time_text__read(const char *text, int64_t *us)
{
	struct tm when = {0}, asked;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &when);
	int micros = rest ? read_decimals(rest, &rest) : -1;
	time_t seconds;

	asked = when;
	seconds = timegm(&when);
	if (micros < 0 || strcmp(rest, "Z") != 0 || when.tm_mday != asked.tm_mday)
		return -EINVAL;
	*us = (int64_t)seconds * 1000000 + micros;
	return 0;
}

/* Writes the last `count` digits of the number, and `after`. Returns what is behind them. */
static char *write_digits(char *at, int count, int number, char after)
{
	for (int i = count - 1; i >= 0; i--, number /= 10)
		at[i] = (char)('0' + number % 10);
	at[count] = after;
	return at + count + 1;
}

static int64_t limited(int64_t us)
{
	if (us < TIME_TEXT_FIRST_US)
		return TIME_TEXT_FIRST_US;
	return us > TIME_TEXT_LAST_US ? TIME_TEXT_LAST_US : us;
}

/* Without strftime() and snprintf(), which take several times as long. */
void time_text__write(int64_t us, char text[TIME_TEXT_BYTES])
{
	int64_t within = limited(us);
	int micros = (int)((within % 1000000 + 1000000) % 1000000);
	time_t seconds = (time_t)((within - micros) / 1000000);
	struct tm when;

	gmtime_r(&seconds, &when);
	text = write_digits(text, 4, when.tm_year + 1900, '-');
	text = write_digits(text, 2, when.tm_mon + 1, '-');
	text = write_digits(text, 2, when.tm_mday, 'T');
	text = write_digits(text, 2, when.tm_hour, ':');
	text = write_digits(text, 2, when.tm_min, ':');
	text = write_digits(text, 2, when.tm_sec, '.');
	text = write_digits(text, 6, micros, 'Z');
	*text = 0;
}
