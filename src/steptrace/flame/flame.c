// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/flame.h"

#include <errno.h>
#include <string.h>

#include "steptrace/flame/writers.h"

static int write_folded(FILE *out, const struct flame_rows *rows, const struct folded_facts *facts)
{
	(void)facts;
	return folded_text__write(out, rows);
}

static int write_speedscope(FILE *out, const struct flame_rows *rows,
			    const struct folded_facts *facts)
{
	(void)facts;
	return flame_speedscope__write(out, rows);
}

static const struct {
	const char *name, *help;
	int (*write)(FILE *out, const struct flame_rows *rows, const struct folded_facts *facts);
} formats[] = {
	[FLAME_FOLDED] = {"folded", "one line per stack, in microseconds", write_folded},
	[FLAME_SPEEDSCOPE] = {"speedscope", "JSON for https://www.speedscope.app",
			      write_speedscope},
	[FLAME_SVG] = {"svg", "a flame graph as a picture", svg__write},
	[FLAME_HTML] = {"html", "a flame graph as a page, to zoom and to search", html__write},
};

_Static_assert(sizeof(formats) / sizeof(formats[0]) == FLAME_FORMATS_COUNT, "a format is missing");

const char *flame_format__name(enum flame_format format)
{
	return formats[format].name;
}

const char *flame_format__help(enum flame_format format)
{
	return formats[format].help;
}

int flame_format__parse(const char *name)
{
	for (int i = 0; i < FLAME_FORMATS_COUNT; i++)
		if (strcmp(name, formats[i].name) == 0)
			return i;
	return -EINVAL;
}

int flame__write(FILE *out, enum flame_format format, const struct folded *folded)
{
	struct flame_rows rows;
	int err = flame_rows__init(&rows, folded);

	if (err)
		return err;
	errno = 0;
	err = formats[format].write(out, &rows, &folded->facts);
	if (!err && (fflush(out) || ferror(out)))
		err = errno ? -errno : -EIO;
	flame_rows__free(&rows);
	return err;
}
