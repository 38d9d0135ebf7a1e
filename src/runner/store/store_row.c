// SPDX-License-Identifier: BSD-2-Clause
#include "runner/store/store_row.h"

#include "runner/value/integer.h"
#include "runner/value/time_text.h"

const char *store_row__text(const cJSON *row, const char *column)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, column));

	return text ? text : "";
}

int64_t store_row__number(const cJSON *row, const char *column)
{
	int64_t number;

	return integer__of(cJSON_GetObjectItemCaseSensitive(row, column), &number) ? number : 0;
}

int store_row__time(const cJSON *row, const char *column, int64_t *us)
{
	return time_text__read(store_row__text(row, column), us);
}

bool store_row__add_time(cJSON *values, const char *column, int64_t us)
{
	char text[TIME_TEXT_BYTES];

	time_text__write(us, text);
	return cJSON_AddStringToObject(values, column, text) != NULL;
}
