// SPDX-License-Identifier: BSD-2-Clause
#include "common/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{"ns", 1},        {"us", 1000},          {"ms", 1000000},         {"s", 1000000000},
	{"", 1000000000}, {"m", 60000000000ULL}, {"h", 3600000000000ULL}, {"d", 86400000000000ULL},
};

static const struct unit sizes[] = {
	{"", 1},
	{"K", 1ULL << 10},
	{"M", 1ULL << 20},
	{"G", 1ULL << 30},
};

static int leading_u64(const char *text, uint64_t *value, const char **end)
{
	char *stop;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &stop, 10);
	if (errno == ERANGE)
		return -ERANGE;
	*end = stop;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	return NULL;
}

int parse__u64(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	const char *end;
	uint64_t number;
	int err;

	err = leading_u64(text, &number, &end);
	if (err)
		return err;
	if (*end)
		return -EINVAL;
	if (number < min || number > max)
		return -ERANGE;
	*value = number;
	return 0;
}

/* The digits after the decimal point, in billionths: "25" is 250000000. */
static int leading_fraction(const char *text, uint64_t *billionths, const char **end)
{
	uint64_t scale = 1000000000, sum = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		scale /= 10;
		sum += (uint64_t)(*text - '0') * scale;
	}
	*billionths = sum;
	*end = text;
	return 0;
}

int parse__duration_ns(const char *text, uint64_t *ns)
{
	uint64_t whole, billionths = 0, total, part;
	const struct unit *unit;
	const char *end;
	int err;

	err = leading_u64(text, &whole, &end);
	if (err)
		return err;
	if (*end == '.') {
		err = leading_fraction(end + 1, &billionths, &end);
		if (err)
			return err;
	}
	unit = find_unit(durations, sizeof(durations) / sizeof(durations[0]), end);
	if (!unit)
		return -EINVAL;
	part = (uint64_t)((unsigned __int128)billionths * unit->factor / 1000000000);
	if (__builtin_mul_overflow(whole, unit->factor, &total) ||
	    __builtin_add_overflow(total, part, &total))
		return -ERANGE;
	*ns = total;
	return 0;
}

int parse__size_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *bytes)
{
	const struct unit *unit;
	const char *end;
	uint64_t number;
	int err;

	err = leading_u64(text, &number, &end);
	if (err)
		return err;
	unit = find_unit(sizes, sizeof(sizes) / sizeof(sizes[0]), end);
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(number, unit->factor, &number) || number < min || number > max)
		return -ERANGE;
	*bytes = number;
	return 0;
}

int parse__percent(const char *text, double min, double max, double *percent)
{
	char *end;
	double number;

	if (!isdigit((unsigned char)*text) || strpbrk(text, "xXeEpP"))
		return -EINVAL;
	number = strtod(text, &end);
	if (strcmp(end, "") != 0 && strcmp(end, "%") != 0)
		return -EINVAL;
	if (!(number >= min && number <= max))
		return -ERANGE;
	*percent = number;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int parse__id128(const char *text, uint8_t id[16])
{
	int digits = 0;

	for (; *text; text++) {
		int value = hex_digit(*text);

		if (*text == '-' && digits && text[1])
			continue;
		if (value < 0 || digits == 32)
			return -EINVAL;
		id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | value);
		digits++;
	}
	return digits == 32 ? 0 : -EINVAL;
}
